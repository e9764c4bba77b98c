"""Decode untrusted bytes into upright RGB pixels, or raise one exception that says what is wrong with them.

What decoding costs is checked on the header, before any pixel is decoded. `recognizer.isolation` runs this in a process
that can be ended.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image  # noqa: F401  (imports register formats)

from recognizer.decoding.bands import first_visible, reduced_rgb
from recognizer.decoding.bmp import decode_bmp
from recognizer.decoding.heif import decode_avif, decode_heic
from recognizer.decoding.jpeg import decode_jpeg, is_plain
from recognizer.decoding.jxl import decode_jxl
from recognizer.decoding.picture import Picture, upright
from recognizer.decoding.picture_kinds import Kind, kind_of
from recognizer.decoding.png import decode_png, pixels_of
from recognizer.decoding.tiff import decode_tiff
from recognizer.decoding.webp import decode_webp
from recognizer.decoding.working_size import (
    GLANCE_SIDE,
    MIN_SIDE,
    WORKING_SIDE,
    require_size,
    whole_factor,
    working_size,
)
from recognizer.photo_error import PhotoError, PhotoProblem

__all__ = [
    "GLANCE_SIDE",
    "MAX_BYTES",
    "MIN_SIDE",
    "WORKING_SIDE",
    "Photo",
    "PhotoError",
    "PhotoProblem",
    "decode",
    "glance",
    "is_cheap",
    "shrunk_photo",
]

MAX_BYTES = 20 * 1024 * 1024
"""Largest picture accepted; also the largest that a Telegram bot can download
(https://core.telegram.org/bots/api#getfile).
"""

_CHEAP_PIXELS = 4_000_000
_CHEAP_BYTES = 4_000_000
_STRICT = frozenset({Kind.WEBP, Kind.GIF, Kind.BMP, Kind.TIFF, Kind.HEIC, Kind.AVIF})
"""Formats whose decoders refuse a file that lacks any byte."""
_LOST_BYTES = 16
"""Number of zeros put after such a file: where so few bytes were lost at its end, nearly all pixels are there."""
_GIF_BYTES_A_PIXEL = 5


@dataclass(frozen=True)
class Photo:
    """An upright photo.

    pixels: RGB uint8 `(height, width, 3)`. scale: the width of one of these pixels in pixels of the original.
    is_reduced: it is a glance at a photo of which `decode` would return more pixels.
    """

    pixels: NDArray[np.uint8]
    scale: float
    is_reduced: bool = False


def decode(data: bytes) -> Photo:
    """Decode a still picture, or the first visible frame of an animation, upright, in the size of `working_scale`.

    Transparent parts become white. Raise `PhotoError` whatever is wrong with the bytes; only `MemoryError` is passed
    on.
    """
    return _photo(_decoded(data, _DECODERS))


def glance(data: bytes) -> Photo:
    """Decode a picture as `decode` does, but a JPEG with as little work as possible.

    A JPEG is decoded at a whole, half, quarter or eighth of its size, the smallest of these whose long side is at least
    `GLANCE_SIDE` pixels. Raise as `decode` does.
    """
    return _photo(_decoded(data, {**_DECODERS, Kind.JPEG: _glance_at_jpeg}))


def shrunk_photo(pixels: NDArray[np.uint8]) -> Photo:
    """Return upright RGB pixels, uint8 `(height, width, 3)`, in the size at which they are read.

    Raise `ValueError` for any other shape or dtype, `PhotoError` if they are too few.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"pixels must be uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    require_size(width, height, 0)
    return _photo(Picture(pixels, width, height))


def is_cheap(data: bytes) -> bool:
    """Return whether a picture is of a simple kind whose size bounds what decoding it costs. Raise nothing."""
    try:
        match kind_of(data):
            case Kind.JPEG:
                return is_plain(data)
            case Kind.PNG:
                return len(data) <= _CHEAP_BYTES and pixels_of(data) <= _CHEAP_PIXELS
    except PhotoError:
        pass
    return False


def _decoded(data: bytes, decoders: Mapping[Kind, Callable[[bytes], Picture]]) -> Picture:
    if not data:
        raise PhotoError(PhotoProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_BYTES)
    kind = kind_of(data)
    if kind is None:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd metadata; the sender cannot act on it
            return decoders[kind](data + bytes(_LOST_BYTES) if kind in _STRICT else data)
    except (PhotoError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS) from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError, ... on broken files
        raise PhotoError(PhotoProblem.DAMAGED) from error


def _glance_at_jpeg(data: bytes) -> Picture:
    return decode_jpeg(data, lambda width, height: GLANCE_SIDE / max(width, height))


def _photo(picture: Picture) -> Photo:
    width, height = working_size(picture.width, picture.height)
    pixels = picture.pixels
    is_reduced = pixels.shape[1] < width
    if pixels.shape[1] > width or pixels.shape[0] > height:
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    shrunk_by = max(picture.width, picture.height) / max(pixels.shape[:2])
    return Photo(upright(pixels, picture.orientation), shrunk_by, is_reduced)


def _decode_gif(data: bytes) -> Picture:
    with Image.open(io.BytesIO(data), formats=["GIF"]) as image:
        width, height = image.size
        require_size(width, height, _GIF_BYTES_A_PIXEL)
        return Picture(reduced_rgb(first_visible(image), whole_factor(width, height)), width, height)


_DECODERS: dict[Kind, Callable[[bytes], Picture]] = {
    Kind.JPEG: decode_jpeg,
    Kind.PNG: decode_png,
    Kind.WEBP: decode_webp,
    Kind.GIF: _decode_gif,
    Kind.BMP: decode_bmp,
    Kind.TIFF: decode_tiff,
    Kind.HEIC: decode_heic,
    Kind.AVIF: decode_avif,
    Kind.JXL: decode_jxl,
}
