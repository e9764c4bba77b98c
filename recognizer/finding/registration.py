"""Register a detected face: crop it as FER2013's faces are framed, at the same position and size.

A crop framed differently from the training faces costs more accuracy than any change of network. FER2013's frames
follow the face's box and keep its natural tilt. Registration does the same: the size comes from the box, the eyes and
the mouth, the position from the box, and only a turn beyond a natural tilt is corrected (a photo or a head on its
side).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.emotions import FACE_SIZE
from recognizer.finding.face_geometry import Detection
from recognizer.finding.views import warp

SIDE_WEIGHTS = (0.595, 1.197, 0.034)
"""Weights of the box width, the distance between the eyes, and the distance from their middle to the mouth. The
weighted sum is the side of the frame.
"""
CENTRE_SHIFT = (-0.005, -0.081)
"""Offset of the frame's centre from the box's, in frame sides, along the face's own axes. Offset and weights were
fitted to 1,500 training faces pasted into scenes (`python -m training framing`).
"""
NATURAL_TILT = math.radians(15)
"""Head tilt that is kept. Among 0, 10, 15 and 45 degrees this kept the most accuracy on valid faces."""

FRAME_SIZES = (0.95, 1.1)
"""Frame sizes, relative to the result of `frame_of`, that are averaged over: the size is the least certain estimate."""

_MIDDLE = np.full(2, (FACE_SIZE - 1) / 2)


def register(photo: NDArray[np.uint8], face: Detection, size: float = 1.0) -> NDArray[np.uint8]:
    """Return the grey uint8 crop `(48, 48)`, framed like FER2013, of a face in an RGB photo `(height, width, 3)`.

    size: of the frame, relative to the best fit.
    """
    view = warp(photo, frame_of(face, size), FACE_SIZE, finer=2)
    return cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def framings(photo: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8]:
    """Return the crop of `register` in each of the `FRAME_SIZES`: uint8 `(2, 48, 48)`."""
    return np.stack([register(photo, face, size) for size in FRAME_SIZES])


def frame_of(face: Detection, size: float = 1.0) -> NDArray[np.float64]:
    """Return the similarity transform `(2, 3)` from pixels of the 48x48 frame to pixels of the photo.

    size: of the frame, relative to the best fit.
    """
    right_eye, left_eye, _, mouth = face.keypoints[:4].astype(np.float64)
    across, down = left_eye - right_eye, mouth - (right_eye + left_eye) / 2
    side = float(np.dot(SIDE_WEIGHTS, (face.box.width, np.hypot(*across), np.hypot(*down))))
    roll = math.atan2(across[1] - down[0], across[0] + down[1])
    shift = _turned(roll, side) @ CENTRE_SHIFT
    centre = np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2]) + shift
    linear = _turned(_beyond_natural(roll), size * side / FACE_SIZE)
    return np.column_stack([linear, centre - linear @ _MIDDLE])


def _beyond_natural(roll: float) -> float:
    """Return the part of a roll, in radians, to correct: all quarter turns, and the tilt beyond `NATURAL_TILT`."""
    quarter = round(roll / (math.pi / 2)) * math.pi / 2
    tilt = roll - quarter
    return quarter + tilt - max(-NATURAL_TILT, min(NATURAL_TILT, tilt))


def _turned(angle: float, scale: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    return np.array([[cos, -sin], [sin, cos]])
