"""Decode JPEG, at a half, a quarter or an eighth where that is enough.

The segments are read here and the metadata is left out, so that only what pixels are made of reaches a decoder. A file
that ends early is read if all its pixels are there.
"""

import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer.decoding.exif import orientation_in
from recognizer.decoding.picture import Picture
from recognizer.decoding.working_size import require_memory, require_size, working_scale
from recognizer.photo_error import PhotoError, PhotoProblem

_EOI, _SOS, _DRI = 0xD9, 0xDA, 0xDD
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Start-of-frame markers of what libjpeg-turbo decodes with 8 bits: baseline, extended and progressive, with Huffman or
arithmetic coding."""
_PROGRESSIVE = {0xC2, 0xCA}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
"""Those of lossless, hierarchical and JPEG-LS pictures."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_MANY = 1 << 30
_MOST_SEGMENTS = 200_000
_PLAIN_SEGMENTS = 2_000
"""Number of segments of a plain picture: metadata of 20 MB, the most that is read, are in some hundred."""
_SCAN_PIECE = 1 << 16
_COEFFICIENTS = 64
_BYTES_A_PIXEL = 6
_BYTES_A_PIXEL_OF_FOUR = 12
"""Memory for a decoded pixel and the copies that are made of it; with four components Pillow makes them."""
_REDUCED = {
    1: 0,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_NOISE = np.random.Generator(np.random.PCG64(0)).integers(0, 255, 4096, np.uint8).tobytes()
"""Bytes of entropy-coded data without markers, to see where a decoder comes to the end of what it was given."""
_PADDING = b"\0\xff"
"""What a memory card or a download puts in place of what it has lost; no data, though zeros decode as such."""
_MISSING_ROWS = 0.02
_MISSING = 128
"""What libjpeg puts in place of pixels that are missing before an end marker."""
_LAST_BYTES = 16
_BARELY_A_STEP = 2
"""Difference of pixels that no coefficient but the last bits of some make."""


@dataclass(frozen=True)
class _Component:
    across: int
    down: int


@dataclass
class _Layout:
    """What the segments of a JPEG say.

    kept: pieces of the file that pixels are made of. scans: number of scans. is_whole: the end marker is there.
    """

    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: int = 0
    width: int = 0
    height: int = 0
    components: dict[int, _Component] = field(default_factory=dict)
    orientation: int | None = None
    restart_interval: int = 0
    scans: int = 0
    first_scan_components: int = 0
    last_scan_components: int = 0
    restarts_in_last_scan: int = 0
    unsent_bits: dict[tuple[int, int], int] = field(default_factory=dict)
    is_whole: bool = False

    @property
    def is_progressive(self) -> bool:
        return self.frame in _PROGRESSIVE

    @property
    def keeps_coefficients(self) -> bool:
        """Whether libjpeg must hold the whole picture's coefficients, because it comes in several scans."""
        return self.is_progressive or self.first_scan_components < len(self.components) or self.scans > 1

    @property
    def coefficient_bytes(self) -> int:
        across, down = self._most
        blocks = sum(
            math.ceil(self.width * each.across / (8 * across)) * math.ceil(self.height * each.down / (8 * down))
            for each in self.components.values()
        )
        return 2 * _COEFFICIENTS * blocks

    @property
    def mcu_height(self) -> int:
        return 8 * self._most[1]

    @property
    def mcus(self) -> int:
        across, down = self._most
        return math.ceil(self.width / (8 * across)) * math.ceil(self.height / (8 * down))

    @property
    def _most(self) -> tuple[int, int]:
        shapes = self.components.values()
        return max(each.across for each in shapes), max(each.down for each in shapes)


def decode_jpeg(data: bytes, wanted_scale: Callable[[int, int], float] = working_scale) -> Picture:
    """Return the picture, reduced if `wanted_scale` of its width and height allows. Raise `PhotoError`.

    One of several scans is reduced to no less than `working_scale` asks for: decoding it a second time would cost
    nearly as much again.
    """
    layout = _layout_of(data)
    factor = _factor(layout, working_scale if layout.keeps_coefficients else wanted_scale)
    decoded = layout.width * layout.height / factor**2
    bytes_a_pixel = _BYTES_A_PIXEL_OF_FOUR if len(layout.components) == 4 else _BYTES_A_PIXEL
    require_size(layout.width, layout.height, 0)
    require_memory(decoded * bytes_a_pixel + (layout.coefficient_bytes if layout.keeps_coefficients else 0))
    content = b"".join(layout.kept)
    decode = _decoder(layout, factor)
    pixels = decode(content + _end()) if layout.is_whole else None
    if pixels is None or (not layout.is_progressive and _has_grey_end(pixels)):
        pixels = _without_end(layout, content, decode)
    return Picture(pixels, layout.width, layout.height, layout.orientation or 1)


def is_plain(data: bytes) -> bool:
    """Return whether a JPEG is decoded row by row in one scan, in time and memory that its size bounds. Raise
    `PhotoError`.

    A second scan is one too many, and so are thousands of segments: going through them takes time.
    """
    layout = _layout_of(data, scans=2, segments=_PLAIN_SEGMENTS)
    return not layout.keeps_coefficients and layout.frame in {0xC0, 0xC1}


def _factor(layout: _Layout, wanted_scale: Callable[[int, int], float]) -> int:
    scale = wanted_scale(layout.width, layout.height)
    return next(factor for factor in (8, 4, 2, 1) if factor * scale <= 1 or factor == 1)


def _decoder(layout: _Layout, factor: int) -> Callable[[bytes], NDArray[np.uint8]]:
    if len(layout.components) in {1, 3}:
        return lambda content: _decode_with_opencv(content, factor)
    return lambda content: _decode_with_pillow(content, factor)


def _decode_with_opencv(content: bytes, factor: int) -> NDArray[np.uint8]:
    """Decode grey and colour with OpenCV, which makes fewer copies than Pillow."""
    flags = _REDUCED[factor] & ~cv2.IMREAD_COLOR | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if pixels is None:
        raise PhotoError(PhotoProblem.DAMAGED)
    return pixels.astype(np.uint8, copy=False)


def _decode_with_pillow(content: bytes, factor: int) -> NDArray[np.uint8]:
    """Decode CMYK and YCCK with Pillow, which knows that Adobe inverts them."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        image.draft(None, (image.width // factor, image.height // factor))
        return np.asarray(image.convert("RGB"))


def _has_grey_end(pixels: NDArray[np.uint8]) -> bool:
    """Check whether the last pixels are what libjpeg puts in place of those that are missing."""
    return bool((pixels[-1, -2:] == _MISSING).all())


def _without_end(layout: _Layout, content: bytes, decode: Callable[[bytes], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Decode a file whose end is not there, or raise `PhotoError` if pixels are missing.

    A few rows of them at the bottom do not matter. Zeros at the end are what was put in place of lost data, unless they
    are a flat bottom, which may be data of nothing but zeros, and the last of them are needed.
    """
    if not layout.scans or any(layout.unsent_bits.values()) or _misses_restarts(layout):
        raise PhotoError(PhotoProblem.DAMAGED)
    data = content.rstrip(_PADDING)
    pixels, missing = _decoded(layout, data, decode)
    row_of_blocks = layout.mcu_height * len(pixels) / layout.height
    if missing <= math.ceil(max(_MISSING_ROWS * len(pixels), row_of_blocks)) + 1:
        return pixels
    if len(data) < len(content) and not layout.is_progressive:
        from_zeros = len(pixels) - missing + math.ceil(row_of_blocks) + 1
        pixels, missing = _decoded(layout, content, decode)
        is_flat = not _has_detail(pixels)[from_zeros:].any()
        if is_flat and missing <= math.ceil(row_of_blocks) + 1 and _is_needed(content, pixels, decode):
            return pixels
    raise PhotoError(PhotoProblem.DAMAGED)


def _decoded(
    layout: _Layout, content: bytes, decode: Callable[[bytes], NDArray[np.uint8]]
) -> tuple[NDArray[np.uint8], int]:
    """Return the pixels, and in how many rows some are missing.

    libjpeg makes up what is missing, from whatever follows. So the file is decoded twice with different bytes after it:
    from the first difference on, pixels are missing. The last scan of a progressive file only adds detail, and nothing
    is missing where there is none.
    """
    pixels, other = decode(content + _end()), decode(content + _NOISE + _end())
    counted = _has_detail(pixels) if layout.is_progressive else np.full(len(pixels), fill_value=True)
    differing = np.flatnonzero(np.any(pixels != other, axis=(1, 2)) & counted)
    return pixels, int(np.count_nonzero(counted[differing[0] :])) if len(differing) else 0


def _has_detail(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row whether its neighbouring pixels differ, but for a few at an edge."""
    steps = np.abs(np.diff(pixels[..., 1].astype(np.int16), axis=1)) > _BARELY_A_STEP
    detailed: NDArray[np.bool_] = np.count_nonzero(steps, axis=1) > _MISSING_ROWS * pixels.shape[1]
    return detailed


def _is_needed(content: bytes, pixels: NDArray[np.uint8], decode: Callable[[bytes], NDArray[np.uint8]]) -> bool:
    """Check whether other pixels would come of other bytes in place of the last ones."""
    return bool(np.any(decode(content[:-_LAST_BYTES] + _NOISE + _end()) != pixels))


def _misses_restarts(layout: _Layout) -> bool:
    """Check whether restart markers are missing in the last scan, if it is one whose number of them is known."""
    if not layout.restart_interval or layout.last_scan_components < len(layout.components):
        return False
    expected = math.ceil(layout.mcus / layout.restart_interval) - 1
    return layout.restarts_in_last_scan < math.floor((1 - _MISSING_ROWS) * expected)


def _end() -> bytes:
    return bytes((0xFF, _EOI))


def _layout_of(data: bytes, scans: int = _MANY, segments: int = _MOST_SEGMENTS) -> _Layout:
    """Return what the segments say, up to the start of the last of so many scans. Raise `PhotoError`, also if there are
    more segments.
    """
    layout = _Layout()
    for marker, start, end in _segments(data, scans, segments):
        if marker == _EOI:
            layout.is_whole = layout.scans > 0
        elif marker in _OTHER_FRAMES:
            raise PhotoError(PhotoProblem.NOT_A_PICTURE)
        elif marker == _APP1:
            if layout.orientation is None and data[start + 4 : start + 10] == b"Exif\0\0":
                layout.orientation = orientation_in(data[start + 4 : end])
        elif marker == _APP14 or not (_APP0 <= marker <= _APP15 or marker == _COM):
            layout.kept.append(data[start:end])
            _note(layout, marker, data[start + 4 : end])
    if not layout.components or not layout.width or not layout.height:
        raise PhotoError(PhotoProblem.DAMAGED)
    return layout


def _note(layout: _Layout, marker: int, body: bytes) -> None:
    if marker in _FRAMES:
        _note_frame(layout, marker, body)
    elif marker == _DRI:
        layout.restart_interval = int.from_bytes(body[:2], "big")
    elif marker == _SOS:
        _note_scan(layout, body)


def _note_frame(layout: _Layout, marker: int, body: bytes) -> None:
    if layout.components or len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise PhotoError(PhotoProblem.DAMAGED)
    if body[0] != 8:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    layout.frame = marker
    layout.height, layout.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    for place in range(6, 6 + 3 * body[5], 3):
        across, down = body[place + 1] >> 4, body[place + 1] & 15
        if not (1 <= across <= 4 and 1 <= down <= 4):
            raise PhotoError(PhotoProblem.DAMAGED)
        layout.components[body[place]] = _Component(across, down)
    if layout.frame in _PROGRESSIVE:
        layout.unsent_bits = {(name, k): 1 for name in layout.components for k in range(_COEFFICIENTS)}


def _note_scan(layout: _Layout, body: bytes) -> None:
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count:
        raise PhotoError(PhotoProblem.DAMAGED)
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    if layout.is_progressive:
        for name in body[1 : 1 + 2 * count : 2]:
            for k in range(first, min(last, _COEFFICIENTS - 1) + 1):
                layout.unsent_bits[name, k] = bits & 15
    layout.scans += 1
    layout.first_scan_components = layout.first_scan_components or count
    layout.last_scan_components = count
    if layout.restart_interval:
        layout.restarts_in_last_scan = sum(1 for _ in _RESTART.finditer(body))


def _segments(data: bytes, scans: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment; that of a scan includes its entropy-coded data, but for the last one
    of so many scans. Raise `PhotoError` after so many segments.
    """
    place, count = 2, 0
    while match := _NEXT_MARKER.search(data, place):
        count += 1
        if count > most:
            raise PhotoError(PhotoProblem.DAMAGED)
        place, marker = match.start(), data[match.end() - 1]
        if marker == _EOI:
            yield marker, place, place + 2
            return
        if marker in _WITHOUT_LENGTH:
            place += 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end > len(data):
            return
        if marker == _SOS:
            scans -= 1
            if not scans:
                yield marker, place, end
                return
            end = _end_of_scan(data, end)
        yield marker, place, end
        place = end


def _end_of_scan(data: bytes, start: int) -> int:
    """Return where the entropy-coded data from `start` on ends: at the next marker that is no restart marker.

    In it, a byte 255 is followed by a 0; it is looked at in pieces, because most of a file is one scan.
    """
    for place in range(start, len(data), _SCAN_PIECE):
        piece = np.frombuffer(data, np.uint8, min(_SCAN_PIECE + 1, len(data) - place), place)
        following = piece[np.flatnonzero(piece[:-1] == 0xFF) + 1]
        is_data = (following == 0) | (following == 0xFF) | ((following >= 0xD0) & (following <= 0xD7))
        if not is_data.all():
            match = _NEXT_MARKER.search(data, place)
            return match.end() - 2 if match else len(data)
    return len(data)
