"""Rank the emoji for a face.

P(emoji | face, person) is the sum over emotions of P(emotion | face) * P(emoji | emotion, person). The second factor is
raised for emoji whose intensity and mixture of emotions match the face, and for emoji with cues that were detected.
The first emoji are of the emotions that are said of the face (`recognizer.verdict`), so that words, emoji and reaction
agree. Emoji of one family are then spread out, so that the first few offer a choice (the greedy re-ranking of Carbonell
and Goldstein 1998, with families in place of a similarity). Personal preferences are computed by `recognizer.taste`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.cues import Cue
from recognizer.emoji_map import EmojiMap
from recognizer.emotions import EMOTIONS
from recognizer.expression import Expression
from recognizer.verdict import Verdict

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
_TAUGHT = 3.0
"""How many times as often as by the map an emoji has to be chosen for an emotion to count as one of it."""
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
    first: list[int] = []
    for emotion in Verdict.of(expression.probabilities).leading:
        fitting = np.where(_of_emotion(emoji_map, emotion, taste), probabilities, -1)
        fitting[first] = -1
        first.append(int(fitting.argmax()))
    order = _varied(probabilities, emoji_map.families, first)
    return Ranking(tuple(emoji_map.emoji[index] for index in order), probabilities)


def reaction(
    emoji_map: EmojiMap, reaction_set: str, expressions: Sequence[Expression], taste: NDArray[np.float64] | None = None
) -> str:
    """Return the emoji of a reaction set with the highest mean probability over the faces of a photo, of those of the
    emotion that is likeliest over all of them.

    Raise `ValueError` if the set is unknown.
    """
    chances = np.mean([emoji_probabilities(emoji_map, each, taste) for each in expressions], axis=0)
    mood = Verdict.of(np.mean([each.probabilities for each in expressions], axis=0).tolist()).emotion
    allowed = emoji_map.may_react(reaction_set)
    fitting = allowed & _of_emotion(emoji_map, mood, taste)
    return emoji_map.emoji[int(np.where(fitting if fitting.any() else allowed, chances, -1).argmax())]


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


def _of_emotion(emoji_map: EmojiMap, emotion: str, taste: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Return which emoji express that emotion most, by the map, or because people choose them for it: bool `(n,)`."""
    index = EMOTIONS.index(emotion)
    fitting: NDArray[np.bool_] = emoji_map.strongest[:, index]
    if taste is not None:
        fitting = fitting | (taste[index] > _TAUGHT * emoji_map.likelihoods[index])
    return fitting


def _varied(probabilities: NDArray[np.float64], families: NDArray[np.int64], leading: Sequence[int]) -> list[int]:
    """Return the indices by probability after the leading ones; for the first places it is reduced by how often the
    family was used.
    """
    left = probabilities.copy()
    first: list[int] = []
    for place in range(min(_VARIED_PLACES, len(left))):
        best = leading[place] if place < len(leading) else int(left.argmax())
        first.append(best)
        left[families == families[best]] *= _SECOND_OF_FAMILY
        left[best] = -1
    taken = set(first)
    return first + [int(index) for index in np.argsort(-probabilities, kind="stable") if index not in taken]
