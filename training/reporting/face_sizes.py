"""Measure what detection and registration cost: paste faces into photos at several sizes, detect and read them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer import FACE_SIZE
from recognizer.classification import Classifier
from recognizer.finding.detection import FaceDetector
from recognizer.finding.registration import FRAME_SIZES, framings
from training.data import Faces
from training.reporting.intervals import MeasuredShare
from training.scenes import is_found, pasted

SIDES = (420, 192, 120, 80)
"""Widths of the pasted faces, in pixels of a 1280x960 photo."""


@dataclass(frozen=True)
class FaceSize:
    """Results for faces pasted `side` pixels wide: how many were found, and how many of those were read correctly.

    in_photo: as detected, registered and averaged over two frame sizes. as_given: the same faces' original 48x48 crops.
    """

    side: int
    found: MeasuredShare
    in_photo: MeasuredShare
    as_given: MeasuredShare


def by_face_size(
    classifier: Classifier, detector: FaceDetector, faces: Faces, random: np.random.Generator
) -> tuple[FaceSize, ...]:
    """Paste each face once at each size and read it; takes about 50 ms for each on one core."""
    return tuple(_at(side, classifier, detector, faces, random) for side in SIDES)


def _at(
    side: int, classifier: Classifier, detector: FaceDetector, faces: Faces, random: np.random.Generator
) -> FaceSize:
    seen: dict[int, NDArray[np.uint8]] = {}
    for row, face in enumerate(faces.pixels):
        scene, truth = pasted(face, side, random)
        detected = next((each for each in detector.find(scene) if is_found(truth, each.box)), None)
        if detected is not None:
            seen[row] = framings(scene, detected)
    found = faces[np.array(list(seen), dtype=np.intp)]
    registered = (
        np.stack(list(seen.values())) if seen else np.empty((0, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE), np.uint8)
    )
    return FaceSize(
        side,
        MeasuredShare(len(seen), len(faces)),
        MeasuredShare.of(classifier.classify_framings(registered).argmax(axis=1) == found.labels),
        MeasuredShare.of(classifier.classify(found.pixels).argmax(axis=1) == found.labels),
    )
