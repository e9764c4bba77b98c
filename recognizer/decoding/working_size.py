"""The sizes at which photos are searched for faces, and the memory that decoding one may take."""

import math

from recognizer.photo_error import PhotoError, PhotoProblem

WORKING_SIDE = 1280
"""Longest side, in pixels, of a photo that is searched for faces, if its sides differ by no more than 2 to 1. Larger
photos are shrunk while they are decoded.
"""
GLANCE_SIDE = 320
"""Shortest length, in pixels, of a glance's long side."""
MIN_SIDE = 24
"""Shortest side, in pixels, at which a face may still be visible."""
MAX_SIDE = 65_535
"""Longest side, in pixels, of what is decoded; as long as that of a JPEG may be."""
MAX_DECODING_BYTES = 200_000_000
"""Most memory that decoding a picture may take by its header, next to the file itself."""

_PANORAMA_SHORT_SIDE = WORKING_SIDE // 2
_PANORAMA_PIXELS = 3_072_000
_LONGEST_SIDE = 8192


def working_scale(width: int, height: int) -> float:
    """Return the factor, at most 1, by which a picture of this size is shrunk to be searched.

    Up to 2:1 the long side becomes `WORKING_SIDE`. A longer picture keeps a short side of 640 pixels, until it has 3.07
    megapixels (7.5:1); beyond, it keeps that area, and at most 8192 pixels of length.
    """
    long, short = max(width, height), min(width, height)
    if long <= 2 * short:
        return min(1.0, WORKING_SIDE / long)
    by_area = math.sqrt(_PANORAMA_PIXELS / (long * short))
    return min(1.0, _PANORAMA_SHORT_SIDE / short, by_area, _LONGEST_SIDE / long)


def working_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of a picture of this size after `working_scale`."""
    scale = working_scale(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def whole_factor(width: int, height: int) -> int:
    """Return the largest whole number by which a picture can be reduced without being too small for `working_scale`."""
    return max(1, min(math.floor(1 / working_scale(width, height)), width, height))


def require_size(width: int, height: int, bytes_per_pixel: float) -> None:
    """Raise `PhotoError` if a picture is too small to show a face, or decoding it would take too much memory."""
    if min(width, height) < MIN_SIDE:
        raise PhotoError(PhotoProblem.TOO_SMALL)
    if max(width, height) > MAX_SIDE:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)
    require_memory(width * height * bytes_per_pixel)


def require_memory(amount: float) -> None:
    """Raise `PhotoError` if decoding would take more than `MAX_DECODING_BYTES`."""
    if amount > MAX_DECODING_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)
