"""Decode untrusted bytes into upright RGB pixels, or raise one exception that says what is wrong with them.

Sizes are checked on the header, before any pixel is decoded. Pillow reads the header; it also handles EXIF, CMYK,
palettes and 16-bit pictures.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.util import find_spec

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401  (imports register formats)

MAX_BYTES = 20 * 1024 * 1024
"""Largest picture accepted; also the largest that a Telegram bot can download
(https://core.telegram.org/bots/api#getfile).
"""
MAX_PIXELS = 50_000_000
MIN_SIDE = 24
"""Shortest side, in pixels, at which a face may still be visible."""
WORKING_SIDE = 1280
"""Longest side, in pixels, of the photo that is searched for faces. Larger photos are shrunk while they are decoded."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class PhotoProblem(StrEnum):
    """The reasons why bytes may not be readable as a photo."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    NOT_A_PICTURE = "not_a_picture"
    NEEDS_HEIC = "needs_heic"
    DAMAGED = "damaged"
    TOOK_TOO_LONG = "took_too_long"


class PhotoError(Exception):
    """The bytes cannot be read as a photo. `code` is the reason; the message is a sentence for the sender."""

    def __init__(self, code: PhotoProblem) -> None:
        super().__init__(_SENTENCES[code])
        self.code = code


_SENTENCES = {
    PhotoProblem.EMPTY: "The file is empty. Please send the picture again.",
    PhotoProblem.TOO_MANY_BYTES: "The file is larger than 20 MB. Please send a smaller version of the picture.",
    PhotoProblem.TOO_MANY_PIXELS: "The picture has more than 50 megapixels. Please send a smaller version.",
    PhotoProblem.TOO_SMALL: f"The picture is tiny (under {MIN_SIDE} pixels a side). Please send a larger one.",
    PhotoProblem.NOT_A_PICTURE: "This is not a picture I can open. Please send a JPEG, PNG, WebP, GIF, BMP or TIFF.",
    PhotoProblem.NEEDS_HEIC: "This is a HEIC picture, which is not set up here. Please send it as JPEG.",
    PhotoProblem.DAMAGED: "The picture is damaged or was cut off on the way. Please send it again.",
    PhotoProblem.TOOK_TOO_LONG: "Reading this picture takes too long. Please send a smaller or simpler version of it.",
}


@dataclass(frozen=True)
class Photo:
    """An upright photo.

    pixels: RGB uint8 `(height, width, 3)`. scale: the width of one of these pixels in pixels of the original.
    """

    pixels: NDArray[np.uint8]
    scale: float


def decode(data: bytes) -> Photo:
    """Decode a still picture, or the first frame of an animation, upright, with a long side of at most `WORKING_SIDE`.

    Transparent parts become white. Raise `PhotoError` whatever is wrong with the bytes; only `MemoryError` is passed
    on.
    """
    if not data:
        raise PhotoError(PhotoProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd metadata; the sender cannot act on it
            with _open(data) as image:
                return _pixels_of(data, image)
    except (PhotoError, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError, ... on broken files
        raise PhotoError(PhotoProblem.DAMAGED) from error


def _open(data: bytes) -> Image.Image:
    formats = list(_FORMATS)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        if find_spec("pillow_heif") is None:
            raise PhotoError(PhotoProblem.NEEDS_HEIC)
        from pillow_heif import register_heif_opener  # noqa: PLC0415  (an optional extra)

        register_heif_opener()
        formats.append("HEIF")
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE) from error
    except Image.DecompressionBombError as error:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS) from error
    if image.width * image.height > MAX_PIXELS:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)
    if min(image.size) < MIN_SIDE:
        raise PhotoError(PhotoProblem.TOO_SMALL)
    return image


def _pixels_of(data: bytes, image: Image.Image) -> Photo:
    long_side = max(image.size)
    if image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L"):
        pixels = _decode_jpeg(data, long_side)
    else:
        image.load()  # loading turns TIFF and HEIF upright and resets their orientation tag
        pixels = np.asarray(_eight_bit_rgb(_shrunk(image)))
    if max(pixels.shape) > WORKING_SIDE:
        shrink = WORKING_SIDE / max(pixels.shape)
        shrunk = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        pixels = shrunk.astype(np.uint8, copy=False)
    for turn in _TURNS.get(image.getexif().get(0x0112, 1), ()):
        pixels = turn(pixels)
    return Photo(np.ascontiguousarray(pixels, dtype=np.uint8), long_side / max(pixels.shape))


def _shrunk(image: Image.Image) -> Image.Image:
    """Return a smaller copy of a large picture; done before its mode is converted, to limit memory use."""
    factor = max(image.size) // WORKING_SIDE
    return image.reduce(factor) if factor > 1 and image.mode in ("RGB", "RGBA", "L", "LA", "CMYK") else image


def _decode_jpeg(data: bytes, long_side: int) -> NDArray[np.uint8]:
    """Decode with OpenCV, which avoids Pillow's two extra copies and can decode at a half, a quarter or an eighth."""
    reduced = next((flag for factor, flag in _REDUCED if long_side >= factor * WORKING_SIDE), 0)
    flags = reduced & ~cv2.IMREAD_COLOR | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise PhotoError(PhotoProblem.DAMAGED)
    return pixels.astype(np.uint8, copy=False)


def _eight_bit_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float32)
        top = 65535 if image.mode != "F" and values.max(initial=0) > 255 else max(float(values.max(initial=0)), 1)
        return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")


_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))

_Turn = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
_TURNS: dict[int, tuple[_Turn, ...]] = {
    2: (np.fliplr,),
    3: (np.flipud, np.fliplr),
    4: (np.flipud,),
    5: (np.rot90, np.flipud),
    6: (partial(np.rot90, k=3),),
    7: (np.rot90, np.fliplr),
    8: (np.rot90,),
}
"""The operations that turn a photo upright, by EXIF orientation (CIPA DC-008, tag 0x0112)."""
