"""Decode the first page of a TIFF, of any depth and layout that Pillow or OpenCV knows."""

import io
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from recognizer.decoding.arrays import rgb_of_array, shrunk
from recognizer.decoding.bands import is_deep, reduced_deep, reduced_rgb, reduced_unsigned
from recognizer.decoding.picture import Picture
from recognizer.decoding.tones import eight_bit
from recognizer.decoding.working_size import require_memory, require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 262, 274
_SAMPLES, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 322, 323
_SUB_FILES, _SAMPLE_FORMAT, _SUB_FILE_KIND = 330, 339, 254
_DNG_VERSION, _CFA = 50706, 32803
_REDUCED_PICTURE = 1
_UNSIGNED = 1
_PILLOW_BYTES = 4.2
_WHITE_IS_ZERO = 0
_CANON_RAW = b"CR\x02"


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    bits: int
    samples: int
    orientation: int
    is_inverted: bool
    is_unsigned: bool
    chunk_bytes: float

    @property
    def has_deep_colours(self) -> bool:
        return self.bits > 8 and self.samples > 1

    @property
    def bytes_per_pixel(self) -> float:
        """Memory for a pixel as it is decoded, and for a copy where one is made."""
        if self.has_deep_colours:
            return 2 * self.samples * self.bits / 8
        if self.bits > 8:
            return max(self.bits, 16) / 8
        return 2 if self.samples == 1 else _PILLOW_BYTES


def decode_tiff(data: bytes) -> Picture:
    """Return the first page. Raise `PhotoError`; raw photos, which are TIFF inside, are no pictures."""
    layout = _layout_of(data)
    require_size(layout.width, layout.height, layout.bytes_per_pixel)
    require_memory(layout.width * layout.height * layout.bytes_per_pixel + layout.chunk_bytes)
    return _with_opencv(data, layout) if layout.has_deep_colours else _with_pillow(data, layout)


def _with_pillow(data: bytes, layout: _Layout) -> Picture:
    try:
        image = Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError:  # a combination of tags that Pillow does not list
        return _with_opencv(data, layout)
    with image:
        image.load()  # which turns it upright
        factor = whole_factor(*image.size)
        pixels = _grey(image, layout, factor) if is_deep(image) else reduced_rgb(image, factor)
        return Picture(pixels, *image.size)


def _grey(image: Image.Image, layout: _Layout, factor: int) -> NDArray[np.uint8]:
    is_wrapped = layout.is_unsigned and image.mode == "I"
    values = (reduced_unsigned if is_wrapped else reduced_deep)(image, factor)
    dtype = np.dtype(np.float32 if image.mode == "F" else np.uint32)
    return _turned_around(np.repeat(eight_bit(shrunk(values[..., None]), dtype), 3, axis=2), layout)


def _turned_around(pixels: NDArray[np.uint8], layout: _Layout) -> NDArray[np.uint8]:
    return 255 - pixels if layout.is_inverted else pixels


def _with_opencv(data: bytes, layout: _Layout) -> Picture:
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)  # which turns nothing
    if values is None:
        raise PhotoError(PhotoProblem.DAMAGED)
    if values.ndim == 3 and values.shape[2] >= 3:
        values[..., [0, 2]] = values[..., [2, 0]]
    pixels = rgb_of_array(values)
    is_grey = layout.samples == 1
    return Picture(
        _turned_around(pixels, layout) if is_grey else pixels, layout.width, layout.height, layout.orientation
    )


def _layout_of(data: bytes) -> _Layout:
    file = io.BytesIO(data)
    is_big = data[2:4] in {b"+\0", b"\0+"}
    tags = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if is_big else 8])
    file.seek(tags.next)
    tags.load(file)

    def first(tag: int, default: int) -> int:
        try:
            value = tags.get(tag, default)
        except Exception:  # Pillow raises whatever a broken tag leads to
            return default
        return int(value[0] if isinstance(value, tuple) else value)

    if _DNG_VERSION in tags or data[8:11] == _CANON_RAW or first(_PHOTOMETRIC, 1) == _CFA:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    if first(_SUB_FILE_KIND, 0) & _REDUCED_PICTURE and _SUB_FILES in tags:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    width, height, bits, samples = first(_WIDTH, 0), first(_HEIGHT, 0), first(_BITS, 1), first(_SAMPLES, 1)
    if not (width > 0 and height > 0 and samples >= 1):
        raise PhotoError(PhotoProblem.DAMAGED)
    if _TILE_WIDTH in tags:
        chunk = _rounded(first(_TILE_WIDTH, width), 16) * _rounded(first(_TILE_HEIGHT, height), 16)
    else:
        chunk = width * min(first(_ROWS_PER_STRIP, height), height)
    return _Layout(
        width,
        height,
        bits,
        samples,
        first(_ORIENTATION, 1),
        first(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO,
        first(_SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED,
        chunk * samples * bits / 8,
    )


def _rounded(side: int, step: int) -> int:
    return math.ceil(side / step) * step
