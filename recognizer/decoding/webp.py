"""Decode WebP from the chunks with pixels alone, so that no metadata decides about it."""

import io
import struct
from collections.abc import Iterator

from PIL import Image, WebPImagePlugin  # noqa: F401  (imports register formats)

from recognizer.decoding.bands import first_visible, reduced_rgb
from recognizer.decoding.exif import orientation_in
from recognizer.decoding.picture import Picture
from recognizer.decoding.planes import decode_planes
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_METADATA = {b"EXIF", b"XMP ", b"ICCP"}
_METADATA_FLAGS = 0x20 | 0x08 | 0x04
_ANIMATION_FLAG = 0x02
_BYTES_A_PIXEL = 16
"""Memory that Pillow takes for a pixel: two canvases of an animation and two copies of one."""
_PIXELS_FOR_PILLOW = 12_000_000
_MOST_CHUNKS = 10_000

_Chunk = tuple[bytes, bytes]


def decode_webp(data: bytes) -> Picture:
    """Return the picture, or the first frame of an animation that shows something. Raise `PhotoError`."""
    chunks = list(_chunks(data))
    width, height, is_animated = _header(chunks)
    orientation = next((orientation_in(content) for name, content in chunks if name == b"EXIF"), 1)
    content = _rebuilt(chunks)
    if width * height > _PIXELS_FOR_PILLOW and not is_animated:
        pixels = decode_planes(content, "webp_pipe", width, height)
    else:
        require_size(width, height, _BYTES_A_PIXEL)
        with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
            pixels = reduced_rgb(first_visible(image), whole_factor(width, height))
    return Picture(pixels, width, height, orientation)


def _header(chunks: list[_Chunk]) -> tuple[int, int, bool]:
    """Return width, height and whether it is an animation."""
    if not chunks:
        raise PhotoError(PhotoProblem.DAMAGED)
    name, content = chunks[0]
    if name == b"VP8X" and len(content) >= 10:
        width, height = (1 + int.from_bytes(content[place : place + 3], "little") for place in (4, 7))
        return width, height, bool(content[0] & _ANIMATION_FLAG)
    if name == b"VP8L" and len(content) >= 5:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), False
    if name == b"VP8 " and len(content) >= 10:
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF, False
    raise PhotoError(PhotoProblem.DAMAGED)


def _rebuilt(chunks: list[_Chunk]) -> bytes:
    pieces = []
    for name, content in chunks:
        if name not in _METADATA:
            flags = bytes([content[0] & ~_METADATA_FLAGS]) if name == b"VP8X" else content[:1]
            pieces += [name, struct.pack("<I", len(content)), flags, content[1:], b"\0" * (len(content) % 2)]
    body = b"".join(pieces)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunks(data: bytes) -> Iterator[_Chunk]:
    place = 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
