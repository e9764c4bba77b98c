"""Rank the emoji for a face.

P(emoji | face, person) is the sum over emotions of P(emotion | face) * P(emoji | emotion, person). The second factor is
raised for emoji whose intensity and mixture of emotions match the face, and for emoji with cues that were detected.
Emoji of one family are then spread out, so that the first few offer a choice (the greedy re-ranking of Carbonell and
Goldstein 1998, with families in place of a similarity). Personal preferences are computed by `recognizer.taste`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.cues import Cue
from recognizer.emoji_map import EmojiMap
from recognizer.expression import Expression

_INTENSITY_WIDTH = 0.25
"""Standard deviation of the Gaussian over the difference in intensity."""
_CUE_GAINS = {
    Cue.OPEN_MOUTH: 2.5,
    Cue.TILTED_HEAD: 2.5,
    Cue.CLOSED_EYES: 20.0,
    Cue.RAISED_BROWS: 6.0,
    Cue.BROAD_SMILE: 6.0,
    Cue.SLIGHT_SMILE: 6.0,
    Cue.SIDE_GLANCE: 20.0,
}
"""Set by hand. High where the emoji's weight is low because it would be wrong without its cue: 😌, 😏."""
_MIXTURE_POWER = 4.0
"""Exponent of the cosine between the face's emotions and an emoji's profile: joy with surprise is 🤩, not 😄 or 😮."""
_SECOND_OF_FAMILY = 0.2
"""Factor on the probability of a family's second emoji among the first places; the third has its square."""
_VARIED_PLACES = 8
"""Number of places that take families into account. The places after them are filled by probability alone."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """All emoji of a map, ranked for one face.

    emoji: the best first. probabilities: float64 `(n,)`, in the order of the map, summing to 1.
    """

    emoji: tuple[str, ...]
    probabilities: NDArray[np.float64]


def rank(emoji_map: EmojiMap, expression: Expression, taste: NDArray[np.float64] | None = None) -> Ranking:
    """Rank the emoji for one face.

    taste: the person's P(emoji | emotion), float64 `(7, n)`, rows summing to 1 (see `recognizer.taste`); None for the
    map's own.
    """
    probabilities = emoji_probabilities(emoji_map, expression, taste)
    order = _varied(probabilities, emoji_map.families)
    return Ranking(tuple(emoji_map.emoji[index] for index in order), probabilities)


def reaction(
    emoji_map: EmojiMap, reaction_set: str, expressions: Sequence[Expression], taste: NDArray[np.float64] | None = None
) -> str:
    """Return the emoji of a reaction set with the highest mean probability over the faces of a photo.

    Raise `ValueError` if the set is unknown.
    """
    chances = [emoji_probabilities(emoji_map, each, taste) for each in expressions]
    mean = np.where(emoji_map.may_react(reaction_set), np.mean(chances, axis=0), -1)
    return emoji_map.emoji[int(mean.argmax())]


def emoji_probabilities(
    emoji_map: EmojiMap, expression: Expression, taste: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return P(emoji | face), float64 `(n,)`, in the order of the map; it sums to 1."""
    distance = np.nan_to_num((expression.intensity - emoji_map.intensities) / _INTENSITY_WIDTH)
    fitting = np.exp(-0.5 * distance**2) + 1e-9  # keep it above 0: a taste may hold one emoji only
    gains = [_CUE_GAINS[cue] if cue in expression.cues else 1.0 for cue in Cue]
    fitting *= np.where(emoji_map.cues, gains, 1.0).prod(axis=1)
    emotions = np.asarray(expression.probabilities, dtype=np.float64)
    fitting *= (emoji_map.directions @ (emotions / np.linalg.norm(emotions))) ** _MIXTURE_POWER + 1e-9
    likelihoods = (emoji_map.likelihoods if taste is None else taste) * fitting
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = (emotions / emotions.sum()) @ likelihoods
    return probabilities


def _varied(probabilities: NDArray[np.float64], families: NDArray[np.int64]) -> list[int]:
    """Return the indices by probability; for the first places it is reduced by how often the family was used."""
    left = probabilities.copy()
    first = []
    for _ in range(min(_VARIED_PLACES, len(left))):
        best = int(left.argmax())
        first.append(best)
        left[families == families[best]] *= _SECOND_OF_FAMILY
        left[best] = -1
    taken = set(first)
    return first + [int(index) for index in np.argsort(-probabilities, kind="stable") if index not in taken]
