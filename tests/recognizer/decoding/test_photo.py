"""Decoding: all formats come out upright, and all errors have a reason."""

import io
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from recognizer.decoding.photo import MAX_BYTES, WORKING_SIDE, PhotoError, PhotoProblem, decode, glance, is_cheap
from recognizer.decoding.working_size import working_size
from tests.pictures import checkers, encoded, flat_png, png_bomb

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_keeps_its_colours(form: str) -> None:
    pixels = decode(encoded(checkers(), form)).pixels
    assert pixels.shape == (64, 96, 3)
    assert np.abs(pixels[8, 8].astype(int) - (250, 20, 20)).max() < 30


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_exif_orientation_comes_out_upright(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(checkers(), form, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")).astype(int)
    upright = decode(data).pixels
    assert upright.shape == expected.shape
    assert np.abs(upright - expected).mean() < 4


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16", "I"])
def test_every_pixel_mode_is_read(mode: str) -> None:
    grey = checkers().convert("L")
    wide = np.asarray(grey).astype(np.uint16) * 257
    image = Image.fromarray(wide) if mode == "I;16" else checkers().convert(mode)
    pixels = decode(encoded(image, "JPEG" if mode == "CMYK" else "TIFF" if mode == "I" else "PNG")).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == (64, 96, 3)
    assert 60 < pixels.mean() < 200


def test_transparent_parts_become_white() -> None:
    assert decode(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG")).pixels.min() == 255


def test_heic_is_read() -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    assert decode(encoded(checkers(128, 96), "HEIF")).pixels.shape == (96, 128, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_photo_is_shrunk_and_says_by_how_much(form: str) -> None:
    photo = decode(encoded(checkers(5000, 3000), form))
    assert photo.pixels.shape == (768, WORKING_SIDE, 3)
    assert photo.scale == pytest.approx(5000 / WORKING_SIDE)


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [
        ((1280, 960), (1280, 960)),
        ((4000, 3000), (1280, 960)),
        ((4000, 2000), (1280, 640)),
        ((4002, 2000), (1281, 640)),
        ((12_000, 2000), (3840, 640)),
        ((1080, 15_000), (470, 6532)),
        ((640, 5000), (627, 4899)),
        ((24, 100_000), (2, 8192)),
        ((500, 2000), (500, 2000)),
    ],
)
def test_panoramas_keep_more_pixels(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    assert working_size(*size) == shrunk
    assert working_size(*reversed(size)) == shrunk[::-1]


@given(short=st.integers(24, 3000), aspect=st.floats(1, 60))
def test_no_photo_has_many_more_pixels_than_a_plain_one(short: int, aspect: float) -> None:
    width, height = working_size(round(short * aspect), short)
    assert width * height <= 3_080_000
    assert width <= 8192
    assert height <= WORKING_SIDE


@pytest.mark.parametrize(("form", "size"), [("PNG", (6000, 1000)), ("JPEG", (6000, 1000)), ("JPEG", (1000, 9000))])
def test_a_panorama_says_by_how_much_it_is_shrunk(form: str, size: tuple[int, int]) -> None:
    photo = decode(encoded(checkers(*size), form))
    assert photo.pixels.shape[1::-1] == working_size(*size)
    assert photo.scale == pytest.approx(max(size) / max(photo.pixels.shape))


@pytest.mark.parametrize(
    ("size", "glanced"),
    [((4032, 3024), (504, 378)), ((1280, 960), (320, 240)), ((639, 480), (639, 480)), ((300, 200), (300, 200))],
)
def test_a_glance_is_the_smallest_that_is_not_too_small(size: tuple[int, int], glanced: tuple[int, int]) -> None:
    data = encoded(checkers(*size), "JPEG")
    photo = glance(data)
    assert photo.pixels.shape[1::-1] == glanced
    assert photo.scale == pytest.approx(size[0] / glanced[0])
    assert photo.is_reduced == (size != glanced)
    assert not decode(data).is_reduced


def test_a_glance_at_anything_but_a_jpeg_is_the_photo() -> None:
    data = encoded(checkers(2000, 1000), "PNG")
    assert glance(data).pixels.shape == decode(data).pixels.shape
    assert not glance(data).is_reduced


def test_only_simple_pictures_are_cheap() -> None:
    assert is_cheap(encoded(checkers(3000, 2000), "JPEG"))
    assert is_cheap(encoded(checkers(), "PNG"))
    expensive = (
        encoded(checkers(), "JPEG", progressive=True), png_bomb(3000, 3000), encoded(checkers(), "GIF"),
        encoded(checkers(), "WEBP"), encoded(checkers(), "TIFF"), b"", b"nothing",
    )  # fmt: skip
    assert not any(map(is_cheap, expensive))


def test_a_jpeg_with_more_scans_or_segments_than_it_needs_is_not_cheap() -> None:
    data = encoded(checkers(), "JPEG")
    scan = data.index(b"\xff\xda")
    empty = data[scan : scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")]
    assert is_cheap(data)
    assert not is_cheap(data[:-2] + empty + data[-2:])
    assert not is_cheap(data[:-2] + 60_000 * empty)
    comment = b"\xff\xfe\0\2"
    assert is_cheap(data[:scan] + 500 * comment + data[scan:])
    assert not is_cheap(data[:scan] + 60_000 * comment + data[scan:])
    assert not is_cheap(data[:-2] + 60_000 * comment + data[-2:])


_MEASURED = """
import resource, sys
from recognizer.decoding.photo import PhotoError, decode
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(data)
except PhotoError as error:
    assert error.code == "too_many_pixels"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured as Linux does")
@pytest.mark.parametrize(
    ("side", "depth", "colour"),
    [(7000, 1, 3), (7000, 8, 2), (7000, 8, 3), (7000, 8, 4), (7000, 8, 6), (7000, 16, 0), (5700, 16, 2), (5700, 16, 4)],
)
def test_no_picture_takes_much_memory(side: int, depth: int, colour: int) -> None:
    data = flat_png(side, side, depth, colour)
    run = subprocess.run([sys.executable, "-c", _MEASURED], input=data, capture_output=True, check=True)
    assert int(run.stdout) < 290_000


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [checkers(), Image.new("RGB", (96, 64))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).pixels.max() > 200


def test_a_large_animation_is_not_searched_for_a_frame_that_shows_something() -> None:
    frames = [Image.new("RGBA", (6000, 6000)), Image.new("RGBA", (6000, 6000), "red")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2)
    assert decode(data).pixels.min() == 255


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", PhotoProblem.EMPTY),
        (b"\xff\xd8\xff" + bytes(MAX_BYTES), PhotoProblem.TOO_MANY_BYTES),
        (png_bomb(30_000, 30_000), PhotoProblem.TOO_MANY_PIXELS),
        (png_bomb(8_000, 8_000), PhotoProblem.TOO_MANY_PIXELS),
        (encoded(Image.new("RGB", (1, 1)), "PNG"), PhotoProblem.TOO_SMALL),
        (b"%PDF-1.7 named holiday.jpg", PhotoProblem.NOT_A_PICTURE),
        (b"just some words", PhotoProblem.NOT_A_PICTURE),
        (encoded(checkers(), "JPEG")[:-200], PhotoProblem.DAMAGED),
        (encoded(checkers(), "PNG")[:120], PhotoProblem.DAMAGED),
        (encoded(checkers(), "WEBP")[:60], PhotoProblem.DAMAGED),
        (png_bomb(100, 100), PhotoProblem.DAMAGED),
    ],
)
def test_every_fault_has_its_code_and_a_sentence(data: bytes, problem: PhotoProblem) -> None:
    with pytest.raises(PhotoError) as error:
        decode(data)
    assert error.value.code == problem
    assert str(error.value).endswith(".")


SAMPLES = [encoded(checkers(), form) for form in (*FORMATS, "AVIF")] + [
    encoded(checkers(), "JPEG", progressive=True),
    flat_png(64, 48, 16, 6),
]


@settings(max_examples=300)
@given(
    sample=st.sampled_from(SAMPLES), edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), max_size=6)
)
def test_mutated_bytes_are_read_or_refused(sample: bytes, edits: list[tuple[int, bytes]]) -> None:
    data = bytearray(sample)
    for place, replacement in edits:
        start = place % len(data)
        data[start : start + len(replacement)] = replacement
    with suppress(PhotoError):
        assert decode(bytes(data)).pixels.ndim == 3


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 3_000_000 + b"\0",
        b"\xff\xd8" + b"\xff\x01" * 1_000_000,
        b"\xff\xd8" + b"\xff\xdb\0\2" * 1_000_000,
        encoded(checkers(), "JPEG")[:-2] + b"\xff" * 3_000_000,
    ],
)
def test_a_jpeg_of_nothing_but_markers_takes_no_time(data: bytes) -> None:
    started = time.process_time()
    is_cheap(data)
    with suppress(PhotoError):
        decode(data)
    assert time.process_time() - started < 60, "it took minutes where markers were looked for again and again"


def test_a_glance_at_a_jpeg_of_several_scans_is_not_followed_by_a_second_decoding() -> None:
    assert glance(encoded(checkers(3000, 2000), "JPEG")).is_reduced
    assert not glance(encoded(checkers(3000, 2000), "JPEG", progressive=True)).is_reduced
