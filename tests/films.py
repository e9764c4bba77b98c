"""Encode short films for tests, and read them back."""

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray


def film(
    pictures: Iterable[NDArray[np.uint8]],
    container: str = "mp4",
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode pictures `(height, width, 3)`, ten a second. Skip the test if there is no such encoder."""
    try:
        av.Codec(codec, "w")
    except ValueError:
        pytest.skip(f"FFmpeg comes without {codec} here")
    buffer, stream = io.BytesIO(), None
    with av.open(buffer, "w", format=container) as file:
        for picture in pictures:
            if stream is None:
                stream = _stream(file, codec, picture.shape, pixels, options)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pixels)))
        if stream is not None:
            file.mux(stream.encode(None))
    return buffer.getvalue()


def frames_in(content: bytes) -> list[NDArray[np.uint8]]:
    """Return all frames of a film or a GIF, RGB `(height, width, 3)`."""
    with av.open(io.BytesIO(content), "r") as file:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in file.decode(video=0)]


def _stream(file: Any, codec: str, shape: tuple[int, ...], pixels: str, options: dict[str, str] | None) -> Any:
    stream = file.add_stream(codec, rate=10)
    stream.height, stream.width, stream.pix_fmt = *shape[:2], pixels
    stream.codec_context.time_base = Fraction(1, 10)
    stream.options = options or {}
    return stream
