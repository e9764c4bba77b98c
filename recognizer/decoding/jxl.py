"""Decode JPEG XL, which turns itself upright."""

from importlib.util import find_spec

import numpy as np

from recognizer.decoding.arrays import rgb_of_array
from recognizer.decoding.picture import Picture
from recognizer.decoding.working_size import require_size
from recognizer.photo_error import PhotoError, PhotoProblem

_SIGNATURE = b"\xff\x0a"
_CODESTREAM_BOXES = {b"jxlc", b"jxlp"}
_BYTES_A_PLAIN_PIXEL, _BYTES_A_PIXEL, _BYTES_A_DEEP_PIXEL = 8.2, 14.0, 22.0
"""Memory for a pixel of a lossy picture without alpha, of any other, and of one with more than 8 bits."""
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_BITS_OF_SIZE = (9, 13, 18, 30)
_MOST_BOXES = 1000


def decode_jxl(data: bytes) -> Picture:
    """Return the picture, or the first frame of an animation. Raise `PhotoError`."""
    if find_spec("imagecodecs") is None:
        raise PhotoError(PhotoProblem.NEEDS_JXL)
    from imagecodecs import jpegxl_decode  # noqa: PLC0415  (an optional extra)

    require_size(*_header_in(_codestream(data)))
    values = np.asarray(jpegxl_decode(data, index=0, numthreads=1))
    height, width = values.shape[:2]  # upright, which the header's need not be
    return Picture(rgb_of_array(values), width, height)


def _codestream(data: bytes) -> bytes:
    """Return the start of the codestream, which may be the file or in one of its boxes."""
    if data.startswith(_SIGNATURE):
        return data[:16]
    place = 0
    for _ in range(_MOST_BOXES):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        start = place + 8
        if size == 1:
            size, start = int.from_bytes(data[place + 8 : place + 16], "big"), place + 16
        if name in _CODESTREAM_BOXES:
            return data[start + 4 * (name == b"jxlp") :][:16]
        if size < 8:
            break
        place += size
    raise PhotoError(PhotoProblem.DAMAGED)


def _header_in(codestream: bytes) -> tuple[int, int, float]:
    """Return width and height of the picture as it is stored, and the memory that decoding a pixel may take.

    That is ISO/IEC 18181-1's SizeHeader, and the start of its ImageMetadata.
    """
    bits = int.from_bytes(codestream[2:], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    is_small = take(1)

    def side() -> int:
        return 8 * (1 + take(5)) if is_small else 1 + take(_BITS_OF_SIZE[take(2)])

    height = side()
    ratio = take(3)
    across, down = _RATIOS[ratio]
    width = height * across // down if ratio else side()
    if take(1):  # all else is as usual
        return width, height, _BYTES_A_PLAIN_PIXEL
    has_more = take(1)
    if (has_more and take(6) & 0b111000) or take(3):  # more than an orientation; not whole numbers of 8 bits
        return width, height, _BYTES_A_DEEP_PIXEL
    _, extra_channels, is_lossy = take(1), take(2), take(1)
    return width, height, _BYTES_A_PLAIN_PIXEL if is_lossy and not extra_channels else _BYTES_A_PIXEL
