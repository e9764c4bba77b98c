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
    length = side * finer
    fine = [
        (along / finer, across / finer, shift + (along + across) * (1 / finer - 1) / 2)
        for along, across, shift in to_photo.tolist()
    ]
    (left, right), (top, bottom) = (
        _visible(*row, length, most) for row, most in zip(fine, photo.shape[1::-1], strict=True)
    )
    if right <= left or bottom <= top:
        return np.zeros((side, side, *photo.shape[2:]), np.uint8)
    part = photo[top:bottom, left:right]
    small = shrunk(part, 1 / max(1.0, math.hypot(fine[0][0], fine[1][0])))
    ratios = (small.shape[1] / part.shape[1], small.shape[0] / part.shape[0])
    to_small = np.array(
        [
            (along * ratio, across * ratio, (shift + 0.5 - low) * ratio - 0.5)
            for (along, across, shift), ratio, low in zip(fine, ratios, (left, top), strict=True)
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(small, to_small, (length, length), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return shrunk(view.astype(np.uint8, copy=False), 1 / finer)


def _visible(along: float, across: float, shift: float, length: int, most: int) -> tuple[int, int]:
    """Return where a view of `length` pixels begins and ends on one axis of a photo with `most` pixels, with two pixels
    more on either side.

    along, across, shift: that axis's row of the map from the view to the photo.
    """
    ends = along * length, across * length
    low, high = (shift + which(0.0, ends[0]) + which(0.0, ends[1]) for which in (min, max))
    return max(0, math.floor(low) - 2), min(most, math.ceil(high) + 2)


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
