"""Decode BMP: with Pillow, and pixels of 16 or 32 bits with masks of which it does not know as the masks say."""

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, UnidentifiedImageError  # noqa: F401  (imports register formats)

from recognizer.decoding.bands import reduced_rgb
from recognizer.decoding.picture import Picture
from recognizer.decoding.working_size import require_size, whole_factor
from recognizer.photo_error import PhotoError, PhotoProblem

_BYTES_A_PIXEL = 6
"""Memory that Pillow takes for a pixel and, of run-lengths, for what they stand for."""
_BYTES_A_MASKED_PIXEL = 20
_HEADER_WITH_MASKS, _HEADER_WITH_ALPHA = 40, 56
"""Sizes of the headers from which on masks may follow, and an alpha's mask is there."""
_JPEG, _PNG = 4, 5
_MASKS = {3, 6}
"""Numbers of the ways of packing: a whole JPEG or PNG for a printer, and pixels whose bits masks tell apart."""
_PLACE_OF_MASKS, _PLACE_OF_ALPHA_MASK = 54, 66


def decode_bmp(data: bytes) -> Picture:
    """Return the picture. Raise `PhotoError`, or what Pillow raises for a broken file."""
    try:
        image = Image.open(io.BytesIO(data), formats=["BMP"])
    except (OSError, UnidentifiedImageError):
        return _decode_with_masks(data)
    with image:
        require_size(*image.size, _BYTES_A_PIXEL)
        image.load()
        return _picture(image)


def _decode_with_masks(data: bytes) -> Picture:
    size, width, height, _, bits, packing = struct.unpack_from("<IiiHHI", data, 14)
    if size >= _HEADER_WITH_MASKS and packing in {_JPEG, _PNG}:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    if size < _HEADER_WITH_MASKS or packing not in _MASKS or bits not in {16, 32} or width <= 0:
        raise PhotoError(PhotoProblem.DAMAGED)
    require_size(width, abs(height), _BYTES_A_MASKED_PIXEL)
    has_alpha = size >= _HEADER_WITH_ALPHA or packing == max(_MASKS)
    masks = [*struct.unpack_from("<III", data, _PLACE_OF_MASKS)]
    if has_alpha:
        masks += filter(None, struct.unpack_from("<I", data, _PLACE_OF_ALPHA_MASK))
    (start,) = struct.unpack_from("<I", data, 10)
    stride = (width * bits // 8 + 3) // 4 * 4
    rows = np.frombuffer(data, np.uint8, stride * abs(height), start).reshape(abs(height), stride)
    values = np.ascontiguousarray(rows[:, : width * bits // 8]).view(f"<u{bits // 8}").astype(np.uint32)
    channels = np.dstack([_channel(values, mask) for mask in masks])
    return _picture(Image.fromarray(channels if height < 0 else channels[::-1]))


def _channel(values: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Return what a mask lets through, from 0 to 255. Raise `PhotoError` if it lets nothing through."""
    if not mask:
        raise PhotoError(PhotoProblem.DAMAGED)
    shift = (mask & -mask).bit_length() - 1
    shares = ((values & mask) >> shift).astype(np.float32) / (mask >> shift)
    through: NDArray[np.uint8] = (255 * shares + 0.5).astype(np.uint8)
    return through


def _picture(image: Image.Image) -> Picture:
    return Picture(reduced_rgb(image, whole_factor(*image.size)), *image.size)
