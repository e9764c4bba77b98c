"""Measure whether suggested emoji match what people see, by their profiles and the votes of FER+ taggers.

On faces whose taggers disagree, the mean profile of the first three suggestions is compared with the votes by the
Jensen-Shannon divergence (Lin 1991), in bits: 0 for equal, 1 for disjoint distributions. The baselines are the maps of
earlier systems with one emoji for each class: its one emoji, and those of the three likeliest classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer import EMOTIONS, EmojiMap, Expression
from recognizer.ranking import rank
from recognizer.verdict import Verdict
from training.data import FERPLUS, Faces

MIXED_UP_TO = 0.7
"""Largest share of one emotion among the votes for which a face counts as mixed."""
_LEAST_VOTES = 5
_FIRST = 3


@dataclass(frozen=True)
class EmojiAgreement:
    """Mean divergences in bits over `faces` faces.

    contradicting: the share of all faces whose first emoji expresses another emotion more than those that are said.
    """

    faces: int
    suggested: float
    one_a_class: float
    three_classes: float
    contradicting: float


def agreement(faces: Faces, shown: NDArray[np.float32], emoji_map: EmojiMap) -> EmojiAgreement:
    """Compare suggestions with votes; `shown` `(n, 7)` are the probabilities shown by the bot for each face.

    Raise `ValueError` if the faces have no votes or none of them is mixed.
    """
    votes, rows = _mixed(faces)
    profiles = emoji_map.profiles / emoji_map.profiles.sum(axis=1, keepdims=True)
    places = {emoji: place for place, emoji in enumerate(emoji_map.emoji)}
    mixtures = shown.astype(np.float64).tolist()
    ranked = [rank(emoji_map, Expression.of(tuple(row))).emoji[:_FIRST] for row in mixtures]
    suggested = [profiles[[places[emoji] for emoji in ranked[row]]].mean(axis=0) for row in rows]
    seen = shown[rows].astype(np.float64)
    contradicting = [
        not emoji_map.strongest[places[emoji[0]], [EMOTIONS.index(name) for name in Verdict.of(row).leading]].any()
        for emoji, row in zip(ranked, mixtures, strict=True)
    ]
    classes, order = np.eye(len(EMOTIONS)), np.argsort(-seen, axis=1)
    return EmojiAgreement(
        len(rows),
        float(divergence(votes, np.array(suggested)).mean()),
        float(divergence(votes, classes[order[:, 0]]).mean()),
        float(divergence(votes, classes[order[:, :_FIRST]].mean(axis=1)).mean()),
        float(np.mean(contradicting)),
    )


def divergence(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Jensen-Shannon divergence of the rows of two arrays of distributions, in bits, 0 to 1."""
    both = first + second
    return (_relative_entropy(first, both) + _relative_entropy(second, both)) / 2


def _relative_entropy(of: NDArray[np.float64], both: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative entropy to the mean of both distributions.

    both: the sum of the two distributions, not their mean. It is never 0 where `of` is not, but half of the smallest
    float is 0.
    """
    ratio = np.divide(2 * of, both, out=np.ones_like(of), where=of > 0)
    bits: NDArray[np.float64] = (of * np.log2(ratio)).sum(axis=-1)
    return bits


def _mixed(faces: Faces) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the votes for the seven emotions as shares `(m, 7)`, and the indices of their faces."""
    if faces.votes is None:
        raise ValueError("these faces have no FER+ votes")
    votes = faces.votes[:, [FERPLUS.index(emotion) for emotion in EMOTIONS]].astype(np.float64)
    totals = votes.sum(axis=1)
    shares = votes / np.maximum(totals, 1)[:, None]
    rows = np.flatnonzero((totals >= _LEAST_VOTES) & (shares.max(axis=1) <= MIXED_UP_TO))
    if not len(rows):
        raise ValueError("none of these faces has mixed votes")
    return shares[rows], rows
