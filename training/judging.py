"""The gate: is a candidate better for the people who use the bot, and no worse for everyone else?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db import Judgement
from recognizer import EMOTIONS
from training.lessons import Book

LEAST_FACES, LEAST_PEOPLE = 20, 8
"""Fewer held-out faces or people than this say nothing."""
MOST_LOSS = 0.005
"""How much less of the guard set a candidate may read right: half a point."""
_RESAMPLES = 4000
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class GuardShares:
    """Shares of the guard set read right, 0 to 1: by the served version, the candidate, and the one shipped."""

    faces: int
    served: float
    candidate: float
    shipped: float

    @property
    def loss(self) -> float:
        """How much the candidate falls behind the better of the others; below 0 where it is ahead."""
        return max(self.served, self.shipped) - self.candidate


def judged(  # noqa: PLR0913  # both sides of the scale
    learn: Book,
    judge: Book,
    *,
    served: NDArray[np.float32],
    candidate: NDArray[np.float32],
    guard: GuardShares,
    seconds: float,
) -> Judgement:
    """Compare what the served version and the candidate say of the faces of `judge`, each `(n, 7)`.

    A face counts as read right by the share of its label that is on the likeliest emotion. The interval is a paired
    bootstrap over people, not faces, since faces of one person are alike: 4,000 draws, 95 %.
    """
    right = [judge.labels[np.arange(len(judge)), said.argmax(axis=1)] for said in (served, candidate)]
    gain, low, high = _interval(judge, right[1] - right[0])
    shares = _both(judge, right, np.ones(len(judge), bool))
    named = judge.labels.argmax(axis=1) if len(judge) else np.empty(0, int)
    by_emotion = {
        emotion: (int((named == place).sum()), *_both(judge, right, named == place))
        for place, emotion in enumerate(EMOTIONS)
    }
    is_enough = len(judge) >= LEAST_FACES and judge.people_count >= LEAST_PEOPLE
    offered = is_enough and low > 0 and guard.loss <= MOST_LOSS
    return Judgement(
        offered=offered,
        why=_why(judge, gain, low, guard, is_enough=is_enough),
        learned_faces=len(learn),
        learned_people=learn.people_count,
        judged_faces=len(judge),
        judged_people=judge.people_count,
        served=shares[0],
        candidate=shares[1],
        gain=100 * gain,
        low=100 * low,
        high=100 * high,
        guard_faces=guard.faces,
        guard_served=guard.served,
        guard_candidate=guard.candidate,
        guard_shipped=guard.shipped,
        by_emotion=by_emotion,
        seconds=round(seconds, 1),
    )


def _why(judge: Book, gain: float, low: float, guard: GuardShares, *, is_enough: bool) -> str:
    if not is_enough:
        return (
            f"There are only {len(judge)} held-out faces of {judge.people_count} people to judge by; {LEAST_FACES} of "
            f"{LEAST_PEOPLE} are needed."
        )
    if guard.loss > MOST_LOSS:
        return f"It forgets: on faces in general it reads {100 * guard.loss:.1f} points less right."
    if low > 0:
        return f"It reads your people {100 * gain:.1f} points better, and faces in general as well as before."
    if gain > 0:
        return (
            f"It seems {100 * gain:.1f} points better for your people, but that may be chance. More labels would tell."
        )
    return "It reads your people no better than the version that is served."


def _both(judge: Book, right: Sequence[NDArray[np.float64]], rows: NDArray[np.bool_]) -> tuple[float, float]:
    """What the served version and the candidate read right of these rows."""
    served, candidate = (_weighed(judge, each, rows) for each in right)
    return served, candidate


def _weighed(judge: Book, right: NDArray[np.float64], rows: NDArray[np.bool_]) -> float:
    weights = judge.weights[rows]
    return float(weights @ right[rows] / weights.sum()) if rows.any() else 0.0


def _interval(judge: Book, ahead: NDArray[np.float64]) -> tuple[float, float, float]:
    """The weighed mean of `ahead`, and its interval over people."""
    if not len(judge):
        return 0.0, 0.0, 0.0
    _, people = np.unique(judge.people, return_inverse=True)
    sums, totals = np.bincount(people, judge.weights * ahead), np.bincount(people, judge.weights)
    drawn = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _RESAMPLES)
    low, high = np.quantile(drawn @ sums / (drawn @ totals), _INTERVAL)
    return float(sums.sum() / totals.sum()), float(low), float(high)
