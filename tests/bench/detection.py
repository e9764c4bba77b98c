"""How many faces are found, how many are made up, and whether registration keeps the label."""

import statistics
import time
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from recognizer import Recognizer
from recognizer.detection import FaceDetector
from recognizer.registration import register
from training.data import Faces
from training.scenes import faceless, is_found, pasted, quarter_turned

_SEED = 20261121


@dataclass(frozen=True)
class _Case:
    side: int
    quarter_turns: int


_CASES = (_Case(420, 0), _Case(192, 0), _Case(120, 0), _Case(420, 1), _Case(420, 2), _Case(420, 3))


def detection_table(faces: Faces, count: int) -> Table:
    """FER2013 faces pasted on 1280x960 backgrounds: found, and labelled like the raw face."""
    recognizer, detector = Recognizer.load(), FaceDetector.load()
    columns = ("pasted at", "turned", "found", "same label as raw crop", "right label", "raw right", "detect ms")
    table = Table(*columns, title=f"{count} FER2013 faces on backgrounds")
    for case in _CASES:
        random = np.random.default_rng(_SEED)
        rows, crops, times = [], [], []
        for row in random.choice(len(faces), count, replace=False):
            scene, truth = quarter_turned(*pasted(faces.pixels[row], case.side, random), case.quarter_turns)
            started = time.perf_counter()
            found = [face for face in detector.find(scene) if is_found(truth, face.box)]
            times.append(1000 * (time.perf_counter() - started))
            if found:
                rows.append(row)
                crops.append(register(scene, found[0]))
        raw = recognizer.classify(faces.pixels[rows]).argmax(axis=1)
        registered = recognizer.classify(np.stack(crops)).argmax(axis=1)
        labels = faces.labels[rows]
        shares = (
            len(rows) / count,
            *(float(x.mean()) for x in (raw == registered, registered == labels, raw == labels)),
        )
        turned = f"{90 * case.quarter_turns}°"
        table.add_row(
            f"{case.side} px", turned, *(f"{share:.1%}" for share in shares), f"{statistics.median(times):.1f}"
        )
    return table


def faceless_table(faces: Faces, count: int) -> Table:
    """Pictures without a face in which one was found all the same."""
    detector = FaceDetector.load()
    times, wrong = [], 0
    for photo in faceless(faces.pixels, count, np.random.default_rng(_SEED)):
        started = time.perf_counter()
        wrong += bool(detector.find(photo))
        times.append(1000 * (time.perf_counter() - started))
    table = Table("pictures", "with a false face", "detect ms", title="Pictures without a face")
    table.add_row(str(count), f"{wrong / count:.1%}", f"{statistics.median(times):.1f}")
    return table
