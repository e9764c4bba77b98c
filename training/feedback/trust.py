"""How far people are believed, and how much one of them counts.

Whoever gives labels is either honest or does not look at the face: they answer at random, or the same again and again.
The odds come from all labels of a person (a two-component form of learning from crowds, Raykar et al. 2010).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

NOISE = 0.15
"""The share of an honest person's labels that are taken to be wrong."""
HONEST_ODDS = 1.0
"""Of a person answering honestly, before any of their labels is seen. With 4 as with 1 a clean community gained as much
on `valid`; liars kept two thirds of their weight instead of less than half."""
MOST_OF_ONE = 0.1
"""The share of all weight that one person has at most, where there are more than ten people."""
_EMOTIONS = 7


def trust(labels: Floats, people: NDArray[np.int64], vouched: NDArray[np.bool_], *said: Floats) -> Floats:
    """The probability that whoever gave a label is honest, `(n,)`; 1 where it is vouched for.

    labels: `(n, 7)`, soft. people: `(n,)`. said: what models that never saw these people say of the faces, `(n, 7)`
    each; a person is compared with the one that fits them best. Against honesty stands the better of two: answering at
    random, and answering by one's own habit without a look (how often one gave this label to one's other faces).
    Labels that others vouch for are no evidence on whoever sent the face.
    """
    numbers, person = np.unique(people, return_inverse=True)
    free = ~vouched

    def summed(rows: Floats) -> Floats:
        return np.bincount(person, rows * free, minlength=len(numbers)).astype(np.float64)

    honest = [summed((labels * np.log((1 - NOISE) * each + NOISE / _EMOTIONS)).sum(axis=1)) for each in said]
    at_random = summed(np.full(len(labels), np.log(1 / _EMOTIONS)))
    by_habit = summed((labels * np.log(_habits(labels * free[:, None], person, len(numbers)))).sum(axis=1))
    evidence = np.max(honest, axis=0) - np.maximum(at_random, by_habit) + np.log(HONEST_ODDS)
    believed: Floats = np.where(vouched, 1.0, expit(evidence)[person])
    return believed


def _habits(labels: Floats, person: NDArray[np.int64], count: int) -> Floats:
    """For each label the shares of the emotions among the other labels of the same person, smoothed: `(n, 7)`."""
    totals = np.zeros((count, _EMOTIONS))
    np.add.at(totals, person, labels)
    others = totals[person] - labels + 1
    shares: Floats = others / others.sum(axis=1, keepdims=True)
    return shares


def capped(weights: Floats, people: NDArray[np.int64], share: float = MOST_OF_ONE) -> Floats:
    """The weights `(n,)`, those of each person scaled down to at most `share` of all (or an equal share, where there
    are fewer people than that needs). People without any weight do not count as people."""
    if not weights.any():
        return weights
    _, person = np.unique(people, return_inverse=True)
    totals = np.bincount(person, weights)
    share = max(share, 1 / np.count_nonzero(totals))
    largest, level = np.sort(totals)[::-1], 0.0
    for count, next_one in enumerate(largest):  # with the first `count` people at the level, all others are below it
        level = share * float(largest[count:].sum()) / (1 - share * count)
        if next_one <= level * (1 + 1e-9):
            break
    scale = np.minimum(1, level / np.maximum(totals, 1e-300))
    scaled: Floats = weights * scale[person]
    return scaled
