"""Pictures as phones, cameras, editors and accidents write them: one portrait in many files, and files to refuse.

Everything is made here from scikit-image's astronaut; no picture is kept in the repository.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import data as samples

from recognizer.decoding.photo import PhotoProblem
from tests.pictures import chunk, encoded, flat_png

P = PhotoProblem
SIDE = 400


@dataclass(frozen=True)
class Case:
    """A file. problem: why it is refused; None if it is read as the portrait. needs: the package that reads it."""

    name: str
    make: Callable[..., bytes]
    problem: PhotoProblem | None = None
    needs: str = ""


@cache
def portrait() -> Image.Image:
    """Return the portrait, RGB."""
    return Image.fromarray(samples.astronaut()[:SIDE, :SIDE])


@cache
def plain() -> bytes:
    """Return the portrait as the plainest PNG."""
    return encoded(portrait(), "PNG")


def all_cases() -> list[Case]:
    """Return every file."""
    return [case for kind in (_jpeg, _png, _bmp, _gif, _webp, _tiff, _heic, _avif, _jxl, _others) for case in kind()]


def _pixels() -> NDArray[np.uint8]:
    return np.asarray(portrait())


def _grey() -> NDArray[np.uint8]:
    return np.asarray(portrait().convert("L"))


def _with(form: str, mode: str = "RGB", **options: Any) -> Callable[[], bytes]:
    return lambda: encoded(portrait().convert(mode), form, **options)


_STORED_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""Pillow's turns that the orientations undo."""


def _turned(form: str, orientation: int, **options: Any) -> Callable[[], bytes]:
    """Return a file that is stored turned, and says so in its EXIF."""
    back = _STORED_TURNS.get(orientation)

    def make() -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = portrait() if back is None else portrait().transpose(Image.Transpose(back))
        return encoded(stored, form, exif=exif.tobytes(), **options)

    return make


def _jpeg() -> Iterator[Case]:
    whole = _with("JPEG", quality=85)
    progressive = _with("JPEG", quality=85, progressive=True)
    for quality in (40, 75, 95):
        yield Case(f"quality-{quality}.jpg", _with("JPEG", quality=quality))
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield Case(f"chroma-{name}.jpg", _with("JPEG", quality=85, subsampling=subsampling))
    yield Case("progressive.jpg", progressive)
    yield Case("grey.jpg", _with("JPEG", "L"))
    yield Case("cmyk.jpg", _with("JPEG", "CMYK"))
    yield Case("rgb.jpg", _with("JPEG", keep_rgb=True))
    yield Case("restarts-in-rows.jpg", _with("JPEG", restart_marker_rows=1))
    yield Case("restarts-in-blocks.jpg", _with("JPEG", restart_marker_blocks=3))
    yield Case("two-pictures.mpo", _with("MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))]))
    for orientation in range(1, 9):
        yield Case(f"orientation-{orientation}.jpg", _turned("JPEG", orientation))
    for name, make in (("baseline", whole), ("progressive", progressive)):
        for lost in (1, 2, 3, 8, 20):
            yield Case(f"{name}-without-last-{lost}.jpg", lambda make=make, lost=lost: make()[:-lost])
        for percent in (95, 80, 50, 20):
            yield Case(
                f"{name}-cut-at-{percent}.jpg",
                lambda make=make, percent=percent: make()[: len(make()) * percent // 100],
                P.DAMAGED,
            )
    for rows in (1, 4):
        restarting = _with("JPEG", quality=85, restart_marker_rows=rows)
        yield Case(f"restarts-{rows}-without-end.jpg", lambda make=restarting: make()[:-2])
        yield Case(f"restarts-{rows}-cut.jpg", lambda make=restarting: make()[: len(make()) * 8 // 10], P.DAMAGED)
    yield Case("trailing-garbage.jpg", lambda: whole() + b"\0trailing \xff\xd8 garbage" * 999)
    for name, padding in (("zeros", b"\0"), ("ones", b"\xff")):
        for form, make in (("baseline", whole), ("progressive", progressive)):
            yield Case(f"{form}-{name}-for-end.jpg", lambda make=make, padding=padding: make()[:-2] + 512 * padding)
            yield Case(f"{form}-{name}-for-a-fifth.jpg", lambda make=make, p=padding: _padded(make(), p), P.DAMAGED)
    yield Case("leading-garbage.jpg", lambda: b"\r\n" + whole(), P.NOT_A_PICTURE)
    yield Case("cut-at-80-with-an-end.jpg", lambda: whole()[: len(whole()) * 8 // 10] + b"\xff\xd9", P.DAMAGED)
    yield Case("jpeg-ls.jpg", lambda: _patched_frame(whole(), marker=0xF7), P.NOT_A_PICTURE)
    yield Case("12-bit.jpg", lambda: _patched_frame(whole(), precision=12), P.NOT_A_PICTURE)
    yield Case("lossless.jpg", lambda: _patched_frame(whole(), marker=0xC3), P.NOT_A_PICTURE)
    yield Case("only-a-header.jpg", lambda: whole()[:200], P.DAMAGED)
    yield Case("fill-bytes.jpg", lambda: whole()[:2] + b"\xff\xff\xff" + whole()[2:])
    for name, body in _METADATA:
        yield Case(f"{name}.jpg", lambda body=body: _with_segment(whole(), 0xE1, body))
    for name, kind, value in (("byte", 1, b"\x06\0\0\0"), ("short", 3, b"\0\x06\0\0"), ("long", 4, b"\0\0\0\x06")):
        yield Case(
            f"orientation-as-{name}.jpg", lambda k=kind, v=value: _with_segment(_on_its_side(), 0xE1, _exif(k, v))
        )
    yield Case("orientation-in-the-first-exif.jpg", _jpeg_with_two_exifs)
    yield Case("bad-icc.jpg", lambda: _with_segment(whole(), 0xE2, b"ICC_PROFILE\0\x05\x02" + b"\xff" * 60_000))
    yield Case("bad-mpf.jpg", lambda: _with_segment(whole(), 0xE2, b"MPF\0II*\0\xff\xff\xff\xff"))
    yield Case("bad-iptc.jpg", lambda: _with_segment(whole(), 0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff\xff\xff\xff"))
    yield Case("comments.jpg", lambda: _with_segment(whole(), 0xFE, b"\xff" * 65_000))
    yield Case("many-comments.jpg", lambda: whole()[:2] + (b"\xff\xfe\0\x04ab" * 50_000) + whole()[2:])
    yield Case("50-megapixels.jpg", lambda: _enlarged_jpeg(7100, 7100))
    yield Case("108-megapixels.jpg", lambda: _enlarged_jpeg(10_400, 10_400))


def _padded(data: bytes, padding: bytes) -> bytes:
    """Return a download that stopped at four fifths of the file, whose length was set before."""
    got = len(data) * 8 // 10
    return data[:got] + padding * (len(data) - got)


_LOOP = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"
_METADATA = (
    ("junk-exif", b"Exif\0\0" + b"\xff" * 500),
    ("cut-exif", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    ("looping-exif", _LOOP),
    ("odd-orientation", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\x27\x0f\0\0\0\0\0\0"),
    ("large-exif", b"Exif\0\0" + b"II*\0\x08\0\0\0" + bytes(60_000)),
    ("junk-xmp", b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta" + b"\xff" * 500),
)


def _on_its_side() -> bytes:
    return encoded(portrait().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=85)


def _exif(kind: int, value: bytes) -> bytes:
    """Return EXIF with an orientation of a kind of number."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12" + struct.pack(">HI", kind, 1) + value + bytes(4)


def _jpeg_with_two_exifs() -> bytes:
    second = _with_segment(_on_its_side(), 0xE1, _exif(3, b"\0\x01\0\0"))
    return _with_segment(second, 0xE1, _exif(3, b"\0\x06\0\0"))


def _with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[2:]


def _patched_frame(data: bytes, marker: int = 0xC0, precision: int = 8) -> bytes:
    place = data.index(b"\xff\xc0")
    return data[:place] + bytes((0xFF, marker)) + data[place + 2 : place + 4] + bytes([precision]) + data[place + 5 :]


def _enlarged_jpeg(width: int, height: int) -> bytes:
    content = cv2.resize(_pixels()[..., ::-1], (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.imencode(".jpg", content, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def _png() -> Iterator[Case]:
    for mode in ("RGB", "RGBA", "L", "LA", "P"):
        yield Case(f"{mode}.png", _with("PNG", mode))
    yield Case("64-colours.png", lambda: encoded(portrait().quantize(64), "PNG"))
    yield Case("16-greys.png", lambda: encoded(portrait().convert("L").quantize(16), "PNG", bits=4))
    for bits in (8, 9, 10, 11, 12, 14, 16):
        yield Case(f"grey-{bits}-in-16.png", lambda bits=bits: _cv(".png", _deep(_grey(), bits)))
        yield Case(f"rgb-{bits}-in-16.png", lambda bits=bits: _cv(".png", _deep(_pixels()[..., ::-1], bits)))
    yield Case("rgba-12-in-16.png", lambda: _cv(".png", _deep(_bgra(), 12)))
    yield Case("rgba-16.png", lambda: _cv(".png", _deep(_bgra(), 16)))
    yield Case("grey-alpha-16.png", lambda: _raw_png(_grey_alpha(16), 16, 4))
    yield Case("grey-alpha-12-in-16.png", lambda: _raw_png(_grey_alpha(12), 16, 4))
    for colour, name in ((0, "grey"), (2, "rgb")):
        pixels = _grey()[..., None] if colour == 0 else _pixels()
        yield Case(f"interlaced-{name}.png", lambda c=colour, p=pixels: _interlaced(p, 8, c))
        yield Case(f"interlaced-{name}-16.png", lambda c=colour, p=pixels: _interlaced(_deep(p, 16), 16, c))
    yield Case("transparent-colour.png", _with("PNG", transparency=(1, 2, 3)))
    yield Case("transparent-index.png", lambda: encoded(portrait().quantize(256), "PNG", transparency=255))
    yield Case("unused-alpha.png", lambda: encoded(_with_alpha(0), "PNG"))
    yield Case("unused-alpha-16.png", lambda: _cv(".png", _deep(np.dstack([_pixels()[..., ::-1], _grey() * 0]), 16)))
    for orientation in (3, 6, 8):
        yield Case(f"orientation-{orientation}.png", _turned("PNG", orientation))
    for name, kind, body in (
        ("junk-exif", b"eXIf", b"\xff" * 99),
        ("looping-exif", b"eXIf", _LOOP[6:]),
        ("junk-profile", b"iCCP", b"\xff" * 99),
        ("large-profile", b"iCCP", b"large\0\0" + zlib.compress(bytes(3_000_000))),
        ("bomb-in-text", b"zTXt", b"bomb\0\0" + zlib.compress(bytes(80_000_000))),
        ("bomb-in-text-2", b"iTXt", b"bomb\0\1\0\0\0" + zlib.compress(bytes(80_000_000))),
        ("large-text", b"tEXt", b"long\0" + b"x" * 2_000_000),
        ("junk-time", b"tIME", b"\xff"),
        ("junk-gamma", b"gAMA", b""),
        ("junk-density", b"pHYs", b"\0"),
        ("junk-chromaticity", b"cHRM", b"\0"),
        ("private", b"vpAg", b"whatever"),
        ("short-transparency", b"tRNS", b"\0"),
        ("long-transparency", b"tRNS", bytes(300)),
        ("odd-suggested-palette", b"PLTE", bytes(7)),
        ("junk-animation", b"acTL", b"\0"),
        ("endless-animation", b"acTL", b"\xff" * 8),
    ):
        yield Case(f"{name}.png", lambda kind=kind, body=body: _with_chunk(plain(), chunk(kind, body)))
    yield Case("bad-checksum.png", lambda: _with_chunk(plain(), chunk(b"tEXt", b"a\0b")[:-4] + b"oops"))
    yield Case("no-end.png", lambda: plain()[:-12])
    yield Case("no-checksum.png", lambda: plain()[:-18])
    yield Case("last-bytes-lost.png", lambda: plain()[:-5])
    yield Case("trailing-garbage.png", lambda: plain() + bytes(999))
    yield Case("last-30-bytes-lost.png", lambda: plain()[:-30])
    yield Case("bad-checksum-of-data.png", lambda: _with_other_bytes(plain(), len(plain()) - 16, b"oops"))
    yield Case("bad-checksum-of-packed-data.png", lambda: _packed_png(zlib.compress(_rows(_pixels()))[:-4] + b"oops"))
    yield Case("half-the-rows.png", lambda: _packed_png(zlib.compress(_rows(_pixels()[: SIDE // 2]))), P.DAMAGED)
    yield Case("zeros-for-a-fifth.png", lambda: _padded(plain(), b"\0"), P.DAMAGED)
    yield Case("other-bytes-inside.png", lambda: _with_other_bytes(plain(), len(plain()) // 2, bytes(64)), P.DAMAGED)
    yield Case("cut-at-80.png", lambda: plain()[: len(plain()) * 8 // 10], P.DAMAGED)
    yield Case("many-chunks.png", lambda: _with_chunk(plain(), chunk(b"tEXt", b"a\0b") * 20_000))
    yield Case("animated.png", _with("PNG", save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE))]))
    yield Case("flat-header.png", lambda: plain()[:20], P.DAMAGED)
    yield Case("tiny.png", lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), P.TOO_SMALL)
    yield Case("endless.png", lambda: flat_png(70_000, 24, 1, 0), P.TOO_MANY_PIXELS)
    yield Case("slim.png", lambda: encoded(Image.new("RGB", (23, 400)), "PNG"), P.TOO_SMALL)


def _with_other_bytes(data: bytes, place: int, content: bytes) -> bytes:
    return data[:place] + content + data[place + len(content) :]


def _packed_png(packed: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _with_chunk(data: bytes, extra: bytes) -> bytes:
    return data[:33] + extra + data[33:]


def _with_alpha(alpha: int) -> Image.Image:
    image = portrait().convert("RGBA")
    image.putalpha(alpha)
    return image


def _bgra() -> NDArray[np.uint8]:
    return np.dstack([_pixels()[..., ::-1], np.full_like(_grey(), 255)])


def _grey_alpha(bits: int) -> NDArray[np.uint16]:
    return _deep(np.dstack([_grey(), np.full_like(_grey(), 255)]), bits)


def _deep(pixels: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Return values of a number of bits, in 16."""
    values: NDArray[np.uint16] = np.round(pixels.astype(np.float64) / 255 * (2**bits - 1)).astype(np.uint16)
    return values


def _cv(ending: str, pixels: NDArray[np.uint16]) -> bytes:
    return cv2.imencode(ending, pixels)[1].tobytes()


def _raw_png(pixels: NDArray[np.generic], depth: int, colour: int, rows: bytes = b"", interlaced: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, interlaced)
    content = rows or _rows(pixels)
    pieces = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(content)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def _rows(pixels: NDArray[np.generic]) -> bytes:
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in big_endian)


def _interlaced(pixels: NDArray[np.generic], depth: int, colour: int) -> bytes:
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(_rows(pixels[top::down, left::across]) for top, left, down, across in passes)
    return _raw_png(pixels, depth, colour, rows, 1)


def _bmp() -> Iterator[Case]:
    for mode in ("RGB", "L", "P"):
        yield Case(f"{mode}.bmp", _with("BMP", mode))
    for alpha in (0, 255):
        yield Case(f"alpha-{alpha}.bmp", lambda alpha=alpha: encoded(_with_alpha(alpha), "BMP"))
        yield Case(f"alpha-{alpha}-masks.bmp", lambda alpha=alpha: _bmp_with_masks(alpha))
    yield Case("alpha-1-masks.bmp", lambda: _bmp_with_masks(1))
    yield Case("top-down.bmp", lambda: _bmp_rows(_pixels()[..., ::-1].tobytes(), 24, -SIDE))
    yield Case("555.bmp", lambda: _bmp_rows(_five_bits().tobytes(), 16, -SIDE))
    red, green, blue = (_pixels()[..., place].astype(np.uint32) for place in range(3))
    for name, bits, masks, values in (
        ("565", 16, (0xF800, 0x7E0, 0x1F), (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3),
        ("444", 16, (0xF00, 0xF0, 0xF), (red >> 4) << 8 | (green >> 4) << 4 | blue >> 4),
        ("bgrx", 32, (0xFF, 0xFF00, 0xFF0000), red | green << 8 | blue << 16),
        ("xbgr", 32, (0xFF00, 0xFF0000, 0xFF000000), red << 8 | green << 16 | blue << 24),
        ("10-10-10", 32, (0x3FF00000, 0xFFC00, 0x3FF), red << 22 | green << 12 | blue << 2),
    ):
        rows = values.astype(f"<u{bits // 8}").tobytes()
        yield Case(f"masks-{name}.bmp", lambda r=rows, b=bits, m=masks: _bmp_rows(r, b, -SIDE, m))
    yield Case("jpeg-inside.bmp", lambda: _with_other_bytes(encoded(portrait(), "BMP"), 30, b"\4"), P.NOT_A_PICTURE)
    yield Case("last-bytes-lost.bmp", lambda: encoded(portrait(), "BMP")[:-9])
    yield Case("cut-at-50.bmp", lambda: encoded(portrait(), "BMP")[: SIDE * SIDE], P.DAMAGED)


def _bmp_rows(rows: bytes, bits: int, height: int, masks: tuple[int, ...] = ()) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, height, 1, bits, 3 * bool(masks), len(rows), 2835, 2835, 0, 0)
    header += struct.pack(f"<{len(masks)}I", *masks)
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + rows


def _bmp_with_masks(alpha: int) -> bytes:
    rows = np.dstack([_pixels()[..., ::-1], np.full_like(_grey(), alpha)]).tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, SIDE, -SIDE, 1, 32, 3, len(rows), 2835, 2835, 0, 0) + masks + bytes(52)
    return b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + header + rows


def _five_bits() -> NDArray[np.uint16]:
    red, green, blue = (_pixels()[..., place].astype(np.uint16) >> 3 for place in range(3))
    return (red << 10 | green << 5 | blue).astype("<u2")


def _gif() -> Iterator[Case]:
    later = Image.new("RGB", (SIDE, SIDE))
    nothing = Image.new("RGBA", (SIDE, SIDE))
    yield Case("plain.gif", _with("GIF"))
    yield Case("grey.gif", _with("GIF", "L"))
    yield Case("animated.gif", _with("GIF", save_all=True, append_images=[later], duration=100))
    yield Case("opens-with-nothing.gif", lambda: _animation("GIF", [nothing, portrait().convert("RGBA")]))
    yield Case("frame-with-offset.gif", _gif_with_offset)
    yield Case("trailing-garbage.gif", lambda: encoded(portrait(), "GIF") + bytes(99))
    yield Case("last-3-bytes-lost.gif", lambda: encoded(portrait(), "GIF")[:-3])
    yield Case("no-end.gif", lambda: encoded(portrait(), "GIF")[:-1])
    yield Case("cut-at-50.gif", lambda: encoded(portrait(), "GIF")[:40_000], P.DAMAGED)


def _animation(form: str, frames: list[Image.Image]) -> bytes:
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100, disposal=2)


def _gif_with_offset() -> bytes:
    """Return a GIF whose canvas is larger than its only frame, which lies in its middle."""
    data = bytearray(encoded(portrait().crop((20, 20, SIDE, SIDE)), "GIF"))
    struct.pack_into("<HH", data, 6, SIDE, SIDE)
    frame = data.index(b"\x2c\0\0\0\0", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    struct.pack_into("<HH", data, frame + 1, 20, 20)
    return bytes(data)


def _webp() -> Iterator[Case]:
    lossy = _with("WEBP", quality=85)
    yield Case("lossy.webp", lossy)
    yield Case("lossless.webp", _with("WEBP", lossless=True))
    yield Case("alpha.webp", lambda: encoded(_with_alpha(255), "WEBP"))
    yield Case("unused-alpha.webp", lambda: encoded(_with_alpha(0), "WEBP", lossless=True, exact=True))
    yield Case("animated.webp", lambda: _webp_animation([portrait(), Image.new("RGB", (SIDE, SIDE))]))
    yield Case("opens-with-nothing.webp", lambda: _webp_animation([Image.new("RGBA", (SIDE, SIDE)), portrait()]))
    for orientation in (3, 6, 8):
        yield Case(f"orientation-{orientation}.webp", _turned("WEBP", orientation, quality=85))
    yield Case("junk-exif.webp", _with("WEBP", quality=85, exif=b"Exif\0\0" + b"\xff" * 99))
    yield Case("junk-profile.webp", _with("WEBP", quality=85, icc_profile=b"\xff" * 99))
    yield Case("junk-xmp.webp", _with("WEBP", quality=85, xmp=b"\xff" * 99))
    for flags in (0x02, 0x10, 0xFF):
        yield Case(f"false-flags-{flags}.webp", lambda flags=flags: _webp_with_header(flags, SIDE))
    for side in (100, 16_000):
        yield Case(f"false-size-{side}.webp", lambda side=side: _webp_with_header(0, side))
    for lost in (4, 8, 16):
        yield Case(f"last-{lost}-bytes-lost.webp", lambda lost=lost: lossy()[:-lost])
    yield Case("animated-cut-at-80.webp", lambda: _cut_animation(8))
    yield Case("animated-cut-at-20.webp", lambda: _cut_animation(2), P.DAMAGED)
    yield Case("last-byte-lost.webp", lambda: lossy()[:-1])
    yield Case("trailing-garbage.webp", lambda: lossy() + bytes(99))
    yield Case("cut-at-80.webp", lambda: lossy()[: len(lossy()) * 8 // 10], P.DAMAGED)
    yield Case("large.webp", lambda: encoded(portrait().resize((4000, 4000)), "WEBP", quality=70, method=0))


def _cut_animation(tenths: int) -> bytes:
    data = _webp_animation([portrait(), portrait().transpose(Image.Transpose.FLIP_TOP_BOTTOM)])
    return data[: len(data) * tenths // 10]


def _webp_with_header(flags: int, side: int) -> bytes:
    """Return a still picture under an extended header that lies."""
    simple = encoded(portrait(), "WEBP", quality=85)
    sides = 2 * (side - 1).to_bytes(3, "little")
    body = b"WEBPVP8X\x0a\0\0\0" + bytes([flags, 0, 0, 0]) + sides + simple[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_animation(frames: list[Image.Image]) -> bytes:
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100, lossless=True)


def _tiff() -> Iterator[Case]:
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield Case(f"{compression}.tif", _with("TIFF", compression=compression))
    for mode in ("L", "P", "RGBA", "CMYK", "LA"):
        yield Case(f"{mode}.tif", _with("TIFF", mode))
    yield Case("lab.tif", _lab_tiff)
    for orientation in range(1, 9):
        yield Case(f"orientation-{orientation}.tif", _turned("TIFF", orientation))
    for bits in (9, 10, 11, 12, 14, 16):
        yield Case(f"grey-{bits}-in-16.tif", lambda bits=bits: _tif(_deep(_grey(), bits)))
        yield Case(f"rgb-{bits}-in-16.tif", lambda bits=bits: _tif(_deep(_pixels(), bits), photometric="rgb"))
    grey, colour = _grey(), _pixels()
    for name, values in (
        ("float-to-1", grey / np.float32(255)),
        ("float-to-255", grey.astype(np.float32)),
        ("float-to-65535", grey.astype(np.float32) * 257),
        ("float-with-nan", np.where(np.arange(SIDE) < 3, np.nan, grey / np.float32(255)).astype(np.float32)),
        ("float-to-1-from-below", grey / np.float32(127.5) - np.float32(1)),
        ("float-to-a-thousandth", grey / np.float32(255_000)),
        ("float-with-a-lamp", np.where(np.arange(SIDE) < 8, 20, grey / np.float32(255)).astype(np.float32)),
        ("float-with-outliers", np.where(np.arange(SIDE**2).reshape(SIDE, SIDE) < 9, 1e30, grey).astype(np.float32)),
        ("signed-8", (grey.astype(np.int16) - 128).astype(np.int8)),
        ("signed-16", (_deep(grey, 16).astype(np.int32) - 32768).astype(np.int16)),
        ("signed-12-in-16", _deep(grey, 12).astype(np.int16)),
        ("unsigned-32", grey.astype(np.uint32) * 16843009),
        ("signed-32", (grey.astype(np.int64) * 16843009 - 2**31).astype(np.int32)),
        ("10-in-32", _deep(grey, 10).astype(np.uint32)),
    ):
        for order, where in (("<", "little"), (">", "big")):
            yield Case(f"{name}-{where}-endian.tif", lambda v=values, o=order: _tif(v, byteorder=o))
    for name, values in (
        ("rgb-float-to-1", colour / np.float32(255)),
        ("rgb-float-to-255", colour.astype(np.float32)),
    ):
        yield Case(f"{name}.tif", lambda v=values: _tif(v, photometric="rgb"))
    yield Case("rgba-16.tif", lambda: _tif(_deep(_bgra()[..., [2, 1, 0, 3]], 16), photometric="rgb"))
    yield Case("rgba-12-in-16.tif", lambda: _tif(_deep(_bgra()[..., [2, 1, 0, 3]], 12), photometric="rgb"))
    yield Case("rgb-32.tif", lambda: _tif(colour.astype(np.uint32) * 16843009, photometric="rgb"))
    yield Case("bigtiff-big-endian.tif", lambda: _tif(_deep(grey, 12), bigtiff=True, byteorder=">"))
    for orientation in range(2, 9):
        for name, change in _OTHER_TIFFS:
            yield Case(f"orientation-{orientation}-{name}.tif", partial(_turned_tiff, orientation, change))
    yield Case("mask-first.tif", _tiff_with_mask)
    yield Case("palette-of-8-bits.tif", _tiff_with_narrow_palette)
    premultiplied = {"photometric": "minisblack", "extrasamples": ["assocalpha"]}
    yield Case("premultiplied-grey.tif", lambda: _tif(np.dstack([grey, np.full_like(grey, 255)]), **premultiplied))
    yield Case("thumbnail-first.tif", _tiff_with_thumbnail)
    unread: tuple[tuple[str, NDArray[Any], dict[str, Any]], ...] = (
        ("jpeg-xl-inside", colour, {"compression": "jpegxl", "photometric": "rgb"}),
        ("jpeg-2000-in-tiles", colour, {"compression": "jpeg2000", "tile": (128, 128), "photometric": "rgb"}),
        ("planes-16", np.moveaxis(_deep(colour, 12), 2, 0), {"planarconfig": "separate", "photometric": "rgb"}),
        ("grey-alpha-16", _grey_alpha(12), {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
        ("float-16", (grey / 255).astype(np.float16), {}),
        ("cmyk-16", _deep(_bgra(), 16), {"photometric": "separated"}),
        ("cmyk-alpha", np.dstack([_bgra(), grey]), {"photometric": "separated", "extrasamples": ["unassalpha"]}),
        ("lab-16", _deep(colour, 16), {"photometric": "cielab"}),
        ("rgb-16-zstd", _deep(colour, 12), {"photometric": "rgb", "compression": "zstd"}),
    )
    for name, pixels, options in unread:
        make = partial(_tif, pixels, **options)
        yield Case(f"{name}.tif", make, P.NOT_A_PICTURE, needs="imagecodecs" if "compression" in options else "")
    yield Case("big-endian.tif", lambda: _tif(colour, byteorder=">", photometric="rgb"))
    yield Case("rgb-16-big-endian.tif", lambda: _tif(_deep(colour, 12), byteorder=">", photometric="rgb"))
    yield Case("bigtiff.tif", lambda: _tif(colour, bigtiff=True, photometric="rgb"))
    yield Case("tiled.tif", lambda: _tif(colour, tile=(128, 128), photometric="rgb"))
    yield Case("planar.tif", lambda: _tif(np.moveaxis(colour, 2, 0), planarconfig="separate", photometric="rgb"))
    yield Case("white-is-zero.tif", lambda: _tif(255 - grey, photometric="miniswhite"))
    yield Case("white-is-zero-16.tif", lambda: _tif(65535 - _deep(grey, 16), photometric="miniswhite"))
    yield Case("pages.tif", _with("TIFF", save_all=True, append_images=[Image.new("RGB", (99, 99))]))
    yield Case("unused-alpha.tif", lambda: encoded(_with_alpha(0), "TIFF"))
    yield Case("one-strip-deflated.tif", lambda: _tif(colour, compression="zlib", rowsperstrip=SIDE, photometric="rgb"))
    for name, tag, value in _METADATA_TAGS:
        yield Case(f"{name}.tif", lambda tag=tag, value=value: _tif_with_tag(tag, "I", value))
    yield Case("junk-xmp.tif", lambda: _tif_with_tag(700, "B", b"\xff" * 99))
    yield Case("junk-profile.tif", lambda: _tif_with_tag(34675, "B", b"\xff" * 99))
    yield Case("junk-iptc.tif", lambda: _tif_with_tag(33723, "B", b"\x1c\xff" * 99))
    yield Case("junk-photoshop.tif", lambda: _tif_with_tag(34377, "B", b"8BIM" + b"\xff" * 99))
    yield Case("last-bytes-lost.tif", lambda: _tif(colour, photometric="rgb")[:-9])
    yield Case("cut-at-50.tif", lambda: _tif(colour, photometric="rgb")[: SIDE * SIDE], P.DAMAGED)
    yield Case("large-float-64.tif", lambda: _tif(np.zeros((4000, 4000)), compression="zlib"), P.TOO_MANY_PIXELS)
    dng = (50706, "B", 4, b"\x01\x04\0\0", True)
    yield Case("raw.dng", lambda: _tif(colour, photometric="rgb", extratags=[dng]), P.NOT_A_PICTURE)


_METADATA_TAGS = (
    ("exif-outside", 34665, 4_000_000_000),
    ("exif-in-a-loop", 34665, 8),
    ("exif-in-the-header", 34665, 1),
    ("exif-of-pixels", 34665, 9_999),
    ("gps-outside", 34853, 4_000_000_000),
    ("gps-of-pixels", 34853, 9_999),
    ("interoperability-outside", 40965, 4_000_000_000),
)
"""Tags of metadata that point to where none is."""


def _tif_with_tag(tag: int, kind: str, value: int | bytes) -> bytes:
    """Return a TIFF with a tag that tifffile would not write, so another is written and renamed."""
    count = 1 if isinstance(value, int) else len(value)
    data = _tif(_pixels(), photometric="rgb", extratags=[(60_000, kind, count, value, True)])
    return data.replace(struct.pack("<H", 60_000), struct.pack("<H", tag), 1)


def _tif(values: NDArray[np.generic], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


_OTHER_TIFFS: tuple[tuple[str, Callable[..., bytes]], ...] = (
    ("16", lambda colour, **tags: _tif(_deep(colour, 16), photometric="rgb", **tags)),
    ("float", lambda colour, **tags: _tif(colour / np.float32(255), photometric="rgb", **tags)),
    ("signed-8", lambda colour, **tags: _tif((colour[..., 1].astype(np.int16) - 128).astype(np.int8), **tags)),
    ("big-endian", lambda colour, **tags: _tif(colour, photometric="rgb", bigtiff=True, byteorder=">", **tags)),
)
"""Kinds that Pillow does not decode."""


def _turned_tiff(orientation: int, make: Callable[..., bytes]) -> bytes:
    stored = np.asarray(portrait().transpose(Image.Transpose(_STORED_TURNS[orientation])))
    return make(stored, extratags=[(274, "H", 1, orientation, True)])


def _tiff_with_mask() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(_grey() > 99, photometric="minisblack", subfiletype=4, metadata=None)
        file.write(_pixels(), photometric="rgb", metadata=None)
    return buffer.getvalue()


def _tiff_with_narrow_palette() -> bytes:
    quantized = portrait().quantize(256)
    colours = np.array(quantized.getpalette(), np.uint16).reshape(-1, 3).T
    return _tif(np.asarray(quantized), photometric="palette", colormap=colours)


def _tiff_with_thumbnail() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(_pixels()[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
        file.write(_pixels(), photometric="rgb", metadata=None)
    return buffer.getvalue()


def _lab_tiff() -> bytes:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(portrait(), srgb, lab, outputMode="LAB")
    assert converted is not None
    return encoded(converted, "TIFF")


def _heic() -> Iterator[Case]:
    def case(name: str, make: Callable[..., bytes], problem: PhotoProblem | None = None) -> Case:
        return Case(name, make, problem, needs="pillow_heif")

    yield case("plain.heic", _heif)
    yield case("grid.heic", lambda: _heif(tile_size=128))
    for percent in (98, 80, 50):
        yield case(
            f"grid-cut-at-{percent}.heic",
            lambda percent=percent: _heif(tile_size=128)[: len(_heif(tile_size=128)) * percent // 100],
            P.DAMAGED,
        )
    yield case("trailing-garbage.heic", lambda: _heif(tile_size=128) + b"\xffgarbage" * 99)
    yield case("lossless.heic", lambda: _heif(quality=-1, chroma=444))
    yield case("grey.heic", lambda: _heif(portrait().convert("L")))
    yield case("alpha.heic", lambda: _heif(_with_alpha(255)))
    yield case("10-bit.heic", _heif_10_bit)
    for orientation in (3, 6, 8):
        yield case(f"orientation-{orientation}.heic", lambda orientation=orientation: _heif_turned(orientation))
    for brand in (b"heix", b"hevc", b"hevx", b"hevm", b"hevs", b"heim", b"heis", b"mif1", b"msf1", b"miaf"):
        yield case(f"brand-{brand.decode()}.heic", lambda brand=brand: _branded(_heif(), brand))
    yield case("brands-of-avif.heic", lambda: _heif().replace(b"mif1heicmiaf", b"avifmif1avis", 1))
    for brand in (b"1pic", b"mif3", b"MiHB"):
        yield case(
            f"brand-{brand.decode()}.heic", lambda b=brand: _branded(_heif(), b).replace(b"heicmiaf", b"mif1miaf")
        )
    yield case("junk-exif.heic", lambda: _heif(exif=b"Exif\0\0" + b"\xff" * 99))
    yield case("turned-exif.heic", _heif_with_false_exif)
    yield case("last-bytes-lost.heic", lambda: _heif()[:-9])
    yield case("cut-at-50.heic", lambda: _heif()[: len(_heif()) // 2], P.DAMAGED)


def _heif(image: Image.Image | None = None, **options: Any) -> bytes:
    from pillow_heif import from_pillow

    buffer = io.BytesIO()
    from_pillow(image or portrait()).save(buffer, **{"quality": 80, **options})
    return buffer.getvalue()


def _heif_turned(orientation: int) -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return _turned("HEIF", orientation)()


def _heif_with_false_exif() -> bytes:
    """Return a file whose boxes turn nothing, though its EXIF says that it is upside down."""
    data = _heif(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0")
    return data.replace(b"\x01\x12\0\x03\0\0\0\x01\0\x01", b"\x01\x12\0\x03\0\0\0\x01\0\x03")


def _heif_10_bit() -> bytes:
    from pillow_heif import encode

    buffer = io.BytesIO()
    encode("RGB;16", (SIDE, SIDE), _deep(_pixels(), 16).tobytes(), buffer, quality=80)
    return buffer.getvalue()


def _branded(data: bytes, brand: bytes) -> bytes:
    return data[:8] + brand + data[12:]


def _avif() -> Iterator[Case]:
    def case(name: str, make: Callable[..., bytes], problem: PhotoProblem | None = None) -> Case:
        return Case(name, make, problem, needs="PIL._avif")

    whole = _with("AVIF", quality=85, speed=10)
    yield case("plain.avif", whole)
    yield case("444.avif", _with("AVIF", quality=85, speed=10, subsampling="4:4:4"))
    yield case("alpha.avif", lambda: encoded(_with_alpha(255), "AVIF", speed=10))
    yield case("animated.avif", _avif_animation)
    yield case(
        "opens-with-nothing.avif", lambda: _animation("AVIF", [Image.new("RGBA", (SIDE, SIDE)), _with_alpha(255)])
    )
    yield case("brands-of-heic.avif", lambda: whole().replace(b"avifmif1miafMA1B", b"heicmif1miafMA1B", 1))
    for brand in (b"mif1", b"miaf", b"avis"):
        yield case(f"brand-{brand.decode()}.avif", lambda brand=brand: _branded(whole(), brand))
    for orientation in range(2, 9):
        yield case(f"orientation-{orientation}.avif", _turned("AVIF", orientation, quality=85, speed=10))
    yield case("junk-exif.avif", _avif_with_junk_exif)
    yield case("cut-at-50.avif", lambda: whole()[: len(whole()) // 2], P.DAMAGED)


def _avif_animation() -> bytes:
    return encoded(portrait(), "AVIF", save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE))], speed=10)


def _avif_with_junk_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "a description that is long enough to be damaged"
    content = exif.tobytes()
    data = encoded(portrait(), "AVIF", quality=85, speed=10, exif=exif)
    return data.replace(content[14:40], b"\xff" * 26)


def _jxl() -> Iterator[Case]:
    def case(name: str, make: Callable[..., bytes], problem: PhotoProblem | None = None) -> Case:
        return Case(name, make, problem, needs="imagecodecs")

    yield case("lossy.jxl", lambda: _jpeg_xl(_pixels()))
    yield case("lossless.jxl", lambda: _jpeg_xl(_pixels(), lossless=True))
    yield case("grey.jxl", lambda: _jpeg_xl(_grey()))
    yield case("16-bit.jxl", lambda: _jpeg_xl(_deep(_pixels(), 16)))
    yield case("12-in-16.jxl", lambda: _jpeg_xl(_deep(_pixels(), 12), lossless=True))
    yield case("float.jxl", lambda: _jpeg_xl(_pixels() / np.float32(255)))
    yield case("alpha.jxl", lambda: _jpeg_xl(np.asarray(_with_alpha(255))))
    yield case("rgba-12-in-16.jxl", lambda: _jpeg_xl(_deep(_bgra()[..., [2, 1, 0, 3]], 12), lossless=True))
    yield case("container.jxl", lambda: _jpeg_xl(_pixels(), usecontainer=True))
    yield case("cut-at-50.jxl", lambda: _jpeg_xl(_pixels())[:2000], P.DAMAGED)


def _jpeg_xl(values: NDArray[np.generic], **options: Any) -> bytes:
    from imagecodecs import jpegxl_encode

    return bytes(jpegxl_encode(values, **{"effort": 3, **options}))


def _others() -> Iterator[Case]:
    yield Case("nothing", lambda: b"", P.EMPTY)
    for name, content in (
        ("words.txt", b"just some words"),
        ("page.html", b"<!doctype html><img src=photo.jpg>"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
        ("paper.pdf", b"%PDF-1.7\n"),
        ("archive.zip", b"PK\x03\x04" + bytes(99)),
        ("layers.psd", b"8BPS\0\x01" + bytes(99)),
        ("canon.cr3", b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + bytes(99)),
        ("fuji.raf", b"FUJIFILMCCD-RAW 0201" + bytes(99)),
        ("zeros.bin", bytes(1000)),
        ("noise.bin", np.random.default_rng(1).integers(0, 255, 5000, np.uint8).tobytes()),
    ):
        yield Case(name, lambda content=content: content, P.NOT_A_PICTURE)
    yield Case("film.mp4", lambda: b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(99), P.DAMAGED)
    for form, name in (("JPEG2000", "photo.jp2"), ("ICO", "icon.ico"), ("PPM", "photo.ppm"), ("TGA", "photo.tga")):
        yield Case(name, _with(form), P.NOT_A_PICTURE)
