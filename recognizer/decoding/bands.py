"""Convert a picture that Pillow has loaded to reduced RGB, a band of rows at a time, whatever its mode.

So no second copy of the whole picture is made, and the colours of palettes are averaged, not their numbers.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer.decoding.tones import eight_bit, over_white, rgb_of_lab

_BAND_PIXELS = 1 << 20
_MOST_FRAMES = 16
_MOST_PIXELS_OF_LATER_FRAMES = 30_000_000
_BARELY_VISIBLE = 8
"""Largest alpha of what nobody sees; lossy formats make it of 0."""

_Sample = TypeVar("_Sample", np.uint8, np.float32)


def reduced_rgb(image: Image.Image, factor: int) -> NDArray[np.uint8]:
    """Return RGB uint8 `(height, width, 3)` of a loaded picture, averaged over squares of `factor` pixels.

    Transparent parts become white, unless all is transparent and there is something below.
    """
    if is_deep(image):
        return _grey(eight_bit(reduced_deep(image, factor), np.asarray(image.crop((0, 0, 1, 1))).dtype))
    if image.mode == "LAB":
        return _joined(image, factor, lambda band: rgb_of_lab(np.asarray(band)))
    if not image.has_transparency_data:
        return _joined(image, factor, lambda band: np.asarray(band.convert("RGB")))
    rgba = _joined(image, factor, _premultiplied)
    if rgba[..., 3].max() > _BARELY_VISIBLE:
        return over_white(rgba)
    below = _joined(image, factor, lambda band: np.asarray(band.convert("RGBA"))[..., :3])
    return below if np.ptp(below.reshape(-1, 3), axis=0).any() else np.full_like(below, 255)


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def reduced_unsigned(image: Image.Image, factor: int) -> NDArray[np.float32]:
    """Return values as `reduced_deep` does, of a picture of 32 bits that Pillow takes to be signed, but is not."""
    return _joined(image, factor, lambda band: np.asarray(band).view(np.uint32).astype(np.float32))


def reduced_deep(image: Image.Image, factor: int) -> NDArray[np.float32]:
    """Return the values of a loaded picture with more than 8 bits, averaged over squares of `factor` pixels."""
    return _joined(image, factor, lambda band: np.asarray(band).astype(np.float32))


def first_visible(image: Image.Image) -> Image.Image:
    """Load and return the first frame that shows something, of the first few; else the last of them."""
    image.load()
    later_frames = min(_MOST_FRAMES - 1, _MOST_PIXELS_OF_LATER_FRAMES // (image.width * image.height))
    for number in range(1, 1 + later_frames):
        if not _is_blank(image):
            break
        try:
            image.seek(number)
        except EOFError:
            break
        image.load()
    return image


def _is_blank(image: Image.Image) -> bool:
    """Return whether nothing of a loaded picture is visible."""
    if not image.has_transparency_data:
        return False
    alphas = (np.asarray(band.convert("RGBA"))[..., 3] for band in _bands(image, 1))
    return not any(alpha.max() > _BARELY_VISIBLE for alpha in alphas)


def _grey(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def _premultiplied(band: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(band.convert("RGBA").convert("RGBa"))


def _joined(image: Image.Image, factor: int, convert: Callable[[Image.Image], NDArray[_Sample]]) -> NDArray[_Sample]:
    bands: Iterator[NDArray[_Sample]] = (_averaged(convert(band), factor) for band in _bands(image, factor))
    first: NDArray[_Sample] = next(bands)
    joined = np.empty((image.height // factor, *first.shape[1:]), first.dtype)
    place = 0
    for band in chain([first], bands):
        joined[place : place + len(band)] = band
        place += len(band)
    return joined


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Yield bands whose sides are multiples of `factor`; what is left over at the right and the bottom is left out."""
    width, height = image.width - image.width % factor, image.height - image.height % factor
    rows = max(1, _BAND_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(top + rows, height)))


def _averaged(values: NDArray[_Sample], factor: int) -> NDArray[_Sample]:
    if factor == 1:
        return values
    size = (values.shape[1] // factor, values.shape[0] // factor)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA).astype(values.dtype, copy=False)
