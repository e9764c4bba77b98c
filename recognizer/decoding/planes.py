"""Decode large still pictures with FFmpeg, which hands over their planes and shrinks them without a whole copy."""

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

if TYPE_CHECKING:
    from av import VideoFrame

BYTES_A_PIXEL = 2.8
"""Memory for a pixel of three channels of 8 bits."""
BYTES_A_LARGE_PIXEL = 6.6
"""Memory for a pixel with an alpha or with more than 8 bits."""


def decode_planes(data: bytes, container: str, width: int, height: int, bytes_a_pixel: float) -> NDArray[np.uint8]:
    """Return the first picture in a file as RGB uint8, reduced by a whole factor.

    container: FFmpeg's name of the file's format. width, height: as the file states them. Raise `PhotoError`.
    """
    require_size(width, height, bytes_a_pixel)
    import av  # noqa: PLC0415  (takes a tenth of a second to import)

    with av.open(io.BytesIO(data), "r", format=container) as file:
        stream = file.streams.video[0]
        stream.codec_context.thread_count = 1
        frame = next(iter(file.decode(stream)))
    if (frame.width, frame.height) != (width, height):
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)  # one tile of several
    factor = whole_factor(width, height)
    return rgb_of(frame, width // factor, height // factor)


def rgb_of(frame: "VideoFrame", width: int, height: int) -> NDArray[np.uint8]:
    """Return a decoded frame as RGB uint8 `(height, width, 3)`."""
    shrunk = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
    return shrunk.to_ndarray().astype(np.uint8, copy=False)
