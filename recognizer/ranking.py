"""Which emoji fit a face, in which order.

P(emoji | face, person) = sum over emotions of P(emotion | face) * P(emoji | emotion, person), where the second factor
grows for an emoji whose intensity and mixture of emotions are the face's, and for one whose cue is seen. The order then
keeps emoji of one family apart, so that the first few offer a choice (the greedy re-ranking of Carbonell and Goldstein
1998, with families in place of a similarity).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.emoji_map import EmojiMap
from recognizer.expression import Cue, Expression

_INTENSITY_WIDTH = 0.25
"""Standard deviation of the bell curve over the difference of intensities."""
_CUE_GAIN = 2.5
_MIXTURE_POWER = 4.0
"""Exponent of the cosine between the face's emotions and an emoji's scores: joy with surprise is 🤩, not 😄 or 😮."""
_SECOND_OF_FAMILY = 0.2
"""What a family's second emoji among the first places counts of its probability; the third counts the square of it."""
_VARIED_PLACES = 8
"""How many places are filled with an eye on families; whoever asks for more sees all emoji by probability alone."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """All emoji of a map for one face: `emoji`, the fittest first, and float64 `probabilities` `(n,)`, which sum to 1,
    in the order of the map."""

    emoji: tuple[str, ...]
    probabilities: NDArray[np.float64]


def rank(emoji_map: EmojiMap, expression: Expression, taste: NDArray[np.float64] | None = None) -> Ranking:
    """Rank the emoji for one face.

    taste: P(emoji | emotion) of whoever asks, float64 `(7, n)`, rows summing to 1 (see `recognizer.taste`); None takes
    the map's own.
    """
    probabilities = emoji_probabilities(emoji_map, expression, taste)
    order = _varied(probabilities, emoji_map.families)
    return Ranking(tuple(emoji_map.emoji[index] for index in order), probabilities)


def reaction(
    emoji_map: EmojiMap, reaction_set: str, expressions: Sequence[Expression], taste: NDArray[np.float64] | None = None
) -> str:
    """Return the one emoji of a reaction set to react with to the faces of a photo: the likeliest for their mean."""
    chances = [emoji_probabilities(emoji_map, each, taste) for each in expressions]
    mean = np.where(emoji_map.may_react(reaction_set), np.mean(chances, axis=0), -1)
    return emoji_map.emoji[int(mean.argmax())]


def emoji_probabilities(
    emoji_map: EmojiMap, expression: Expression, taste: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """P(emoji | face), `(n,)`, in the order of the map; sums to 1."""
    distance = (expression.intensity - emoji_map.intensities) / _INTENSITY_WIDTH
    fitting = np.exp(-0.5 * distance**2) + 1e-9  # a taste may know but one emoji, far from this face's intensity
    seen = np.array([cue in expression.cues for cue in Cue])
    fitting *= np.where((emoji_map.cues & seen).any(axis=1), _CUE_GAIN, 1.0)
    emotions = np.asarray(expression.probabilities, dtype=np.float64)
    fitting *= (emoji_map.directions @ (emotions / np.linalg.norm(emotions))) ** _MIXTURE_POWER + 1e-9
    likelihoods = (emoji_map.likelihoods if taste is None else taste) * fitting
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = (emotions / emotions.sum()) @ likelihoods
    return probabilities


def _varied(probabilities: NDArray[np.float64], families: NDArray[np.int64]) -> list[int]:
    """Places by probability, the first few each time discounted by how often their family has come already."""
    left = probabilities.copy()
    first = []
    for _ in range(min(_VARIED_PLACES, len(left))):
        best = int(left.argmax())
        first.append(best)
        left[families == families[best]] *= _SECOND_OF_FAMILY
        left[best] = -1
    taken = set(first)
    return first + [int(index) for index in np.argsort(-probabilities, kind="stable") if index not in taken]
