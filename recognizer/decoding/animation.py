"""Frames of animated WebP and PNG files, which FFmpeg does not read or reads without what lies below."""

import io
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, WebPImagePlugin  # noqa: F401  (imports register formats)

from recognizer.decoding.bands import reduced_rgb
from recognizer.decoding.picture_kinds import Kind, kind_of
from recognizer.decoding.webp import whole_frames
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_ANIMATION_FLAG = 0x02
"""Of the flags in a WebP's VP8X chunk (RFC 9649)."""
_BYTES_A_PIXEL = 16
_MOST_PIXELS = 300_000_000
"""Pixels of all frames together that are decoded."""
_SEARCHED = 1 << 16
_SHORTEST_S, _USUAL_S = 0.01, 0.1
"""A frame that is shown for no longer than the first is shown for the second, as browsers do."""


def is_animation(data: bytes, kind: Kind | None) -> bool:
    """Return whether a file says that it has several frames, in a format that is read here."""
    if kind is Kind.WEBP:
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & _ANIMATION_FLAG)
    if kind is Kind.PNG:
        head = data[:_SEARCHED]
        return 0 < head.find(b"acTL") < (head.find(b"IDAT") if b"IDAT" in head else len(head))
    return False


def animation_frames(data: bytes) -> Iterator[tuple[float, NDArray[np.uint8], float]]:
    """Yield when each frame is shown, in seconds from the start, its RGB pixels, and how many times smaller they are.

    Frames that are cut off are left out. Raise `PhotoError` if there is none.
    """
    begins, decoded = 0.0, 0
    with _opened(data) as image:
        require_size(image.width, image.height, _BYTES_A_PIXEL)
        factor = whole_factor(image.width, image.height)
        for number in range(getattr(image, "n_frames", 1)):
            if number and decoded + image.width * image.height > _MOST_PIXELS:
                return
            if not _is_there(image, number):
                break
            decoded += image.width * image.height
            yield begins, reduced_rgb(image, factor), float(factor)
            shown_s = float(image.info.get("duration", 0)) / 1000
            begins += shown_s if shown_s > _SHORTEST_S else _USUAL_S
    if not decoded:
        raise PhotoError(PhotoProblem.DAMAGED)


def frame_count(data: bytes) -> int:
    """Return how many frames a file says it has, at least 1. Raise what Pillow raises for a damaged header."""
    with _opened(data) as image:
        return max(1, int(getattr(image, "n_frames", 1)))


def _opened(data: bytes) -> Image.Image:
    content = whole_frames(data) if kind_of(data) is Kind.WEBP else data
    return Image.open(io.BytesIO(content), formats=["WEBP", "PNG"])


def _is_there(image: Image.Image, number: int) -> bool:
    with suppress(OSError, EOFError, ValueError, SyntaxError):
        image.seek(number)
        image.load()
        return True
    return False
