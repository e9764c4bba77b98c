"""What is said of a face. One decision, from which the words, the first emoji, the reaction and the buttons follow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.emotions import EMOTIONS

SURE_FROM = 0.5
"""Probability of the likeliest emotion from which it is said outright; below it, the two likeliest are named."""
_MIXED_FROM = 0.25
"""Probability of the second emotion from which it is said as well."""
_EXCLUSIVE = frozenset(frozenset({"happy", other}) for other in ("angry", "fear", "sad"))
"""Emotions that nobody shows at once: if both are likely, it is one or the other."""


@dataclass(frozen=True)
class Verdict:
    """What is said of a face.

    emotion: the likeliest. other: the second, where it is named, else empty. is_sure: the emotion is said outright, and
    the other, if any, is mixed in with it; otherwise it is one or the other.
    """

    emotion: str
    other: str = ""
    is_sure: bool = True

    @classmethod
    def of(cls, probabilities: Sequence[float]) -> "Verdict":
        """Decide by emotion probabilities, in the order of `EMOTIONS`."""
        first, second = np.argsort(-np.asarray(probabilities), kind="stable")[:2].tolist()
        emotion, other = EMOTIONS[first], EMOTIONS[second]
        if probabilities[first] < SURE_FROM:
            return cls(emotion, other, is_sure=False)
        mixed = probabilities[second] >= _MIXED_FROM and "neutral" not in {emotion, other}
        return cls(emotion, other if mixed and {emotion, other} not in _EXCLUSIVE else "")

    @property
    def leading(self) -> tuple[str, ...]:
        """Return the emotions that the first emoji express, one each, in this order."""
        return (self.emotion,) if self.is_sure else (self.emotion, self.other)
