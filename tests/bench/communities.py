"""Communities that are hard for the shipped model: FER2013 crops in dim, noisy light, with glasses or a mask drawn on.

None of this was in the shipped model's training faces. Its augmentation draws nothing on a face and adds no noise this
strong.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

_Face = NDArray[np.uint8]
Look = Callable[[_Face, np.random.Generator], _Face]

_EYES = ((14, 18), (34, 18))
_MASK = ((4, 27), (24, 22), (44, 27), (40, 42), (30, 48), (18, 48), (8, 42))


def dim(face: _Face, random: np.random.Generator, light: float, noise: float) -> _Face:
    """Return the crop at this share of its light, with sensor noise of this deviation in grey levels, rounded down."""
    return np.clip(face * light + random.normal(2, noise, face.shape), 0, 255).astype(np.uint8)


def with_glasses(face: _Face, grey: int) -> _Face:
    """Draw large glasses of one grey over both eyes and brows."""
    face = face.copy()
    for eye in _EYES:
        cv2.ellipse(face, eye, (11, 8), 0, 0, 360, grey, -1)
    return face


def with_mask(face: _Face) -> _Face:
    """Draw a light mask over mouth and nose."""
    face = face.copy()
    cv2.fillPoly(face, [np.array(_MASK)], 215)
    return face


COMMUNITIES: dict[str, Look] = {
    "mirrored glasses in the evening": lambda face, random: dim(with_glasses(face, 230), random, 0.2, 4),
    "masks in dim light": lambda face, random: dim(with_mask(face), random, 0.25, 4),
    "sunglasses in the evening": lambda face, random: dim(with_glasses(face, 15), random, 0.15, 4),
    "nothing but dim light": lambda face, random: dim(face, random, 0.15, 4),
}
"""The first is the baseline for the others; all were chosen on `valid`."""


def drawn(faces: NDArray[np.uint8], look: Look, seed: int) -> NDArray[np.uint8]:
    """Return every crop as this community would send it: uint8 `(n, 48, 48)`."""
    random = np.random.default_rng(seed)
    return np.stack([look(face, random) for face in faces])
