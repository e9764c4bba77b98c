"""The gate: decide whether a candidate is better for the bot's users and no worse on faces in general."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from db import Judgement
from recognizer import EMOTIONS
from training.feedback.lessons import Book
from training.feedback.trust import capped, trust

LEAST_FACES, LEAST_PEOPLE = 20, 5
"""Minimum number of held-out faces and of people; fewer are not conclusive."""
MOST_LOSS = 0.005
"""Maximum loss of accuracy on the guard set: half a point."""
MOST_CHANCE = 0.025
"""Maximum probability of accepting noise, over all candidates judged against the same served version."""
RIGHT_FROM = 0.9
"""Minimum confidence that more faces are read correctly, required in addition to a better Brier score."""
LEAST_BELIEF = 0.2
"""Minimum probability of being honest for a person's labels to count. In a test on `valid`, 40 % of a community's
people always said "surprise". Versions that were 15 and 7 points worse then seemed 4 and 18 points better by all
labels, and 15 and 12 points worse by those of trusted people.
"""
_RESAMPLES = 4000
_INTERVAL = (0.025, 0.975)
_TEMPERATURES = np.geomspace(0.1, 30, 41)


@dataclass(frozen=True)
class GuardShares:
    """Accuracy on the guard set, from 0 to 1: of the served version, the candidate, and the shipped one."""

    faces: int
    served: float
    candidate: float
    shipped: float

    @property
    def loss(self) -> float:
        """Return how much less accurate the candidate is than the better of the others; negative if it is more
        accurate.
        """
        return max(self.served, self.shipped) - self.candidate


@dataclass(frozen=True, eq=False)
class Compared:
    """Labelled faces, and what the served version and the candidate say of them: probabilities `(n, 7)` each.

    Neither learned from the person in question: of the faces that the candidate learned from, what counts is said by
    corrections that were fitted without that person (cross-validation).
    """

    book: Book
    served: NDArray[np.floating]
    candidate: NDArray[np.floating]

    @property
    def right(self) -> list[NDArray[np.float64]]:
        """Return the accuracy on each face, `(n,)`, of the served version and of the candidate: the share of the label
        on the likeliest emotion.
        """
        faces = np.arange(len(self.book))
        return [self.book.labels[faces, said.argmax(axis=1)] for said in (self.served, self.candidate)]

    def of_believed(self) -> "Compared":
        """Return it without weight for people who, by the served version, seem to answer without looking."""
        book = self.book
        believed = trust(book.labels, book.people, book.vouched, self.served.astype(np.float64))
        weights = capped(book.weights * (believed >= LEAST_BELIEF), book.people)
        return replace(self, book=replace(book, weights=weights))

    def with_more(self, other: "Compared") -> "Compared":
        """Return both together; their people differ."""
        both = ((self.served, other.served), (self.candidate, other.candidate))
        return Compared(self.book.with_more(other.book), *(np.concatenate(each) for each in both))


def judged(learn: Book, compared: Compared, *, guard: GuardShares, tried: int, seconds: float) -> Judgement:
    """Compare the served version and the candidate.

    tried: the number of candidates judged against this served version before; each raises the required confidence
    (Bonferroni).

    The reported accuracy of a face is the share of its label on the likeliest emotion. The decision uses a finer
    measure: the Brier score of all seven probabilities, each side at its best temperature, so that neither gains by
    being more or less confident (the refinement of DeGroot and Fienberg 1983). For 90 held-out faces of a community
    under a shift, a true gain of 12 points has z = 4.3 by this measure and 2.5 by accuracy. Statistics are over people,
    not faces, because one person's faces are alike: paired bootstraps of 4,000 draws and, because those are
    overconfident with few people, also Student's t. People who seem to answer without looking, according to the served
    version, are left out: the candidate may have learned from people like them.
    """
    compared = compared.of_believed()
    judge, right = compared.book, compared.right
    gain, gains = _mean(judge, right[1] - right[0]), _drawn(judge, right[1] - right[0])
    low, high = np.quantile(gains, _INTERVAL)
    sure = _sureness(judge, _brier(judge, compared.served) - _brier(judge, compared.candidate))
    shares = _both(judge, right, np.ones(len(judge), bool))
    named = judge.labels.argmax(axis=1) if len(judge) else np.empty(0, int)
    by_emotion = {
        emotion: (int((named == place).sum()), *_both(judge, right, named == place))
        for place, emotion in enumerate(EMOTIONS)
    }
    is_enough = len(judge) >= LEAST_FACES and judge.people_count >= LEAST_PEOPLE
    is_better = float((gains > 0).mean()) >= RIGHT_FROM and sure >= 1 - MOST_CHANCE / (1 + tried)
    return Judgement(
        offered=is_enough and is_better and guard.loss <= MOST_LOSS,
        why=_why(judge, gain, guard, is_enough=is_enough, is_better=is_better),
        learned_faces=len(learn),
        learned_people=learn.people_count,
        judged_faces=len(judge),
        judged_people=judge.people_count,
        served=shares[0],
        candidate=shares[1],
        gain=100 * gain,
        low=100 * float(low),
        high=100 * float(high),
        sure=sure,
        guard_faces=guard.faces,
        guard_served=guard.served,
        guard_candidate=guard.candidate,
        guard_shipped=guard.shipped,
        by_emotion=by_emotion,
        seconds=round(seconds, 1),
    )


def _why(judge: Book, gain: float, guard: GuardShares, *, is_enough: bool, is_better: bool) -> str:
    if not is_enough:
        return (
            f"There are only {len(judge)} held-out faces of {judge.people_count} people to judge by; {LEAST_FACES} of "
            f"{LEAST_PEOPLE} are needed. Faces of more people would tell."
        )
    if guard.loss > MOST_LOSS:
        return f"It forgets: on faces in general it reads {100 * guard.loss:.1f} points less right."
    if is_better:
        return f"It reads your people {100 * gain:.1f} points better, and faces in general as well as before."
    if gain > 0:
        return (
            f"It seems {100 * gain:.1f} points better for your people, but that may be chance. More labels would tell."
        )
    return "It reads your people no better than the version that is served."


def _both(judge: Book, right: Sequence[NDArray[np.float64]], rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the accuracy of the served version and of the candidate on these rows."""
    served, candidate = (_weighed(judge, each, rows) for each in right)
    return served, candidate


def _weighed(judge: Book, right: NDArray[np.float64], rows: NDArray[np.bool_]) -> float:
    weights = judge.weights[rows]
    return float(weights @ right[rows] / weights.sum()) if weights.any() else 0.0


def _mean(judge: Book, ahead: NDArray[np.float64]) -> float:
    return _weighed(judge, ahead, np.ones(len(judge), bool))


def _of_people(judge: Book, ahead: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weighted sum of `ahead` and the weight of each person with any weight."""
    _, people = np.unique(judge.people, return_inverse=True)
    each = [np.bincount(people, rows).astype(np.float64) for rows in (judge.weights * ahead, judge.weights)]
    sums, totals = each
    return sums[totals > 0], totals[totals > 0]


def _drawn(judge: Book, ahead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of `ahead` in bootstrap samples of the people, `(4000,)`."""
    if not judge.weights.any():
        return np.zeros(_RESAMPLES)
    sums, totals = _of_people(judge, ahead)
    drawn = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _RESAMPLES)
    means: NDArray[np.float64] = drawn @ sums / (drawn @ totals)
    return means


def _sureness(judge: Book, ahead: NDArray[np.float64]) -> float:
    """Return the confidence that the mean of `ahead` is above 0: the lower of bootstrap and Student's t."""
    if not judge.weights.any():
        return 0.0
    sums, totals = _of_people(judge, ahead)
    if len(sums) < 2:
        return 0.0
    mean = sums.sum() / totals.sum()
    spread = np.sqrt(((sums - mean * totals) ** 2).sum() * len(sums) / (len(sums) - 1)) / totals.sum()
    by_t = float(student_t.cdf(mean / spread, len(sums) - 1)) if spread > 0 else float(mean > 0)
    return min(by_t, float((_drawn(judge, ahead) > 0).mean()))


def _brier(judge: Book, said: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the Brier score of each face at the temperature with the best mean: `(n,)`, 0 to 2, lower is better."""
    scores = [((_tempered(said, temperature) - judge.labels) ** 2).sum(axis=1) for temperature in _TEMPERATURES]
    best: NDArray[np.float64] = min(scores, key=lambda each: float(judge.weights @ each))
    return best


def _tempered(said: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    powers = np.clip(said.astype(np.float64), 1e-9, 1) ** (1 / temperature)
    tempered: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return tempered
