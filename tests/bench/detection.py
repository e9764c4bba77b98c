"""Measure how many faces are found, how many detections are false, and whether registration keeps the label."""

import statistics
import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from recognizer import Recognizer
from recognizer.finding.detection import FaceDetector
from recognizer.finding.registration import framings
from tests.bench.paired import difference
from training.data import Faces
from training.scenes import background, faceless, is_found, pasted, quarter_turned

_SEED = 20261121
_FACES_A_BACKGROUND = 8


@dataclass(frozen=True)
class _Case:
    side: int
    quarter_turns: int


_CASES = (
    _Case(420, 0), _Case(192, 0), _Case(120, 0), _Case(80, 0), _Case(420, 1), _Case(420, 2), _Case(420, 3),
)  # fmt: skip
_TIGHT_SIDE = 224


@dataclass(frozen=True)
class _Outcome:
    """Results for the pasted faces of one case; the arrays are of the faces that were found, `(n,)`."""

    case: _Case
    found: float
    raw: NDArray[np.int64]
    registered: NDArray[np.int64]
    labels: NDArray[np.int64]
    detect_ms: float


def detection_tables(faces: Faces, count: int) -> tuple[Table, Table]:
    """Return tables on FER2013 faces pasted on 1280x960 backgrounds: how many are found, and what registration
    costs.
    """
    recognizer, detector = Recognizer.load(), FaceDetector.load()
    outcomes = [_outcome(case, faces, count, recognizer, detector) for case in _CASES]
    return _found_table(outcomes, count), _registered_table(outcomes)


def _outcome(case: _Case, faces: Faces, count: int, recognizer: Recognizer, detector: FaceDetector) -> _Outcome:
    random = np.random.default_rng(_SEED)
    rows, seen, times = [], [], []
    for number, row in enumerate(random.choice(len(faces), count, replace=False)):
        if number % _FACES_A_BACKGROUND == 0:
            behind = background(random)
        scene, truth = quarter_turned(*pasted(faces.pixels[row], case.side, random, behind), case.quarter_turns)
        started = time.perf_counter()
        found = [face for face in detector.find(scene) if is_found(truth, face.box)]
        times.append(1000 * (time.perf_counter() - started))
        if found:
            rows.append(row)
            seen.append(framings(scene, found[0]))
    raw = recognizer.classify(faces.pixels[rows]).argmax(axis=1)
    registered = recognizer.classifier.classify_framings(np.stack(seen)).argmax(axis=1)
    return _Outcome(case, len(rows) / count, raw, registered, faces.labels[rows], statistics.median(times))


def _found_table(outcomes: list[_Outcome], count: int) -> Table:
    columns = ("pasted at", "turned", "found", "same label as raw crop", "detect ms")
    table = Table(*columns, title=f"{count} FER2013 faces on backgrounds")
    for outcome in outcomes:
        same = float((outcome.raw == outcome.registered).mean())
        table.add_row(*_place(outcome.case), f"{outcome.found:.1%}", f"{same:.1%}", f"{outcome.detect_ms:.1f}")
    return table


def _registered_table(outcomes: list[_Outcome]) -> Table:
    """Check the claim that accuracy after pasting, detection and registration is within a point of the raw crops'."""
    columns = ("pasted at", "turned", "faces found", "right, raw crop", "right, registered", "points (95 % interval)")
    table = Table(*columns, title="Right labels of the faces found: registered less raw crop")
    for outcome in outcomes:
        raw, registered = outcome.raw == outcome.labels, outcome.registered == outcome.labels
        shares = (f"{float(raw.mean()):.1%}", f"{float(registered.mean()):.1%}")
        table.add_row(*_place(outcome.case), str(len(raw)), *shares, str(difference(registered, raw)))
    return table


def _place(case: _Case) -> tuple[str, str]:
    return f"{case.side} px", f"{90 * case.quarter_turns}°"


def covering_table(faces: Faces, count: int) -> Table:
    """Count what covering adds and misses in scenes with one known face, and faces that fill their photo and are not
    found.
    """
    detector, random = FaceDetector.load(), np.random.default_rng(_SEED)
    table = Table("photos", "number", "with a false cover", "face left uncovered", title="Covering everyone")
    for side in (420, 192, 120):
        false, missed = 0, 0
        for row in random.choice(len(faces), count, replace=False):
            scene, truth = pasted(faces.pixels[row], side, random)
            right = [is_found(truth, face.box) for face in detector.find_everyone(scene)]
            false += not all(right)
            missed += not any(right)
        table.add_row(f"a face of {side} px", str(count), f"{false / count:.1%}", f"{missed / count:.1%}")
    size = (_TIGHT_SIDE, _TIGHT_SIDE)
    tight = [
        cv2.cvtColor(cv2.resize(faces.pixels[row], size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB)
        for row in random.choice(len(faces), count, replace=False)
    ]
    missed = sum(not detector.find(photo.astype(np.uint8, copy=False)) for photo in tight)
    table.add_row(f"a face that fills {_TIGHT_SIDE} px", str(count), "", f"{missed / count:.1%}")
    return table


def faceless_table(faces: Faces, count: int) -> Table:
    """Count false detections in pictures without a face."""
    detector = FaceDetector.load()
    times, wrong = [], 0
    for photo in faceless(faces.pixels, count, np.random.default_rng(_SEED)):
        started = time.perf_counter()
        wrong += bool(detector.find(photo))
        times.append(1000 * (time.perf_counter() - started))
    table = Table("pictures", "with a false face", "detect ms", title="Pictures without a face")
    table.add_row(str(count), f"{wrong / count:.1%}", f"{statistics.median(times):.1f}")
    return table
