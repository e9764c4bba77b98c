"""Resample parts of a photo without aliasing: smaller copies, and rotated and scaled square views."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_HALVED = 512
"""Short side, in pixels, up to which a photo is not halved again."""


def halved(photo: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the photo and ever smaller copies, each half as large, while the short side is over `LEAST_HALVED`.

    Halving is fast, so views of large faces are best taken from a small copy.
    """
    levels = [photo]
    while min(levels[-1].shape[:2]) > LEAST_HALVED:
        levels.append(shrunk(levels[-1], 0.5))
    return levels


def level_for(levels: Sequence[NDArray[np.uint8]], scale: float) -> tuple[NDArray[np.uint8], float]:
    """Return the smallest level that has full detail for a view, and the width of its pixels in photo pixels.

    scale: the width of the view's pixels in photo pixels.
    """
    index = max(0, min(len(levels) - 1, math.floor(math.log2(max(scale, 1.0)))))
    return levels[index], 2.0**index


def warp(photo: NDArray[np.uint8], to_photo: NDArray[np.float64], side: int, finer: int = 1) -> NDArray[np.uint8]:
    """Return a square view of `side` pixels; `to_photo` `(2, 3)` maps the centres of its pixels to the photo's.

    Shrinking is anti-aliased: the visible part is first reduced by area averaging to the view's resolution times
    `finer`, then rotated at that resolution, then averaged. Pixels beyond the photo repeat its edge.
    """
    fine = to_photo.copy()
    fine[:, :2] /= finer
    fine[:, 2] += (to_photo[:, :2].sum(axis=1) / finer - to_photo[:, :2].sum(axis=1)) / 2
    length = side * finer
    corners = fine @ np.array([[0, length, 0, length], [0, 0, length, length], [1, 1, 1, 1]], dtype=np.float64)
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 2, photo.shape[1::-1])
    if (high <= low).any():
        return np.zeros((side, side, *photo.shape[2:]), np.uint8)
    part = photo[low[1] : high[1], low[0] : high[0]]
    small = shrunk(part, 1 / max(1.0, scale_of(fine)))
    ratio = np.array(small.shape[1::-1]) / np.array(part.shape[1::-1])
    fine[:, 2] += 0.5 - low
    fine *= ratio[:, None]
    fine[:, 2] -= 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(small, fine, (length, length), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return shrunk(view.astype(np.uint8, copy=False), 1 / finer)


def scale_of(affine: NDArray[np.float64]) -> float:
    """Return the scale factor of a similarity transform `(2, 3)`."""
    return math.hypot(affine[0, 0], affine[1, 0])


def shrunk(photo: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return the photo scaled by `factor`: by area averaging below 1, by bilinear interpolation above."""
    if factor == 1:
        return photo
    size = tuple(max(1, round(side * factor)) for side in photo.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(photo, size, interpolation=method).astype(np.uint8, copy=False)
