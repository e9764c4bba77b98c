"""Convert decoded arrays of any depth, with or without transparency, to RGB in the working size."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.tones import eight_bit
from recognizer.decoding.working_size import whole_factor, working_size

_BAND_VALUES = 1 << 21
_GREY_WITH_ALPHA, _RGB, _RGB_WITH_ALPHA = 2, 3, 4
_RESIZABLE = (np.uint8, np.uint16, np.float32)
"""What OpenCV averages as it is, without a copy."""

_Reals = NDArray[np.float32]


def rgb_of_array(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return RGB uint8 `(height, width, 3)` in the size of `working_size`.

    values: grey `(height, width)`, or with 1 to 4 channels: grey, grey and alpha, RGB, RGBA; whole or real numbers.
    Transparent parts become white, unless all is transparent.
    """
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[2] in {_GREY_WITH_ALPHA, _RGB_WITH_ALPHA} and _matters(values[..., -1]):
        colours = over_lightest(shrunk(_premultiplied(values)))
    else:
        colours = _shrunk_as_it_is(values[..., : _RGB if values.shape[2] >= _RGB else 1])
    pixels = eight_bit(colours, values.dtype)
    return pixels if pixels.shape[2] == _RGB else np.repeat(pixels, _RGB, axis=2)


def shrunk(values: _Reals) -> _Reals:
    """Return values `(height, width, channels)`, averaged to the size of `working_size` if they have more."""
    width, height = working_size(values.shape[1], values.shape[0])
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    return resized.reshape(height, width, -1).astype(np.float32, copy=False)


def over_lightest(premultiplied: _Reals) -> _Reals:
    """Return colours laid over the lightest of them, by the last channel, an alpha from 0 to 1."""
    colours, opacity = premultiplied[..., :-1], premultiplied[..., -1:]
    return colours + (1 - opacity) * max(float(colours.max()), 1.0)


def _matters(alpha: NDArray[np.generic]) -> bool:
    """Check whether an alpha hides something, but not all."""
    return bool(alpha.any()) and bool((alpha != _opaque(alpha)).any())


def _opaque(alpha: NDArray[np.generic]) -> float:
    """Return the value of what hides all: of 12 bits in 16, it is not the largest that 16 can hold."""
    return 255.0 if alpha.dtype == np.uint8 else float(alpha.max())


def _shrunk_as_it_is(values: NDArray[np.generic]) -> _Reals:
    if values.dtype.type in _RESIZABLE:
        width, height = working_size(values.shape[1], values.shape[0])
        resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[arg-type]
        return np.asarray(resized.reshape(height, width, -1), np.float32)
    return shrunk(_joined(values, lambda band: band))


def _premultiplied(values: NDArray[np.generic]) -> _Reals:
    """Return averages over whole pixels, their colours multiplied by their alpha, which is from 0 to 1."""
    opaque = _opaque(values[..., -1])
    return _joined(values, lambda band: _multiplied(band, opaque))


def _multiplied(band: _Reals, opaque: float) -> _Reals:
    band[..., -1] /= opaque
    band[..., :-1] *= band[..., -1:]
    return band


def _joined(values: NDArray[np.generic], prepare: Callable[[_Reals], _Reals]) -> _Reals:
    """Return averages over squares of `whole_factor` pixels, of bands of rows that are prepared one by one."""
    factor = whole_factor(values.shape[1], values.shape[0])
    height, width = (side // factor for side in values.shape[:2])
    joined = np.empty((height, width, values.shape[2]), np.float32)
    rows = max(1, _BAND_VALUES // (width * values.shape[2] * factor**2))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = prepare(values[top * factor : bottom * factor, : width * factor].astype(np.float32))
        averages = cv2.resize(band, (width, bottom - top), interpolation=cv2.INTER_AREA)
        joined[top:bottom] = averages.reshape(bottom - top, width, -1)
    return joined
