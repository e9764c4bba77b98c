"""Bringing a face into FER2013's frame: the same place and size in the crop as the faces trained on.

A crop that is framed otherwise than the training faces costs more accuracy than any change of network. FER2013's frames
follow the face's box and keep its natural tilt, so that is what is done here: the size comes from box, eyes and mouth,
the place from the box, and only what a turned photo or a head on one side adds to a natural tilt is turned back.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.emotions import FACE_SIZE
from recognizer.face_geometry import Detection
from recognizer.views import warp

SIDE_WEIGHTS = (0.595, 1.197, 0.034)
"""A frame's side as a sum of box width, distance of the eyes, and distance from between the eyes to the mouth."""
CENTRE_SHIFT = (-0.005, -0.081)
"""From the box's centre to the frame's, in sides, along the face's own axes. Both were fitted to 1,500 training faces
pasted into scenes (`python -m training framing`)."""
NATURAL_TILT = math.radians(15)
"""How far a head is left tilted; among 0, 10, 15 and 45 degrees this kept the most accuracy on valid faces."""

FRAME_SIZES = (0.95, 1.1)
"""Sizes of the frame, relative to `frame_of`'s, at which a face is read: its size is what is known least."""

_MIDDLE = np.full(2, (FACE_SIZE - 1) / 2)


def register(photo: NDArray[np.uint8], face: Detection, size: float = 1.0) -> NDArray[np.uint8]:
    """The grey uint8 crop `(48, 48)`, framed like FER2013, of a face in an RGB photo `(height, width, 3)`.

    size: of the frame, relative to the one that fits best.
    """
    view = warp(photo, frame_of(face, size), FACE_SIZE, finer=2)
    return cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def framings(photo: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8]:
    """The face as `register` gives it, once in each size of `FRAME_SIZES`: uint8 `(2, 48, 48)`."""
    return np.stack([register(photo, face, size) for size in FRAME_SIZES])


def frame_of(face: Detection, size: float = 1.0) -> NDArray[np.float64]:
    """The similarity transform `(2, 3)` from the pixels of the 48x48 frame to those of the photo; size: see
    `register`."""
    right_eye, left_eye, _, mouth = face.keypoints[:4].astype(np.float64)
    across, down = left_eye - right_eye, mouth - (right_eye + left_eye) / 2
    side = float(np.dot(SIDE_WEIGHTS, (face.box.width, np.hypot(*across), np.hypot(*down))))
    roll = math.atan2(across[1] - down[0], across[0] + down[1])
    shift = _turned(roll, side) @ CENTRE_SHIFT
    centre = np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2]) + shift
    linear = _turned(_beyond_natural(roll), size * side / FACE_SIZE)
    return np.column_stack([linear, centre - linear @ _MIDDLE])


def _beyond_natural(roll: float) -> float:
    """What to turn back of a roll in radians: all of a quarter turn, and of the rest what is no natural tilt."""
    quarter = round(roll / (math.pi / 2)) * math.pi / 2
    tilt = roll - quarter
    return quarter + tilt - max(-NATURAL_TILT, min(NATURAL_TILT, tilt))


def _turned(angle: float, scale: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    return np.array([[cos, -sin], [sin, cos]])
