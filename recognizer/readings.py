"""What is read of a photo: its faces, their expressions and emoji, and how long each step took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recognizer.expression import Expression
from recognizer.finding.face_geometry import Box
from recognizer.verdict import Verdict

Step = Literal["decode", "detect", "classify", "rank"]


@dataclass(frozen=True, eq=False)
class Face:
    """One face in a photo.

    box: in pixels of the upright original photo. score: the detector's confidence, from 0 to 1. emoji: all of the map,
    the best first. crop: the registered face, uint8 `(48, 48)`. framings: the crops that the classifier averaged over,
    in the sizes of `registration.FRAME_SIZES`, uint8 `(2, 48, 48)`. tilt_degrees: clockwise angle of the line through
    the eyes from level.
    """

    box: Box
    score: float
    expression: Expression
    emoji: tuple[str, ...]
    crop: NDArray[np.uint8]
    framings: NDArray[np.uint8]
    tilt_degrees: float = 0.0

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Return the emotion probabilities, in the order of `EMOTIONS`, summing to 1."""
        return self.expression.probabilities

    @property
    def emotion(self) -> str:
        """Return the likeliest emotion."""
        return self.verdict.emotion

    @property
    def verdict(self) -> Verdict:
        """Return what is said of the face."""
        return Verdict.of(self.probabilities)

    @property
    def confidence(self) -> float:
        """Return the probability of the likeliest emotion, from 0 to 1."""
        return max(self.probabilities)


@dataclass(frozen=True)
class Place:
    """Where a face is, before it is read: its box and tilt as in `Face`."""

    box: Box
    tilt_degrees: float


@dataclass(frozen=True)
class Milliseconds:
    """Duration of each step of a reading, in milliseconds; `classify` includes registration and landmarks."""

    decode: float
    detect: float
    classify: float
    rank: float


@dataclass(frozen=True)
class Reading:
    """The result for one photo: its faces, the widest first, the model's version, and how long each step took.

    width, height: of the upright original photo in pixels, as its faces' boxes are. age: of a frame of a live picture,
    the number of frames since the whole of it was searched; else 0.
    """

    faces: tuple[Face, ...]
    model: str
    ms: Milliseconds
    width: int
    height: int
    age: int = 0


class Stopwatch:
    """Adds up how long each step of a reading takes, however often it is taken."""

    def __init__(self) -> None:
        self._ms: dict[Step, float] = {"decode": 0.0, "detect": 0.0, "classify": 0.0, "rank": 0.0}

    @contextmanager
    def step(self, name: Step) -> Iterator[None]:
        """Count the time in the context for a step."""
        started = time.perf_counter()
        yield
        self._ms[name] += 1000 * (time.perf_counter() - started)

    def add(self, ms: Milliseconds) -> None:
        """Count what was measured elsewhere."""
        for name in self._ms:
            self._ms[name] += getattr(ms, name)

    @property
    def ms(self) -> Milliseconds:
        """Return what was counted so far."""
        return Milliseconds(**self._ms)
