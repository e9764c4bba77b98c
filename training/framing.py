"""Derives where eyes and mouth fall in a FER2013 face: `python -m training framing` prints them for
`recognizer.registration.REFERENCE`.

FER2013 faces sit in their 48x48 frame in one consistent way, so the medians over many faces say how a face must be
framed at serving time.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.detection import FaceDetector
from training.data import DataError, Faces

ENLARGED = 8
"""The detector wants more pixels than 48; an enlargement by a whole number maps back exactly."""


@dataclass(frozen=True)
class Framing:
    """Medians of the six key points in 48x48 coordinates `(6, 2)`, their median distance from these medians in pixels
    `(6,)`, and the share of faces the detector found."""

    keypoints: NDArray[np.float64]
    spread: NDArray[np.float64]
    found: float


def derive(detector: FaceDetector, faces: Faces) -> Framing:
    """Run the detector over the faces, enlarged, and take the medians of what it finds.

    Raises `DataError` where it finds none.
    """
    keypoints = []
    for face in faces.pixels:
        large = cv2.resize(face, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        found = detector.find(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False))
        if found:
            keypoints.append((found[0].keypoints.astype(np.float64) + 0.5) / ENLARGED - 0.5)
    if not keypoints:
        raise DataError(f"The detector found no face among {len(faces)}; are these FER2013 faces?")
    medians = np.median(keypoints, axis=0)
    spread = np.median(np.linalg.norm(np.array(keypoints) - medians, axis=2), axis=0)
    return Framing(medians, spread, len(keypoints) / len(faces))
