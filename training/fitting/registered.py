"""Make training crops as the bot will see them: pasted into a scene, detected and registered.

A network trained on raw FER2013 frames only meets slightly misplaced crops at serving time, resampled twice.
`registered` makes such crops of labelled faces, with the real errors of detector and registration, for a recipe to mix
into its training faces (`data.registered`).
"""

import hashlib
import os
import signal
import zipfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from recognizer import FACE_SIZE
from recognizer.finding.detection import FaceDetector
from recognizer.finding.registration import frame_of, register
from training import TrainingError
from training.data import Faces
from training.scenes import background, is_found, pasted

SIDES = (160, 480)
"""Range of the pasted faces' size in pixels; drawn log-uniformly."""
_A_JOB = 64
_FACES_A_BACKGROUND = 16
_kept: list[NDArray[np.uint8]] = []


class RegisteringError(TrainingError):
    """A process that registers faces was ended; the message says what to do."""


@dataclass(frozen=True)
class Registered:
    """Registered crops of `n` faces.

    pixels: uint8 crops `(n, 48, 48)` in the order of the faces. found: bool `(n,)`; the crop is black where it is
    False. error: float32 `(n, 4)`, the crop frame's deviation: right and down in frame sides, natural logarithm of its
    relative size, roll in radians; NaN where nothing was found.
    """

    pixels: NDArray[np.uint8]
    found: NDArray[np.bool_]
    error: NDArray[np.float32]


def registered(faces: Faces, folder: Path, seed: int) -> Registered:
    """Paste, detect and register every face once. The result is cached in `folder` and read from there the next
    time. Raise `RegisteringError`.
    """
    digest = hashlib.sha256(faces.pixels.tobytes() + bytes(str((seed, SIDES)), "ascii")).hexdigest()[:16]
    file = folder / f"registered-{digest}.npz"
    try:
        kept = np.load(file)
        return Registered(kept["pixels"], kept["found"], kept["error"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not made yet, or truncated
        made = _made(faces, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        np.savez(target, pixels=made.pixels, found=made.found, error=made.error)
    return made


def half_registered(
    pixels: NDArray[np.uint8], rows: NDArray[np.intp], crops: Registered | None, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return these rows of the faces' pixels `(n, 48, 48)`; half of those that were registered, as their crop."""
    chosen = pixels[rows]
    if crops is not None:
        seen = (rows < len(crops.found)) & (random.random(len(rows)) < 0.5)
        seen[seen] = crops.found[rows[seen]]
        chosen[seen] = crops.pixels[rows[seen]]
    return chosen


def _made(faces: Faces, seed: int) -> Registered:
    starts = range(0, len(faces), _A_JOB)
    try:
        with ProcessPoolExecutor(os.cpu_count(), initializer=_begin, initargs=(faces.pixels,)) as pool:
            jobs = pool.map(_job, starts, [seed] * len(starts))
            parts = list(track(jobs, "Registering faces", total=len(starts), disable=len(starts) < 8))
    except BrokenProcessPool as broken:
        raise RegisteringError(
            "A process that registers faces was ended; is there too little memory? Make room and call again."
        ) from broken
    pixels, found, error = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Registered(pixels, found, error)


def _begin(faces: NDArray[np.uint8]) -> None:
    """Keep the faces of which this process registers some, and take SIGTERM as usual: not as an interrupt, by which a
    job fails and its process goes on.

    With the jobs they would be more than a pipe holds: once nobody reads it, whoever writes to it waits for ever.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _kept[:] = [faces]


def _job(start: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float32]]:
    faces, detector = _kept[0][start : start + _A_JOB], FaceDetector.load()
    random = np.random.default_rng((seed, start))
    pixels, found = np.zeros_like(faces), np.zeros(len(faces), bool)
    error = np.full((len(faces), 4), np.nan, np.float32)
    for index, face in enumerate(faces):
        if index % _FACES_A_BACKGROUND == 0:
            behind = background(random)
        scene, truth = pasted(face, round(float(np.exp(random.uniform(*np.log(SIDES))))), random, behind)
        detection = next((each for each in detector.find(scene) if is_found(truth, each.box)), None)
        if detection is not None:
            pixels[index], found[index] = register(scene, detection), True
            frame = frame_of(detection)
            middle = frame @ ((FACE_SIZE - 1) / 2, (FACE_SIZE - 1) / 2, 1) + 0.5
            off = (middle - (truth.x, truth.y)) / truth.width - 0.5
            size = np.log(np.hypot(frame[0, 0], frame[1, 0]) * FACE_SIZE / truth.width)
            error[index] = (*off, size, np.arctan2(frame[1, 0], frame[0, 0]))
    return pixels, found, error
