"""Learn emoji preferences from taps: P(emoji | emotion) for everyone, for a chat and for a person.

Each level is the prior of the next. A level's table is the Dirichlet-smoothed share of its taps, (counts + strength *
prior) / (total + strength): few taps change it little, many determine it (the hierarchical prior of MacKay and Peto
1995). A tap is distributed over the emotions by P(emotion | face, emoji), and its weight halves with every half-life.
In the tables of a chat and of everyone, a person's taps are capped, and nobody can shift a table alone.
"""

import math
from collections.abc import Hashable, Sequence
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
_TINY = 1e-300
"""Keeps the odds finite for a face without any emotion."""

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """One tap: the emoji, the face's emotion probabilities `(7,)`, its age in days, and the person who tapped.

    weight: 1 for a button, less for what says less.
    """

    emoji: str
    probabilities: tuple[float, ...]
    age_days: float
    person: Hashable = None
    weight: float = 1.0


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
    """Return the average of a person's own table and the one above, weighted by how well each predicted their taps."""
    taps = _weighed(emoji_map, choices)
    counts = taps.counts(emoji_map)
    before = np.tril(taps.places[:, None] == taps.places, k=-1) @ taps.blame  # of the same emoji, for each tap
    totals = np.cumsum(taps.blame, axis=0) - taps.blame
    level_above = above[:, taps.places].T
    own_level = (before + PERSON_STRENGTH * level_above) / (totals + PERSON_STRENGTH)
    predicted, by_level_above = ((taps.emotions * level).sum(axis=1) for level in (own_level, level_above))
    log_odds = math.log(_PRIOR_ODDS) + float(np.log((predicted + _TINY) / (by_level_above + _TINY)).sum())
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
    taps = _weighed(emoji_map, choices)
    numbers: dict[Hashable, int] = {}
    people = np.array([numbers.setdefault(person, len(numbers)) for person in taps.people], np.intp)
    pairs, pair_of = np.unique(people * len(emoji_map.emoji) + taps.places, return_inverse=True)
    owners, places = np.divmod(pairs, len(emoji_map.emoji))
    of_pair = np.zeros((len(pairs), len(emoji_map.likelihoods)))  # of one person and one emoji
    np.add.at(of_pair, pair_of, taps.blame)
    totals = np.bincount(owners, of_pair.sum(axis=1), len(numbers))
    of_pair *= np.minimum(1.0, MOST_OF_ONE / np.maximum(totals, 1e-9))[owners, None]
    everyone, keenest = np.zeros(emoji_map.likelihoods.T.shape), np.zeros(emoji_map.likelihoods.T.shape)
    np.add.at(everyone, places, of_pair)
    np.maximum.at(keenest, places, of_pair)
    shared: Table = (everyone - keenest).T
    return shared


@dataclass(frozen=True, eq=False)
class _Taps:
    """Taps whose emoji is in the map, `m` of them, oldest or newest first as they came.

    places: the index of each emoji, `(m,)`. emotions: the face's probabilities, `(m, 7)`. blame: how much each tap
    counts for each emotion, `(m, 7)`. people: who tapped.
    """

    places: NDArray[np.intp]
    emotions: Table
    blame: Table
    people: list[Hashable]

    def counts(self, emoji_map: EmojiMap) -> Table:
        """Return the sum of `blame` for each emotion and emoji, `(7, n)`."""
        counts = np.zeros(emoji_map.likelihoods.T.shape)
        np.add.at(counts, self.places, self.blame)
        summed: Table = counts.T
        return summed


def _weighed(emoji_map: EmojiMap, choices: Sequence[Choice]) -> _Taps:
    """Return the choices with their weight for each emotion, without emoji that are no longer in the map."""
    index = {emoji: place for place, emoji in enumerate(emoji_map.emoji)}
    known = [choice for choice in choices if choice.emoji in index]
    places = np.array([index[choice.emoji] for choice in known], np.intp)
    emotions = np.array([choice.probabilities for choice in known], np.float64).reshape(-1, len(emoji_map.likelihoods))
    ages = np.array([max(0.0, choice.age_days) for choice in known])
    weights = np.array([choice.weight for choice in known])
    blame = emotions * emoji_map.likelihoods[:, places].T + 1e-12
    blame *= (weights * 0.5 ** (ages / HALF_LIFE_DAYS) / blame.sum(axis=1))[:, None]
    return _Taps(places, emotions, blame, [choice.person for choice in known])
