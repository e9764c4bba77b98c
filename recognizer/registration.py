"""Bringing a face into FER2013's frame: the same place and size of eyes and mouth as in the faces trained on.

A crop that is framed otherwise than the training faces costs more accuracy than any change of network.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.detection import warp
from recognizer.emotions import FACE_SIZE

REFERENCE = np.array([(14.8, 18.4), (32.5, 18.3), (23.8, 36.6)], dtype=np.float64)
"""Where right eye, left eye and mouth fall in a 48x48 FER2013 face: medians over 2,000 training faces, of which the
detector found 96 % (`python -m training framing`)."""
_USED = (0, 1, 3)


def register(photo: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The grey uint8 crop `(48, 48)`, framed like FER2013, of the face with these key points `(6, 2)` in an RGB photo."""
    view = warp(photo, similarity(REFERENCE, keypoints[list(_USED)].astype(np.float64)), FACE_SIZE)
    return cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scale and shift `(2, 3)` that best maps points `(n, 2)` to others, by least squares.

    In the plane the solution of Umeyama (1991, https://doi.org/10.1109/34.88573) is one complex division.
    """
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    a, b = (points @ (1, 1j) for points in (source - source_centre, target - target_centre))
    factor = complex(np.vdot(a, b) / np.vdot(a, a).real)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, target_centre - linear @ source_centre])
