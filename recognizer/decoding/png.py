"""Decode PNG from its critical chunks alone, so that no metadata, whatever its size or state, decides about it."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

from recognizer.decoding.arrays import over_lightest, shrunk
from recognizer.decoding.bands import reduced_deep, reduced_rgb
from recognizer.decoding.exif import orientation_in
from recognizer.decoding.picture import Picture
from recognizer.decoding.tones import eight_bit
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_DEEP = 16
_DATA = b"IDAT"
_SIZE_OF_CHUNK = 12
_MOST_CHUNKS = 200_000
_HEADER_OF_DATA, _CHECKSUM_OF_DATA = 2, 4
"""Number of bytes around packed data (RFC 1950)."""
_INFLATED_AT_ONCE = 1 << 16
_MISSING_SHARE = 0.02
"""Share of the rows that may be missing at the bottom."""


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: int
    chunks: tuple[tuple[bytes, memoryview], ...]
    orientation: int
    is_sound: bool

    @property
    def inflated_bytes(self) -> int:
        """Return the number of bytes that the pixels take before they are packed, at least."""
        return self.height * (1 + (self.width * _CHANNELS[self.colour] * self.depth + 7) // 8)

    @property
    def bytes_per_pixel(self) -> float:
        """Memory that Pillow takes for a pixel, and a little for what is averaged."""
        if self.colour in {_GREY, _PALETTE}:
            return 3.0 if self.depth == _DEEP else 2.0
        return 6.0 if self.depth == _DEEP else 4.0


def decode_png(data: bytes) -> Picture:
    """Return the picture; of an animation the one that is shown where animations are not. Raise `PhotoError`."""
    layout = _layout_of(data)
    require_size(layout.width, layout.height, layout.bytes_per_pixel)
    if layout.depth == _DEEP and layout.colour != _GREY:
        pixels = _deep_colours(layout)
    else:
        with _open(_rebuilt(layout, layout.depth, layout.colour)) as image:
            _load(image, layout)
            pixels = reduced_rgb(image, whole_factor(layout.width, layout.height))
    return Picture(pixels, layout.width, layout.height, layout.orientation)


def pixels_of(data: bytes) -> int:
    """Return the number of pixels that the header states. Raise `PhotoError`."""
    width, height, *_ = _header(data)
    return width * height


def _open(data: bytes) -> PngImagePlugin.PngImageFile:
    return PngImagePlugin.PngImageFile(io.BytesIO(data))


def _load(image: PngImagePlugin.PngImageFile, layout: _Layout) -> None:
    """Decode what is there of a picture. Raise `PhotoError` if rows are missing, also where Pillow does not notice."""
    is_doubtful = not layout.is_sound
    try:
        image.load()
    except OSError:
        is_doubtful = True
    if is_doubtful or image.crop((0, image.height - 2, *image.size)).getbbox() is None:
        _require_rows(layout)
    image.tile = []  # so that it is not decoded again


def _require_rows(layout: _Layout) -> None:
    """Raise `PhotoError` if more than a few rows are missing at the bottom, or the data differ from all checksums."""
    inflater, checksum, size = zlib.decompressobj(-zlib.MAX_WBITS), 1, 0
    with suppress(zlib.error):
        for left in _packed_pieces(layout):
            while left and len(inflater.unused_data) < _CHECKSUM_OF_DATA:
                rows = inflater.decompress(left, _INFLATED_AT_ONCE)
                size, checksum = size + len(rows), zlib.adler32(rows, checksum)
                left = inflater.unconsumed_tail  # noqa: PLW2901
    is_sound = layout.is_sound or inflater.unused_data[:_CHECKSUM_OF_DATA] == struct.pack(">I", checksum)
    if not is_sound or size < (1 - _MISSING_SHARE) * layout.inflated_bytes:
        raise PhotoError(PhotoProblem.DAMAGED)


def _packed_pieces(layout: _Layout) -> Iterator[bytes]:
    """Yield the packed data, without its header, in pieces."""
    header = _HEADER_OF_DATA
    for name, content in layout.chunks:
        if name != _DATA:
            continue
        for place in range(min(header, len(content)), len(content), _INFLATED_AT_ONCE):
            yield bytes(content[place : place + _INFLATED_AT_ONCE])
        header = max(0, header - len(content))


def _deep_colours(layout: _Layout) -> NDArray[np.uint8]:
    """Return colours of 16 bits as 8, by the range that is there: the high bytes are decoded first, then the low ones.

    Pillow keeps only one of both.
    """
    if layout.colour == _GREY_ALPHA:
        return _deep_grey_with_alpha(layout)
    values = 256 * _bytes_of(layout, "16B")
    values += _bytes_of(layout, "16L")
    return eight_bit(_over_lightest(values), np.dtype(np.uint16))


def _bytes_of(layout: _Layout, order: str) -> NDArray[np.float32]:
    with _open(_rebuilt(layout, layout.depth, layout.colour)) as image:
        image.tile = [tile._replace(args=f"{image.mode};{order}") for tile in image.tile]
        _load(image, layout)
        return shrunk(reduced_deep(image, whole_factor(layout.width, layout.height)))


def _deep_grey_with_alpha(layout: _Layout) -> NDArray[np.uint8]:
    """Read a pixel's high and low byte of grey and of alpha as if they were four channels: they are stored alike."""
    with _open(_rebuilt(layout, 8, _RGBA)) as image:
        _load(image, layout)
        parts = shrunk(reduced_deep(image, whole_factor(layout.width, layout.height)))
    grey, alpha = (256 * parts[..., place] + parts[..., place + 1] for place in (0, 2))
    return eight_bit(_over_lightest(np.stack([grey, grey, grey, alpha], axis=-1)), np.dtype(np.uint16))


def _over_lightest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay values of 16 bits over the lightest, if they have an alpha that is not 0 everywhere."""
    if values.shape[2] == 3 or not values[..., 3].any():
        return values[..., :3]
    values[..., 3] /= max(float(values[..., 3].max()), 1.0)
    values[..., :3] *= values[..., 3:]
    return over_lightest(values)


def _rebuilt(layout: _Layout, depth: int, colour: int) -> bytes:
    header = struct.pack(">IIBBBBB", layout.width, layout.height, depth, colour, 0, 0, layout.interlaced)
    kept = layout.chunks if colour == layout.colour else [each for each in layout.chunks if each[0] == _DATA]
    chunks = [(b"IHDR", memoryview(header)), *kept, (b"IEND", memoryview(b""))]
    pieces = [_SIGNATURE]
    for name, content in chunks:
        pieces += [struct.pack(">I", len(content)), name, content, _checksum(name, content)]
    return b"".join(pieces)


def _header(data: bytes) -> tuple[int, int, int, int, int]:
    """Return width, height, bits a channel, colour type and way of interlacing."""
    if len(data) < len(_SIGNATURE) + _SIZE_OF_CHUNK + 13 or data[12:16] != b"IHDR":
        raise PhotoError(PhotoProblem.DAMAGED)
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if colour not in _CHANNELS or depth not in {1, 2, 4, 8, _DEEP} or not width or not height:
        raise PhotoError(PhotoProblem.DAMAGED)
    return width, height, depth, colour, interlaced


def _layout_of(data: bytes) -> _Layout:
    width, height, depth, colour, interlaced = _header(data)
    chunks, orientation, is_sound = [], 1, True
    for name, content, checksum in _chunks(data):
        if name == _DATA or _is_valid(name, len(content), colour):
            chunks.append((name, content))
            is_missing = len(checksum) < _CHECKSUM_OF_DATA
            is_sound &= name != _DATA or is_missing or checksum == _checksum(name, content)
        elif name == b"eXIf":
            orientation = orientation_in(bytes(content))
    return _Layout(width, height, depth, colour, interlaced, tuple(chunks), orientation, is_sound)


def _checksum(name: bytes, content: bytes | memoryview) -> bytes:
    return struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


def _is_valid(name: bytes, size: int, colour: int) -> bool:
    """Return whether a chunk is a palette or a transparency, as long as this colour type needs it."""
    if name == b"PLTE":
        return colour == _PALETTE and 0 < size <= 768 and size % 3 == 0
    if name == b"tRNS":
        return 0 < size <= 256 if colour == _PALETTE else size == {_GREY: 2, _RGB: 6}.get(colour)
    return False


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bytes]]:
    """Yield name, content and checksum of the chunks up to the end; the last one may be cut off."""
    view, place = memoryview(data), len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if len(name) < 4 or name == b"IEND":
            return
        end = place + 8 + size
        yield name, view[place + 8 : end], data[end : end + _CHECKSUM_OF_DATA]
        place += size + _SIZE_OF_CHUNK
