"""Measure accuracy on slices of the faces: by sharpness, brightness, contrast and disagreement of the taggers."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.reporting.intervals import MeasuredShare

_FIFTHS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Slice:
    """The faces whose measure lies from `low` to `high`, and how many of them were read correctly."""

    low: float
    high: float
    right: MeasuredShare

    @property
    def name(self) -> str:
        """Return the range in a readable form."""
        digits = 0 if self.high >= 10 else 1
        low, high = (f"{end + 0.0:,.{digits}f}" for end in (self.low, self.high))
        return low if low == high else f"{low}–{high}"


def by_fifths(measure: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Slice, ...]:
    """Return five slices of about equal size, ordered by `measure` `(n,)`."""
    return by_edges(measure, right, np.quantile(measure, _FIFTHS).tolist())


def by_edges(measure: NDArray[np.float64], right: NDArray[np.bool_], edges: Sequence[float]) -> tuple[Slice, ...]:
    """Return a slice below the first edge, one from each edge to the next, and one from the last; omit empty ones."""
    numbers = np.searchsorted(np.asarray(edges), measure, side="right")
    slices = [numbers == number for number in np.unique(numbers)]
    return tuple(
        Slice(float(measure[rows].min()), float(measure[rows].max()), MeasuredShare.of(right[rows])) for rows in slices
    )


def sharpness(faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the variance of the Laplacian of faces `(n, 48, 48)`, in squared grey levels: low for blurred faces."""
    return np.array([cv2.Laplacian(face, cv2.CV_64F).var() for face in faces], dtype=np.float64)


def brightness(faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean grey of faces `(n, 48, 48)`, from 0 to 255."""
    mean: NDArray[np.float64] = faces.mean(axis=(1, 2), dtype=np.float64)
    return mean


def contrast(faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the standard deviation of the greys of faces `(n, 48, 48)`."""
    deviation: NDArray[np.float64] = faces.std(axis=(1, 2), dtype=np.float64)
    return deviation


def disagreement(votes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the entropy of votes `(n, tags)` in bits: 0 if all taggers chose one tag, 1 if two tags share them
    evenly.
    """
    shares = votes.astype(np.float64) / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    bits: NDArray[np.float64] = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1) + 0.0
    return bits
