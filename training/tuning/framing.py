"""Derive how FER2013 frames a face: `python -m training framing` prints the constants of its registration.

FER2013 faces have a consistent position in their 48x48 frame. The detector's results on many of them therefore show how
to frame a face at serving time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer import FACE_SIZE
from recognizer.finding.detection import FaceDetector
from training.data import DataError, Faces
from training.scenes import is_found, pasted

SIDES = (240, 420)
"""Sizes of the pasted faces, in pixels."""
_SEED = 3
_TRUST = 50.0
"""Weight of the prior that a side is a multiple of the box's width; needed because the three lengths are correlated."""


@dataclass(frozen=True)
class Framing:
    """The frame's geometry relative to the detector's results.

    keypoints: medians in 48x48 coordinates `(6, 2)`. spread: median distance from them in pixels `(6,)`. found: share
    of faces the detector found. side_weights, centre_shift: see `recognizer.finding.registration`.
    """

    keypoints: NDArray[np.float64]
    spread: NDArray[np.float64]
    found: float
    side_weights: tuple[float, ...]
    centre_shift: tuple[float, ...]


def derive(detector: FaceDetector, faces: Faces) -> Framing:
    """Paste the faces into scenes and compare the detector's results with the frames they were pasted in.

    Raise `DataError` if it finds none.
    """
    random = np.random.default_rng(_SEED)
    keypoints, boxes = [], []
    for index, face in enumerate(faces.pixels):
        scene, truth = pasted(face, SIDES[index % len(SIDES)], random)
        found = next((each for each in detector.find(scene) if is_found(truth, each.box)), None)
        if found is not None:
            corner, scale = np.array([truth.x, truth.y]), FACE_SIZE / truth.width
            keypoints.append((found.keypoints + 0.5 - corner) * scale - 0.5)
            centre = np.array([found.box.x + found.box.width / 2, found.box.y + found.box.height / 2])
            boxes.append([*((centre - corner) * scale), found.box.width * scale])
    if not keypoints:
        raise DataError(f"The detector found no face among {len(faces)}; are these FER2013 faces?")
    medians = np.median(keypoints, axis=0)
    spread = np.median(np.linalg.norm(np.array(keypoints) - medians, axis=2), axis=0)
    shift = (FACE_SIZE / 2 - np.median(boxes, axis=0)[:2]) / FACE_SIZE
    weights = _side_weights(np.array(keypoints), np.array(boxes)[:, 2])
    return Framing(medians, spread, len(keypoints) / len(faces), weights, tuple(shift.round(3).tolist()))


def _side_weights(keypoints: NDArray[np.float64], widths: NDArray[np.float64]) -> tuple[float, ...]:
    """Fit a ridge regression of the frame's side on box width, eye distance and the distance from the eyes to the
    mouth.
    """
    right_eye, left_eye, mouth = keypoints[:, 0], keypoints[:, 1], keypoints[:, 3]
    eyes = np.linalg.norm(left_eye - right_eye, axis=1)
    down = np.linalg.norm(mouth - (right_eye + left_eye) / 2, axis=1)
    lengths = np.stack([widths, eyes, down], axis=1)
    prior = np.array([np.median(FACE_SIZE / widths), 0, 0])
    normal = lengths.T @ lengths + _TRUST * np.eye(3)
    weights = np.linalg.solve(normal, lengths.T @ np.full(len(lengths), float(FACE_SIZE)) + _TRUST * prior)
    return tuple(weights.round(3).tolist())
