"""Decode the first page of a TIFF, of any depth and layout that Pillow or OpenCV knows."""

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from recognizer.decoding.arrays import rgb_of_array, shrunk
from recognizer.decoding.bands import is_deep, reduced_deep, reduced_rgb, reduced_unsigned
from recognizer.decoding.picture import Picture
from recognizer.decoding.tones import eight_bit
from recognizer.decoding.working_size import require_memory, require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 259, 262, 274
_SAMPLES, _ROWS_PER_STRIP, _PLANES, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 284, 322, 323
_SUB_FILES, _SAMPLE_FORMAT, _SUB_FILE_KIND, _COLOURS = 330, 339, 254, 320
_DNG_VERSION, _CFA = 50706, 32803
_REDUCED_PICTURE, _MASK = 1, 4
_UNSIGNED, _SIGNED, _REAL = 1, 2, 3
_SEPARATE = 2
_PILLOW_BYTES = 4.2
_WHITE_IS_ZERO, _CMYK, _LAB = 0, 5, 8
_CANON_RAW = b"CR\x02"
_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000}
"""TIFF's numbers of no compression, CCITT's, LZW, JPEG, deflate, PackBits, LZMA and Zstandard. OpenCV returns black for
others."""
_NOT_FOR_OPENCV = {34925, 50000}
_LARGEST_OF_8_BITS = 255
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
"""The types of values that are read here, and `struct`'s names of them."""
_SHORT = 3
_MOST_PAGES = 16
_MOST_TAGS = 1000

_Tags = dict[int, int]
"""The first value of each tag."""


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    bits: int
    samples: int
    orientation: int
    is_inverted: bool
    sample_format: int
    chunk_bytes: float

    @property
    def has_deep_colours(self) -> bool:
        return self.bits > 8 and self.samples > 1

    @property
    def is_signed_byte(self) -> bool:
        return self.bits == 8 and self.sample_format == _SIGNED

    @property
    def bytes_per_pixel(self) -> float:
        """Memory for a pixel as it is decoded, and for a copy where one is made."""
        if self.has_deep_colours or self.bits > 32:
            return 2 * self.samples * self.bits / 8
        if self.bits > 8:
            return max(self.bits, 16) / 8
        return 2 if self.samples == 1 else _PILLOW_BYTES


def decode_tiff(data: bytes) -> Picture:
    """Return the first page that is no thumbnail. Raise `PhotoError`; raw photos, which are TIFF inside, are none."""
    place, tags = next(((place, tags) for place, tags in _pages(data) if not _is_thumbnail(tags)), (0, {}))
    layout = _layout_of(tags, data)
    require_size(layout.width, layout.height, layout.bytes_per_pixel)
    require_memory(layout.width * layout.height * layout.bytes_per_pixel + layout.chunk_bytes)
    page = _starting_at(data, place)
    is_for_opencv = layout.has_deep_colours or layout.is_signed_byte
    return _with_opencv(page, layout) if is_for_opencv else _with_pillow(page, layout)


def _with_pillow(data: bytes, layout: _Layout) -> Picture:
    try:
        image = Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError:  # a combination of tags that Pillow does not list
        return _with_opencv(data, layout, PhotoProblem.NOT_A_PICTURE)
    with image:
        image.load()  # which turns it upright
        _widen_palette(image)
        factor = whole_factor(*image.size)
        if is_deep(image):
            return Picture(_grey(image, layout, factor), *image.size)
        shown = image.convert("LA") if image.mode == "La" else image  # Pillow converts that to nothing else
        return Picture(reduced_rgb(shown, factor), *image.size)


def _widen_palette(image: Image.Image) -> None:
    """Take a palette of 16 bits that holds only values of 8 for one of 8, as libtiff does."""
    if image.mode != "P" or not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    colours = np.array(image.tag_v2.get(_COLOURS, ()), np.int64)
    if colours.any() and colours.max() <= _LARGEST_OF_8_BITS:
        image.putpalette(colours.reshape(3, -1).T.astype(np.uint8).tobytes())


def _grey(image: Image.Image, layout: _Layout, factor: int) -> NDArray[np.uint8]:
    is_wrapped = layout.sample_format == _UNSIGNED and image.mode == "I"
    values = (reduced_unsigned if is_wrapped else reduced_deep)(image, factor)
    dtype = np.dtype(np.float32 if image.mode == "F" else np.uint32)
    return _turned_around(np.repeat(eight_bit(shrunk(values[..., None]), dtype), 3, axis=2), layout)


def _turned_around(pixels: NDArray[np.uint8], layout: _Layout) -> NDArray[np.uint8]:
    return 255 - pixels if layout.is_inverted else pixels


def _with_opencv(data: bytes, layout: _Layout, problem: PhotoProblem = PhotoProblem.DAMAGED) -> Picture:
    """problem: why OpenCV returns nothing, if it does."""
    values = cv2.imdecode(np.frombuffer(_unturned(data), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise PhotoError(problem)
    if values.size != layout.width * layout.height * layout.samples:  # samples that it does not expect
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    if values.ndim == 3 and values.shape[2] >= 3:
        values[..., [0, 2]] = values[..., [2, 0]]
    pixels = rgb_of_array(values)
    is_grey = layout.samples == 1
    return Picture(
        _turned_around(pixels, layout) if is_grey else pixels, layout.width, layout.height, layout.orientation
    )


def _layout_of(tags: _Tags, data: bytes) -> _Layout:
    width, height = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)
    bits, samples = tags.get(_BITS, 1), tags.get(_SAMPLES, 1)
    if not (width > 0 and height > 0 and samples >= 1):
        raise PhotoError(PhotoProblem.DAMAGED)
    is_raw = _DNG_VERSION in tags or data[8:11] == _CANON_RAW or tags.get(_PHOTOMETRIC) == _CFA
    is_unread_depth = (
        bits > 8
        and samples > 1
        and (
            tags.get(_PLANES) == _SEPARATE
            or tags.get(_PHOTOMETRIC) in {_CMYK, _LAB}
            or tags.get(_COMPRESSION) in _NOT_FOR_OPENCV
        )
    )
    is_half_real = bits < 32 and tags.get(_SAMPLE_FORMAT) == _REAL
    if is_raw or is_unread_depth or is_half_real or tags.get(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    if _TILE_WIDTH in tags:
        chunk = _rounded(tags[_TILE_WIDTH], 16) * _rounded(tags.get(_TILE_HEIGHT, height), 16)
    else:
        chunk = width * min(tags.get(_ROWS_PER_STRIP, height), height)
    return _Layout(
        width,
        height,
        bits,
        samples,
        tags.get(_ORIENTATION, 1),
        tags.get(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO,
        tags.get(_SAMPLE_FORMAT, _UNSIGNED),
        chunk * samples * bits / 8,
    )


def _is_thumbnail(tags: _Tags) -> bool:
    """Return whether a page is a smaller one of another page, or only its mask. Raise `PhotoError` if its picture is a
    raw photo's.
    """
    if tags.get(_SUB_FILE_KIND, 0) & _MASK:
        return True
    if not tags.get(_SUB_FILE_KIND, 0) & _REDUCED_PICTURE:
        return False
    if _SUB_FILES in tags:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    return True


def _pages(data: bytes) -> Iterator[tuple[int, _Tags]]:
    """Yield the place and the tags of the first pages."""
    forms = _forms(data)
    (place,) = struct.unpack_from(forms.place, data, forms.first_page)
    for _ in range(_MOST_PAGES):
        if not place:
            return
        tags = {}
        for entry, tag, kind, count in _entries(data, place):
            value = _first_value(data, entry + struct.calcsize(forms.entry), forms.place, kind, count)
            if value is not None:
                tags[tag] = value
        yield place, tags
        (entries,) = struct.unpack_from(forms.count, data, place)
        (place,) = struct.unpack_from(forms.place, data, place + struct.calcsize(forms.count) + entries * forms.size)


@dataclass(frozen=True)
class _Forms:
    """How numbers are stored: those of places, of entries, and of an entry's tag, kind and count, as `struct` has it.

    first_page: place of the place of the first page. size: bytes of an entry.
    """

    place: str
    count: str
    entry: str
    first_page: int

    @property
    def size(self) -> int:
        return struct.calcsize(self.entry) + struct.calcsize(self.place)


def _forms(data: bytes) -> _Forms:
    order, is_big = "<>"[data.startswith(b"MM")], b"+" in data[2:4]
    if is_big:
        return _Forms(f"{order}Q", f"{order}Q", f"{order}HHQ", 8)
    return _Forms(f"{order}I", f"{order}H", f"{order}HHI", 4)


def _entries(data: bytes, page: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield place, tag, kind and count of the entries of a page."""
    forms = _forms(data)
    (count,) = struct.unpack_from(forms.count, data, page)
    start = page + struct.calcsize(forms.count)
    for place in range(start, start + min(count, _MOST_TAGS) * forms.size, forms.size):
        tag, kind, values = struct.unpack_from(forms.entry, data, place)
        yield place, tag, kind, values


def _unturned(data: bytes) -> bytes:
    """Return a file whose first page says that it is upright: some versions of OpenCV turn pictures, some do not."""
    forms = _forms(data)
    (page,) = struct.unpack_from(forms.place, data, forms.first_page)
    place = next((place for place, tag, *_ in _entries(data, page) if tag == _ORIENTATION), None)
    if place is None:
        return data
    upright = struct.pack(forms.entry, _ORIENTATION, _SHORT, 1) + struct.pack(f"{forms.place[0]}H", 1)
    return b"".join((data[:place], upright, data[place + len(upright) :]))


def _first_value(data: bytes, place: int, place_form: str, kind: int, count: int) -> int | None:
    """Return the first whole number of a tag whose values, or their place, are at `place`; None if it has none."""
    if kind not in _INTEGERS:
        return None
    form = place_form[0] + _INTEGERS[kind]
    try:
        if count * struct.calcsize(form) > struct.calcsize(place_form):
            (place,) = struct.unpack_from(place_form, data, place)
        return int(struct.unpack_from(form, data, place)[0])
    except struct.error:
        return None


def _starting_at(data: bytes, place: int) -> bytes:
    """Return a file whose first page is the one at a place."""
    forms = _forms(data)
    header = struct.pack(forms.place, place)
    return b"".join((data[: forms.first_page], header, data[forms.first_page + len(header) :]))


def _rounded(side: int, step: int) -> int:
    return math.ceil(side / step) * step
