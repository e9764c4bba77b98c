"""Learn emoji preferences from taps: P(emoji | emotion) for everyone, for a chat and for a person.

Each level is the prior of the next. A level's table is the Dirichlet-smoothed share of its taps, (counts + strength *
prior) / (total + strength): few taps change it little, many determine it (the hierarchical prior of MacKay and Peto
1995). A tap is distributed over the emotions by P(emotion | face, emoji), and its weight halves with every half-life.
In the tables of a chat and of everyone, a person's taps are capped, and nobody can shift a table alone.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.emoji_map import EmojiMap

HALF_LIFE_DAYS = 90.0
EVERYONE_STRENGTH = 100.0
CHAT_STRENGTH = 30.0
PERSON_STRENGTH = 3.0
"""Number of taps at which a level weighs as much as the level above; chosen with `tests/bench/taste.py` on `valid`."""
MOST_OF_ONE = 5.0
"""Maximum number of taps that one person counts for in the tables of a chat and of everyone."""

_PRIOR_ODDS = 0.3
"""Prior odds that a person has favourites, before their first tap."""
_MOST_LOG_ODDS = 30.0

Table = NDArray[np.float64]
_Weighed = tuple[int, Table]


@dataclass(frozen=True)
class Choice:
    """One tap: the emoji, the face's emotion probabilities `(7,)`, its age in days, and the person who tapped."""

    emoji: str
    probabilities: tuple[float, ...]
    age_days: float
    person: Hashable = None


def taste_of_everyone(emoji_map: EmojiMap, choices: Sequence[Choice]) -> Table:
    """Return P(emoji | emotion), `(7, n)`, by the taps of everyone; rows sum to 1. Without taps it is the map's own."""
    return _smoothed(emoji_map.likelihoods, _shared_counts(emoji_map, choices), EVERYONE_STRENGTH)


def taste(
    emoji_map: EmojiMap, everyone: Table | None = None, chat: Sequence[Choice] = (), own: Sequence[Choice] = ()
) -> Table:
    """Return P(emoji | emotion), `(7, n)`, for one person in one chat; rows sum to 1. Without taps it is that of
    everyone.

    everyone: the table of `taste_of_everyone`; None for the map's own. chat, own: the taps in the chat and of the
    person; those of `own` may also be in `chat`. The personal table is weighted by how much better it predicted the
    person's taps than the level above (a Bayesian average of both), so nobody is assigned favourites they do not have.
    """
    above = _smoothed(
        emoji_map.likelihoods if everyone is None else everyone, _shared_counts(emoji_map, chat), CHAT_STRENGTH
    )
    return _own_table(emoji_map, above, sorted(own, key=lambda choice: -choice.age_days))


def _own_table(emoji_map: EmojiMap, above: Table, choices: Sequence[Choice]) -> Table:
    counts, log_odds = np.zeros_like(above), math.log(_PRIOR_ODDS)
    totals = counts.sum(axis=1)
    for choice, (place, blame) in _weighed(emoji_map, choices):
        emotions = np.asarray(choice.probabilities)
        foretold = emotions @ ((counts[:, place] + PERSON_STRENGTH * above[:, place]) / (totals + PERSON_STRENGTH))
        log_odds += math.log(foretold / (emotions @ above[:, place]))
        counts[:, place] += blame
        totals += blame
    own = 1 / (1 + math.exp(-max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, log_odds))))
    table: Table = own * _smoothed(above, counts, PERSON_STRENGTH) + (1 - own) * above
    return table


def _smoothed(above: Table, counts: Table, strength: float) -> Table:
    smoothed: Table = (counts + strength * above) / (counts.sum(axis=1, keepdims=True) + strength)
    return smoothed


def _shared_counts(emoji_map: EmojiMap, choices: Sequence[Choice]) -> Table:
    """Return the taps that people have in common, `(7, n)`.

    Each person counts for at most `MOST_OF_ONE` taps. The strongest supporter of each emoji is not counted at all, so
    it takes two people to shift a chat's table.
    """
    of_person: dict[Hashable, list[_Weighed]] = defaultdict(list)
    for choice, weighed in _weighed(emoji_map, choices):
        of_person[choice.person].append(weighed)
    everyone, keenest = np.zeros_like(emoji_map.likelihoods), np.zeros_like(emoji_map.likelihoods)
    for taps in of_person.values():
        one = np.zeros_like(everyone)
        for place, blame in taps:
            one[:, place] += blame
        one *= min(1.0, MOST_OF_ONE / max(float(one.sum()), 1e-9))
        everyone += one
        keenest = np.maximum(keenest, one)
    return everyone - keenest


def _weighed(emoji_map: EmojiMap, choices: Sequence[Choice]) -> Iterator[tuple[Choice, _Weighed]]:
    """Yield each choice with its emoji's index and its weight for each emotion; skip emoji no longer in the map."""
    places = {emoji: place for place, emoji in enumerate(emoji_map.emoji)}
    for choice in choices:
        if choice.emoji in places:
            place = places[choice.emoji]
            blame = np.asarray(choice.probabilities, dtype=np.float64) * emoji_map.likelihoods[:, place] + 1e-12
            blame *= 0.5 ** (max(0.0, choice.age_days) / HALF_LIFE_DAYS) / blame.sum()
            yield choice, (place, blame)
