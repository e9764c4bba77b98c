"""Check whether learning from taps helps: simulated people with and without favourites, on faces unknown to the model.

A person with favourites has one emoji for each emotion, drawn from the map's P(emoji | emotion), and chooses it nine
times in ten for the emotion of the face's label. The tenth time, and always without favourites, the emoji is drawn from
the map's probabilities for that emotion at the face's intensity. A hit is a suggestion they would choose.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from recognizer import EMOTIONS, EmojiMap, Expression, Recognizer
from recognizer.ranking import emoji_probabilities, rank
from recognizer.taste import Choice, taste
from training.data import Faces

TAPS = (0, 5, 10, 20, 50)
PEOPLE = 300
_FAVOURITE_SHARE = 0.9
_TRIALS = 20
_SEED = 20261121


@dataclass(frozen=True)
class HitRates:
    """Shares of faces whose chosen emoji was the first suggestion, and among the first three; an entry for each of
    `TAPS`.
    """

    first: tuple[float, ...]
    first_three: tuple[float, ...]


def taste_table(faces: Faces) -> Table:
    """Tabulate hit rates by number of taps."""
    table = Table("people", "suggestion", *map(str, TAPS), title=f"Hit rate in % after so many taps, {PEOPLE} people")
    for name, has_favourites in (("with favourites", True), ("without", False)):
        rates = hit_rates(faces, has_favourites=has_favourites)
        for place, shares in (("first", rates.first), ("one of three", rates.first_three)):
            table.add_row(name, place, *(f"{100 * share:.1f}" for share in shares))
    return table


def hit_rates(faces: Faces, *, has_favourites: bool, people: int = PEOPLE) -> HitRates:
    """Let `people` tap on random faces, and test the suggestions for other faces after each number of `TAPS`."""
    recognizer = Recognizer.load()
    emoji_map, random = recognizer.emoji_map, np.random.default_rng(_SEED)
    shown = recognizer.classify(faces.pixels)
    hits = [
        _person(emoji_map, shown, faces.labels, has_favourites=has_favourites, random=random) for _ in range(people)
    ]
    first, three = (tuple(statistics.fmean(row) for row in zip(*kind, strict=True)) for kind in zip(*hits, strict=True))
    return HitRates(first, three)


def _person(
    emoji_map: EmojiMap,
    shown: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    has_favourites: bool,
    random: np.random.Generator,
) -> tuple[list[float], list[float]]:
    favourites = [int(random.choice(len(emoji_map.emoji), p=row)) for row in emoji_map.likelihoods]

    def taken(face: int) -> str:
        if has_favourites and random.random() < _FAVOURITE_SHARE:
            return emoji_map.emoji[favourites[int(labels[face])]]
        felt = tuple(np.eye(len(EMOTIONS))[labels[face]])
        chances = emoji_probabilities(emoji_map, Expression(felt, _expression(shown[face]).intensity))
        return emoji_map.emoji[int(random.choice(len(chances), p=chances))]

    choices: list[Choice] = []
    first, three = [], []
    for taps in TAPS:
        while len(choices) < taps:
            face = int(random.integers(len(labels)))
            choices.append(Choice(taken(face), tuple(map(float, shown[face])), age_days=0))
        table = taste(emoji_map, own=choices)
        suggested = [
            (taken(face), rank(emoji_map, _expression(shown[face]), table).emoji)
            for face in random.integers(len(labels), size=_TRIALS)
        ]
        first.append(_share([emoji == ranked[0] for emoji, ranked in suggested]))
        three.append(_share([emoji in ranked[:3] for emoji, ranked in suggested]))
    return first, three


def _expression(row: NDArray[np.float32]) -> Expression:
    return Expression.of(tuple(map(float, row)))


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)
