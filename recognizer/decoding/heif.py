"""Decode HEIC and AVIF. Their own boxes say how to turn them; their EXIF is not read, as the standard asks."""

import io
import re
from importlib.util import find_spec

import numpy as np
from PIL import Image, features

from recognizer.decoding.arrays import rgb_of_array
from recognizer.decoding.bands import first_visible, reduced_rgb
from recognizer.decoding.exif import orientation_in
from recognizer.decoding.picture import Picture
from recognizer.decoding.planes import BYTES_A_LARGE_PIXEL, BYTES_A_PIXEL, decode_planes
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_HEIC_BYTES_A_PIXEL = {(False, False): 4.1, (False, True): 7.0, (True, False): 7.0, (True, True): 11.5}
"""Memory for a pixel, by whether it has more than 8 bits, and whether it has full colours or an alpha, of which libheif
makes another copy.
"""
_AVIF_BYTES_A_PIXEL = 10
_AV1_CONFIGURATION = re.compile(rb"av1C..(.)", re.DOTALL)
_HIGH_BIT_DEPTH = 0x40
_PIXELS_FOR_PILLOW = 16_000_000
_ITEM_OF_METADATA = re.compile(rb"(infe[\x02\x03][\0-\xff]{3}(?:[\0-\xff]{4}|[\0-\xff]{6}))(?:Exif|mime)")
_SEARCHED = 1 << 20
_BOXES_OF_PIXELS = {b"meta", b"mdat", b"idat"}
_MOST_BOXES = 1000
_LOST_BYTES = 32
"""Number of bytes that may be missing at the end of the file, or be zeros in their place."""


def decode_heic(data: bytes) -> Picture:
    """Return the picture that a HEIC names as its first. Raise `PhotoError`."""
    if find_spec("pillow_heif") is None:
        raise PhotoError(PhotoProblem.NEEDS_HEIC)
    import pillow_heif  # noqa: PLC0415  (an optional extra)

    _require_all_tiles(data)
    options = pillow_heif.options
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    file = pillow_heif.open_heif(io.BytesIO(_plain(data, b"heic")), convert_hdr_to_8bit=True)
    image = file[file.primary_index]
    is_deep = image.info["bit_depth"] != 8
    is_full = image.info.get("chroma") == 444 or image.mode.startswith("RGBA")
    require_size(*image.size, _HEIC_BYTES_A_PIXEL[is_deep, is_full])
    pixels = np.asarray(image)[:, : image.size[0]]
    return Picture(rgb_of_array(pixels), *image.size)


def decode_avif(data: bytes) -> Picture:
    """Return the picture, or the first frame of an animation that shows something. Raise `PhotoError`."""
    if not features.check("avif"):
        raise PhotoError(PhotoProblem.NEEDS_AVIF)
    from PIL import AvifImagePlugin  # noqa: PLC0415  (registers the format)

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    content = _plain(data, b"avis" if b"moov" in data[:_SEARCHED] else b"avif")
    with Image.open(io.BytesIO(content), formats=["AVIF"]) as image:
        (width, height), orientation = image.size, orientation_in(image.info.get("exif", b""))
        if width * height > _PIXELS_FOR_PILLOW:
            bytes_a_pixel = BYTES_A_LARGE_PIXEL if _is_deep_avif(data) else BYTES_A_PIXEL
            pixels = decode_planes(content, "mov", width, height, bytes_a_pixel)
        else:
            require_size(width, height, _AVIF_BYTES_A_PIXEL)
            pixels = reduced_rgb(first_visible(image), whole_factor(width, height))
    return Picture(pixels, width, height, orientation)


def _is_deep_avif(data: bytes) -> bool:
    """Return whether some part of an AVIF has more than 8 bits."""
    return any(flags[0] & _HIGH_BIT_DEPTH for flags in _AV1_CONFIGURATION.findall(data[:_SEARCHED]))


def _require_all_tiles(data: bytes) -> None:
    """Raise `PhotoError` if a box goes on beyond the end of the file: libheif would leave its tiles black."""
    place = 0
    for _ in range(_MOST_BOXES):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        if name in _BOXES_OF_PIXELS and place + size > len(data) + _LOST_BYTES:
            raise PhotoError(PhotoProblem.DAMAGED)
        if size < 8:
            return
        place += size


def _plain(data: bytes, brand: bytes) -> bytes:
    """Return the same file with a major brand that every decoder knows, and with no metadata in its list of items.

    The items get another type of the same length, so that nothing moves.
    """
    head = _ITEM_OF_METADATA.sub(rb"\1skip", data[12:_SEARCHED])
    return b"".join((data[:8], brand, head, data[_SEARCHED:]))
