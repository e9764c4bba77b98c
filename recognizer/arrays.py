"""Convert decoded arrays of any depth, with or without transparency, to reduced RGB, a band of rows at a time."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.tones import eight_bit

_BAND_VALUES = 1 << 21
_GREY_WITH_ALPHA, _RGB, _RGB_WITH_ALPHA = 2, 3, 4

_Reals = NDArray[np.float32]


def rgb_of_array(values: NDArray[np.generic], factor: int) -> NDArray[np.uint8]:
    """Return RGB uint8 `(height, width, 3)`, averaged over squares of `factor` pixels.

    values: grey `(height, width)`, or with 1 to 4 channels: grey, grey and alpha, RGB, RGBA; whole or real numbers.
    Transparent parts become white, unless all is transparent.
    """
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[2] in {_GREY_WITH_ALPHA, _RGB_WITH_ALPHA} and values[..., -1].any():
        colours = _over_white(_reduced(values, factor, _opacity_of_full(values.dtype)))
    else:
        colours = _reduced(values[..., : _RGB if values.shape[2] >= _RGB else 1], factor, 0.0)
    pixels = eight_bit(colours, values.dtype)
    return pixels if pixels.shape[2] == _RGB else np.repeat(pixels, _RGB, axis=2)


def _opacity_of_full(dtype: np.dtype[np.generic]) -> float:
    return 1.0 if dtype.kind == "f" else float(256**dtype.itemsize - 1)


def _reduced(values: NDArray[np.generic], factor: int, opaque: float) -> _Reals:
    """Return averages; if `opaque` is not 0, the last channel is an alpha up to it, and the others get multiplied."""
    averages = []
    for band in _bands(values, factor):
        if opaque:
            band[..., -1] /= opaque
            band[..., :-1] *= band[..., -1:]
        size = (band.shape[1] // factor, band.shape[0] // factor)
        averages.append(cv2.resize(band, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1))
    return np.concatenate(averages).astype(np.float32, copy=False)


def _bands(values: NDArray[np.generic], factor: int) -> Iterator[_Reals]:
    height, width = (side - side % factor for side in values.shape[:2])
    rows = max(1, _BAND_VALUES // (width * values.shape[2] * factor)) * factor
    for top in range(0, height, rows):
        yield values[top : min(top + rows, height), :width].astype(np.float32)


def _over_white(premultiplied: _Reals) -> _Reals:
    """Return colours over the lightest one."""
    colours, opacity = premultiplied[..., :-1], premultiplied[..., -1:]
    return colours + (1 - opacity) * max(float(colours.max()), 1.0)
