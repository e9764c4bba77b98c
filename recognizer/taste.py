"""What taps teach: P(emoji | emotion) of everyone, of a chat and of a person, each the prior of the next.

A level's table is the Dirichlet-smoothed share of its taps, (counts + strength * prior) / (total + strength): few taps
move it little and many move it all the way (the hierarchical prior of MacKay and Peto 1995). A tap counts towards the
emotions in proportion to P(emotion | face, emoji), and half as much for every half-life that has passed. No person
counts for more than a few taps in the table of a chat or of everyone, and none moves one alone.
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
"""How many taps a level needs to weigh as much as the level above; chosen with `tests/bench/taste.py` on `valid`."""
MOST_OF_ONE = 5.0
"""How many taps one person counts for at most in the tables of a chat and of everyone."""

_PRIOR_ODDS = 0.3
"""Of a person having favourites, before their first tap."""
_MOST_LOG_ODDS = 30.0

Table = NDArray[np.float64]
_Weighed = tuple[int, Table]


@dataclass(frozen=True)
class Choice:
    """One tap: the emoji, the face's emotion probabilities `(7,)`, its age in days, and who tapped."""

    emoji: str
    probabilities: tuple[float, ...]
    age_days: float
    person: Hashable = None


def taste_of_everyone(emoji_map: EmojiMap, choices: Sequence[Choice]) -> Table:
    """P(emoji | emotion) `(7, n)` as everyone's taps have it, rows summing to 1; without taps the map's own."""
    return _smoothed(emoji_map.likelihoods, _shared_counts(emoji_map, choices), EVERYONE_STRENGTH)


def taste(
    emoji_map: EmojiMap, everyone: Table | None = None, chat: Sequence[Choice] = (), own: Sequence[Choice] = ()
) -> Table:
    """P(emoji | emotion) `(7, n)` for one person in one chat, rows summing to 1; without taps that of everyone.

    everyone: see `taste_of_everyone`; None takes the map's own. chat and own are the taps of these levels, those of
    `own` may stand in `chat` too. A person's own table counts as far as it has foretold their taps better than the
    level above would have (the Bayesian average of both), so that somebody without favourites is not given any.
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
    """What people have in common, `(7, n)`: each counts for at most `MOST_OF_ONE` taps, and each emoji's keenest
    supporter not at all, so that it takes two to move a chat."""
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
    """The place of each tap's emoji, and what it counts for each emotion; emoji no longer in the map are left out."""
    places = {emoji: place for place, emoji in enumerate(emoji_map.emoji)}
    for choice in choices:
        if choice.emoji in places:
            place = places[choice.emoji]
            blame = np.asarray(choice.probabilities, dtype=np.float64) * emoji_map.likelihoods[:, place] + 1e-12
            blame *= 0.5 ** (max(0.0, choice.age_days) / HALF_LIFE_DAYS) / blame.sum()
            yield choice, (place, blame)
