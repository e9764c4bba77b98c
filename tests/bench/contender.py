"""The protocol shared by both sides of the contest: one process that answers for one of them.

`python -m tests.bench.SIDE INPUT ANSWERS STARTED`: INPUT is an .npy of uint8 faces `(n, 48, 48)` or a folder of photos,
read in the order of their names. ANSWERS is an .npy that receives the probabilities `(n, 7)` in the order of
`EMOTIONS`; a row is NaN if no face was found. STARTED is `time.monotonic()` of the process that started this one. The
last line printed is `Figures` as JSON. `fer` has its own environment, so this module imports only `memory` from this
project.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.bench.memory import resident_mb

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""`recognizer.EMOTIONS`, which cannot be imported if LiteRT is not installed."""


class Contender(Protocol):
    """One side of the contest; it loads when it is created."""

    version: str

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities `(7,)` of a grey crop `(48, 48)` framed like FER2013."""

    def read(self, photo: Path) -> NDArray[np.float32] | None:
        """Return probabilities `(7,)` of the biggest face found in a photo's file, None without one."""


@dataclass(frozen=True)
class Figures:
    """What one process measured about itself.

    start_s: from the start of the process to its first answer. memory_mb: resident after that answer. median_ms: of one
    answer, without the first one if there are more.
    """

    version: str
    start_s: float
    memory_mb: float
    median_ms: float


def compete(load: Callable[[], Contender], given: str, answers: str, started: str) -> None:
    """Answer for all inputs, one by one on one core. `load` does the imports, so that they are measured."""
    _stay_on_one_core()
    faces, photos = _given(Path(given))
    contender = load()
    rows, times_ms = [], []
    for item in range(len(faces) + len(photos)):
        before = time.perf_counter()
        answer = contender.read(photos[item]) if photos else contender.classify(faces[item])
        times_ms.append(1000 * (time.perf_counter() - before))
        rows.append(np.full(len(EMOTIONS), np.nan, np.float32) if answer is None else answer)
        if item == 0:
            start_s, memory_mb = time.monotonic() - float(started), resident_mb()
    np.save(answers, np.stack(rows))
    figures = Figures(contender.version, start_s, memory_mb, float(np.median(times_ms[1:] or times_ms)))
    print(json.dumps(asdict(figures)))


def _given(path: Path) -> tuple[NDArray[np.uint8], list[Path]]:
    """Return faces or photos; faces stay on disk until they are used."""
    if path.is_dir():
        return np.empty((0, 48, 48), np.uint8), sorted(path.iterdir())
    return np.load(path, mmap_mode="r"), []


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
