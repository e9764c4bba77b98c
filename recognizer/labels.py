"""Combine people's feedback on a face into a soft label over the emotions, and detect doubtful labels.

A tapped emoji is evidence for the emotions it expresses: P(emotion | face, emoji) is proportional to P(emotion | face)
P(emoji | emotion). The model's P(emotion | face) is first mixed with a uniform distribution, because the model may be
wrong. Several statements are averaged by their weights, so that disagreement stays visible in the label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.emoji_map import EmojiMap
from recognizer.emotions import EMOTIONS

WEIGHTS = {"sender": 1.0, "vote": 0.5, "reaction": 0.4, "play": 1.0, "admin": 3.0, "import": 2.0}
"""Weight of a statement by its source: the sender of the photo, others in the chat, a reaction on the message, which
people also put there for fun, an admin, an imported labelled set. Set by hand: an admin outweighs the sender and two
others.
"""
EMOJI_SHARE = 0.6
"""Weight of an emoji relative to a named emotion, because people also choose emoji for fun. Set by hand."""
_MODEL_MAY_BE_WRONG = 0.2
"""Share of the uniform distribution mixed into the model's probabilities before an emoji is taken into account."""

Seven = NDArray[np.float64]


class GivenAnswer(Protocol):
    """One person's statement about a face: an emoji, an emotion, "not_a_face", "unsure", or none of these."""

    @property
    def source(self) -> str:
        """Return the source, a key of `WEIGHTS`."""

    @property
    def emoji(self) -> str | None:
        """Return the emoji they tapped, if any."""

    @property
    def verdict(self) -> str | None:
        """Return the emotion they named, or "not_a_face", or "unsure", if any."""


@dataclass(frozen=True, eq=False)
class Label:
    """A soft label.

    shares: float64 `(7,)`, in the order of `EMOTIONS`, summing to 1. weight: above 0, where 1 is one sender's
    statement.
    """

    shares: Seven
    weight: float

    @property
    def emotion(self) -> str:
        """Return the likeliest emotion."""
        return EMOTIONS[int(self.shares.argmax())]


def soft_label(emoji_map: EmojiMap, probabilities: Sequence[float], answers: Iterable[GivenAnswer]) -> Label | None:
    """Return the label of a face with these seven model probabilities according to people's statements.

    Return None if no statement names an emotion, if the statements that it is not a face weigh as much as the others,
    and if the only statement is one vote. Emoji that are no longer in the map are ignored.
    """
    answers = list(answers)
    if [answer.source for answer in answers] == ["vote"]:
        return None
    shares, no_face, total = np.zeros(len(EMOTIONS)), 0.0, 0.0
    for answer in answers:
        weight = WEIGHTS[answer.source]
        if answer.verdict == "not_a_face":
            no_face += weight
        elif answer.verdict in EMOTIONS:
            shares[EMOTIONS.index(answer.verdict)] += weight
            total += weight
        elif answer.emoji in emoji_map.emoji:
            shares += EMOJI_SHARE * weight * _said_by(emoji_map, probabilities, answer.emoji)
            total += EMOJI_SHARE * weight
    if total <= no_face:
        return None
    return Label(shares / total, total)


def doubtful(probabilities: NDArray[np.float64], labels: Seven) -> NDArray[np.bool_]:
    """Return which labels are probably wrong, bool `(n,)`, by confident learning.

    probabilities: of the model, `(n, 7)`. labels: soft, `(n, 7)`; only the likeliest emotion of each is used. An
    emotion is a candidate for a face if the model's probability reaches its mean over the faces labelled so. A label is
    doubtful if the likeliest candidate is another emotion. Source: Northcutt et al. 2021
    (https://arxiv.org/abs/1911.00068), the confident joint.
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
