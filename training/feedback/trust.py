"""Estimate how trustworthy people's labels are, and limit each person's weight.

A person who labels is modelled as either honest or careless: careless people answer at random, or repeat themselves.
The odds are estimated from all labels of a person (a two-component form of learning from crowds, Raykar et al. 2010).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

NOISE = 0.15
"""Share of an honest person's labels that are assumed to be wrong."""
HONEST_ODDS = 1.0
"""Prior odds that a person is honest. With 4 a clean community gained as much on `valid` as with 1, but liars kept two
thirds of their weight instead of less than half.
"""
MOST_OF_ONE = 0.1
"""Maximum share of all weight for one person, if there are more than ten people."""
_EMOTIONS = 7


def trust(labels: Floats, people: NDArray[np.int64], vouched: NDArray[np.bool_], *said: Floats) -> Floats:
    """Return the probability that the person behind each label is honest, `(n,)`; 1 if the label is vouched for.

    labels: `(n, 7)`, soft. people: `(n,)`. said: predictions of models that were fitted without these people, `(n, 7)`
    each; a person is compared with the best-fitting one. The alternative to honesty is the likelier of two: random
    answers, and answers by habit (how often the person chose this label for their other faces). Labels that others
    vouch for are no evidence about the sender of the face.
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
    """Return for each label the smoothed shares of the emotions among the same person's other labels: `(n, 7)`."""
    totals = np.zeros((count, _EMOTIONS))
    np.add.at(totals, person, labels)
    others = totals[person] - labels + 1
    shares: Floats = others / others.sum(axis=1, keepdims=True)
    return shares


def capped(weights: Floats, people: NDArray[np.int64], share: float = MOST_OF_ONE) -> Floats:
    """Return the weights `(n,)`, those of each person scaled down to at most `share` of the total.

    If there are too few people for that, each has an equal share. People without any weight do not count.
    """
    if not weights.any():
        return weights
    _, person = np.unique(people, return_inverse=True)
    totals = np.bincount(person, weights)
    share = max(share, 1 / np.count_nonzero(totals))
    largest, level = np.sort(totals)[::-1], 0.0
    for count, next_one in enumerate(largest):  # search the level: `count` people are cut to it
        level = share * float(largest[count:].sum()) / (1 - share * count)
        if next_one <= level * (1 + 1e-9):
            break
    scale = np.minimum(1, level / np.maximum(totals, 1e-300))
    scaled: Floats = weights * scale[person]
    return scaled
