"""From what people say of a face to a soft label over the emotions, and which labels are doubtful.

A tap on an emoji says which emotions the face may show: P(emotion | face, emoji) is proportional to
P(emotion | face) P(emoji | emotion), where the model's word on the face counts only as far as it may be right. Several
words are averaged by their weights, so that disagreement stays in the label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.emoji_map import EmojiMap
from recognizer.emotions import EMOTIONS

WEIGHTS = {"sender": 1.0, "vote": 0.5, "admin": 3.0, "import": 2.0}
"""How much a word counts by its source: whoever sent the photo, others in the chat, an admin, a set of labelled faces.
Set by hand: an admin outweighs the sender and two others."""
EMOJI_SHARE = 0.6
"""An emoji counts for this much of a named emotion, since people choose emoji for fun, too. Set by hand."""
_MODEL_MAY_BE_WRONG = 0.2
"""Share of a uniform distribution mixed into the model's word on the face before an emoji is weighed by it."""

Seven = NDArray[np.float64]


class Spoken(Protocol):
    """What one person said of a face: an emoji, an emotion, "not_a_face", "unsure", or none of these."""

    @property
    def source(self) -> str:
        """One of `WEIGHTS`."""

    @property
    def emoji(self) -> str | None:
        """What they chose."""

    @property
    def verdict(self) -> str | None:
        """What they named."""


@dataclass(frozen=True, eq=False)
class Label:
    """shares: float64 `(7,)`, in the order of `EMOTIONS`, summing to 1. weight: above 0, 1 for one sender's word."""

    shares: Seven
    weight: float

    @property
    def emotion(self) -> str:
        """The likeliest."""
        return EMOTIONS[int(self.shares.argmax())]


def soft_label(emoji_map: EmojiMap, probabilities: Sequence[float], words: Iterable[Spoken]) -> Label | None:
    """The label that `words` give a face with these seven probabilities.

    None where they name no emotion, where admins mostly say that it is no face, and where nobody but one voter spoke.
    Emoji no longer in the map say nothing.
    """
    words = list(words)
    if [word.source for word in words] == ["vote"]:
        return None
    shares, no_face, total = np.zeros(len(EMOTIONS)), 0.0, 0.0
    for word in words:
        weight = WEIGHTS[word.source]
        if word.verdict == "not_a_face":
            no_face += weight
        elif word.verdict in EMOTIONS:
            shares[EMOTIONS.index(word.verdict)] += weight
            total += weight
        elif word.emoji in emoji_map.emoji:
            shares += EMOJI_SHARE * weight * _said_by(emoji_map, probabilities, word.emoji)
            total += EMOJI_SHARE * weight
    if total <= no_face:
        return None
    return Label(shares / total, total)


def doubtful(probabilities: NDArray[np.float64], labels: Seven) -> NDArray[np.bool_]:
    """Which labels are probably wrong, `(n,)`, by confident learning.

    probabilities: `(n, 7)`. labels: soft, `(n, 7)`, taken at their likeliest emotion. A label is doubtful where the
    likeliest emotion among those that the model is as sure of as it is on average where they are the label, is another
    one. Source: Northcutt et al. 2021 (https://arxiv.org/abs/1911.00068), the confident joint.
    """
    given = labels.argmax(axis=1)
    thresholds = np.array(
        [probabilities[given == place, place].mean() if (given == place).any() else 1.1 for place in range(7)]
    )
    sure = np.where(probabilities >= thresholds, probabilities, -1.0)
    found: NDArray[np.bool_] = (sure.max(axis=1) > 0) & (sure.argmax(axis=1) != given)
    return found


def _said_by(emoji_map: EmojiMap, probabilities: Sequence[float], emoji: str | None) -> Seven:
    place = emoji_map.emoji.index(str(emoji))
    model = np.asarray(probabilities, dtype=np.float64)
    mixed = (1 - _MODEL_MAY_BE_WRONG) * model / model.sum() + _MODEL_MAY_BE_WRONG / len(model)
    blame = mixed * emoji_map.likelihoods[:, place]
    shares: Seven = blame / blame.sum()
    return shares
