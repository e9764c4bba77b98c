"""95 % intervals of figures, from the number of faces behind them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.96
_RESAMPLES = 2000


@dataclass(frozen=True)
class MeasuredShare:
    """`count` of `n` faces, with Wilson's 95 % interval (Wilson 1927), which is also valid near 0 and 1."""

    count: int
    n: int

    @classmethod
    def of(cls, right: NDArray[np.bool_]) -> "MeasuredShare":
        """Return the share of True in `right` `(n,)`."""
        return cls(int(right.sum()), len(right))

    @property
    def value(self) -> float:
        """Return the share, from 0 to 1; 0 if there is no face."""
        return self.count / self.n if self.n else 0.0

    @property
    def low(self) -> float:
        """Return the lower end of the interval, from 0 to 1."""
        return max(0.0, self._centre - self._reach)

    @property
    def high(self) -> float:
        """Return the upper end of the interval, from 0 to 1."""
        return min(1.0, self._centre + self._reach)

    @property
    def _centre(self) -> float:
        return (self.count + _Z**2 / 2) / (self.n + _Z**2)

    @property
    def _reach(self) -> float:
        spread = self.value * (1 - self.value) * self.n + _Z**2 / 4
        return _Z * math.sqrt(spread) / (self.n + _Z**2)


def macro_f1_interval(confusion: tuple[tuple[int, ...], ...], random: np.random.Generator) -> tuple[float, float]:
    """Return the bootstrap interval of the macro F1: 2,000 resamples of the faces in the confusion matrix."""
    counts = np.array(confusion)
    total, size = int(counts.sum()), len(counts)
    drawn = random.multinomial(total, counts.ravel() / total, _RESAMPLES).reshape(-1, size, size)
    right, labelled, read = np.diagonal(drawn, axis1=1, axis2=2), drawn.sum(axis=2), drawn.sum(axis=1)
    f1 = 2 * right / np.maximum(labelled + read, 1)
    low, high = np.quantile(f1.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
