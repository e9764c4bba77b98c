"""Encode a film without sound: as MP4 for players, or as GIF for whatever shows pictures."""

import io
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GIF_BYTES = 8_000_000
"""Largest GIF; Discord takes 10 MB from bots."""
_GIF_COLOURS = 128
_GIF_SIDES = (360, 240, 160)
"""Longest side of a GIF in pixels: the first whose file is small enough."""

Frames = Sequence[NDArray[np.uint8]]


def can_encode_mp4() -> bool:
    """Return whether this FFmpeg has an encoder for H.264."""
    import av  # noqa: PLC0415  (15 MB of memory, which bots that make no film do not need)

    return "libx264" in av.codecs_available


def mp4(frames: Frames, rate: int) -> bytes:
    """Return RGB frames `(height, width, 3)` as MP4 with H.264, `rate` a second; an odd last row or column is left out.

    Raise FFmpeg's errors.
    """
    import av  # noqa: PLC0415  (as above)

    buffer = io.BytesIO()
    height, width = (side - side % 2 for side in frames[0].shape[:2])
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "24"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        stream.codec_context.thread_count = 1
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), "rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def gif(frames: Frames, rate: int) -> bytes:
    """Return RGB frames as an endless GIF, `rate` a second, as large as `GIF_BYTES` allow."""
    content = b""
    for side in _GIF_SIDES:
        content = _gif(frames, rate, side)
        if len(content) <= GIF_BYTES:
            break
    return content


def _gif(frames: Frames, rate: int, side: int) -> bytes:
    images = [Image.fromarray(pixels) for pixels in frames]
    for image in images:
        image.thumbnail((side, side))
    palettes = [image.quantize(_GIF_COLOURS, Image.Quantize.FASTOCTREE) for image in images]
    buffer = io.BytesIO()
    rest = palettes[1:]
    palettes[0].save(buffer, "GIF", save_all=True, append_images=rest, duration=1000 // rate, loop=0, optimize=False)
    return buffer.getvalue()
