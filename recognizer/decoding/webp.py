"""Decode WebP from the chunks with pixels alone, so that neither metadata nor what the flags say of it decides."""

import io
import struct
from collections.abc import Iterator

from PIL import Image, WebPImagePlugin  # noqa: F401  (imports register formats)

from recognizer.decoding.bands import first_visible, reduced_rgb
from recognizer.decoding.exif import orientation_in
from recognizer.decoding.picture import Picture
from recognizer.decoding.planes import BYTES_A_LARGE_PIXEL, BYTES_A_PIXEL, decode_planes
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_ALPHA_FLAG = 0x10
_STILL = {b"VP8 ", b"VP8L"}
_ANIMATION = {b"VP8X", b"ANIM", b"ANMF"}
_BYTES_A_PIXEL = 16
"""Memory that Pillow takes for a pixel: two canvases of an animation and two copies of one."""
_PIXELS_FOR_PILLOW = 12_000_000
_MOST_CHUNKS = 10_000
_LOST_BYTES = 1024
"""Number of zeros put after lossy data, which a decoder that lacks the last bytes may read beyond."""

_Chunk = tuple[bytes, bytes]


def decode_webp(data: bytes) -> Picture:
    """Return the picture, or the first frame of an animation that shows something. Raise `PhotoError`."""
    chunks = list(_chunks(data))
    orientation = next((orientation_in(content) for name, content in chunks if name == b"EXIF"), 1)
    is_animated = any(name == b"ANMF" for name, _ in chunks)
    kept = _moving(chunks) if is_animated else _still(chunks)
    width, height = _size_of(*kept[0])
    content = _rebuilt(kept)
    if width * height > _PIXELS_FOR_PILLOW and not is_animated:
        bytes_a_pixel = BYTES_A_PIXEL if kept[0][0] == b"VP8 " else BYTES_A_LARGE_PIXEL
        pixels = decode_planes(content, "webp_pipe", width, height, bytes_a_pixel)
    else:
        require_size(width, height, _BYTES_A_PIXEL)
        with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
            pixels = reduced_rgb(first_visible(image), whole_factor(width, height))
    return Picture(pixels, width, height, orientation)


def whole_frames(data: bytes) -> bytes:
    """Return an animation without its metadata, and without a last frame of which bytes are missing. Raise
    `PhotoError` if none is left.
    """
    return _rebuilt(_moving(list(_chunks(data))))


def _moving(chunks: list[_Chunk]) -> list[_Chunk]:
    kept = [each for each in chunks if each[0] in _ANIMATION]
    if not any(name == b"ANMF" for name, _ in kept):
        raise PhotoError(PhotoProblem.DAMAGED)
    return kept


def _still(chunks: list[_Chunk]) -> list[_Chunk]:
    """Return the chunks of a still picture, under a header of its own where it has an alpha."""
    pixels = next((each for each in chunks if each[0] in _STILL), None)
    if pixels is None:
        raise PhotoError(PhotoProblem.DAMAGED)
    alpha = next((each for each in chunks if each[0] == b"ALPH"), None)
    if alpha is None and pixels[0] == b"VP8 ":
        return [(b"VP8 ", pixels[1] + bytes(_LOST_BYTES))]
    if alpha is None or pixels[0] == b"VP8L":
        return [pixels]
    sides = b"".join((side - 1).to_bytes(3, "little") for side in _size_of(*pixels))
    return [(b"VP8X", bytes([_ALPHA_FLAG, 0, 0, 0]) + sides), alpha, pixels]


def _size_of(name: bytes, content: bytes) -> tuple[int, int]:
    """Return width and height as a chunk states them."""
    if name == b"VP8X" and len(content) >= 10:
        width, height = (1 + int.from_bytes(content[place : place + 3], "little") for place in (4, 7))
        return width, height
    if name == b"VP8L" and len(content) >= 5:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 " and len(content) >= 10:
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise PhotoError(PhotoProblem.DAMAGED)


def _rebuilt(chunks: list[_Chunk]) -> bytes:
    pieces = []
    for name, content in chunks:
        pieces += [name, struct.pack("<I", len(content)), content, b"\0" * (len(content) % 2)]
    body = b"".join(pieces)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield name and content of the chunks that are whole."""
    place = 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        if place + 8 + size > len(data):
            return
        yield data[place : place + 4], data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
