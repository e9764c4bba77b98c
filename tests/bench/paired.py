"""Compare the accuracy of two methods that label the same faces."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    """Difference of two accuracies in points, with its 95 % interval."""

    points: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.points:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Difference:
    """Return the accuracy of `one` minus that of `other`, both `(n,)`, right or wrong on the same faces.

    The interval is the adjusted Wald interval for paired proportions of Bonett and Price 2012
    (https://doi.org/10.3102/1076998611411915), which uses the faces that only one of them got right.
    """
    gained, lost, n = int((one & ~other).sum()), int((other & ~one).sum()), len(one)
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = 1.96 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Difference(100 * (gained - lost) / n, 100 * (up - down - half), 100 * (up - down + half))
