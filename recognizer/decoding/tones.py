"""Map pixel values of any depth and sign to 8 bits, and colours of any kind to RGB."""

import cv2
import numpy as np
from numpy.typing import NDArray

_WHITE = 255.0
_DIM = 1 / 16
"""Real numbers that are all below this share of 1 have another range."""


def eight_bit(values: NDArray[np.float32], dtype: np.dtype[np.generic]) -> NDArray[np.uint8]:
    """Return values that were stored as `dtype` mapped to 0 to 255, uint8 of the same shape.

    What was stored in 8 bits stays as it is. Whole numbers are taken to have as many bits as the largest of them needs,
    at least 8: 1000 is one of 10 bits. Values below 0 move the range.
    """
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if dtype == np.uint8:
        return _mapped(finite, _WHITE)
    if dtype.kind == "f":
        return _eight_bit_of_reals(finite)
    above = finite - min(float(finite.min(initial=0.0)), 0.0)
    return _mapped(above, _largest_of_its_bits(float(above.max(initial=0.0)), 8 * dtype.itemsize))


def _eight_bit_of_reals(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return real numbers mapped to 0 to 255: from 0 to 1, or from -1 to 1, if nearly all are.

    A few that are far away, such as lamps or marks for missing ones, do not move the range.
    """
    lowest, low, high, highest = (float(each) for each in np.percentile(values, (0.1, 1, 95, 99.9)))
    if high > 1:
        lowest = min(lowest, 0.0)
        return _mapped(values - lowest, _largest_of_its_bits(highest - lowest, 32))
    if -1.5 < low < -0.1:
        return _mapped(values + 1, 2.0)
    return _mapped(values, highest if 0 < highest < _DIM else 1.0)


def _largest_of_its_bits(value: float, most_bits: int) -> float:
    """Return the largest number of as many bits as a value needs, from 8 to `most_bits`; 1 for a bit."""
    return 1.0 if value <= 1 else 2.0 ** min(max(int(value).bit_length(), 8), most_bits) - 1


def over_white(premultiplied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGB of premultiplied RGBA `(height, width, 4)` laid over white."""
    colours, opacity = premultiplied[..., :3], premultiplied[..., 3:]
    through: NDArray[np.uint8] = cv2.merge([255 - opacity] * 3).astype(np.uint8, copy=False)
    return cv2.add(colours, through).astype(np.uint8, copy=False)


def rgb_of_lab(lab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGB of CIELAB as TIFF stores it: L from 0 to 255, a and b signed; uint8 `(height, width, 3)`."""
    shifted: NDArray[np.uint8] = lab ^ np.array([0, 128, 128], np.uint8)
    return cv2.cvtColor(shifted, cv2.COLOR_LAB2RGB).astype(np.uint8, copy=False)


def _mapped(values: NDArray[np.float32], top: float) -> NDArray[np.uint8]:
    mapped: NDArray[np.uint8] = np.clip(values * (_WHITE / top) + 0.5, 0, _WHITE).astype(np.uint8)
    return mapped
