"""Decoding: all formats come out upright, and all errors have a reason."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from recognizer.photo import MAX_BYTES, WORKING_SIDE, PhotoError, PhotoProblem, decode
from tests.pictures import checkers, encoded, png_bomb

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


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [checkers(), Image.new("RGB", (96, 64))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).pixels.max() > 200


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


SAMPLES = [encoded(checkers(), form) for form in FORMATS]


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
