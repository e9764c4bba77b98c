"""JPEGs without their end: a flat bottom is so few bytes that the last ones lost are many of its blocks."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from recognizer import PhotoError, PhotoProblem
from recognizer.decoding.jpeg import decode_jpeg
from tests.pictures import encoded
from tests.recognizer.decoding.picture_cases import SIDE, portrait

END = b"\xff\xd9"
OPTIONS: tuple[dict[str, Any], ...] = ({"optimize": True}, {"progressive": True}, {"optimize": False})


def framed(colour: str, height: int, **options: Any) -> bytes:
    """Return the portrait above a flat area."""
    whole = Image.new("RGB", (SIDE, height), colour)
    whole.paste(portrait(), (0, 0))
    return encoded(whole, "JPEG", quality=85, **options)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("colour", ["white", "black", "teal"])
@pytest.mark.parametrize("lost", [2, 3, 4, 8])
def test_a_flat_bottom_without_its_last_bytes_is_read(options: dict[str, Any], colour: str, lost: int) -> None:
    data = framed(colour, 1600, **options)
    whole, cut = decode_jpeg(data).pixels, decode_jpeg(data[:-lost]).pixels
    assert np.array_equal(cut[: SIDE // 2], whole[: SIDE // 2])
    assert np.mean(np.any(cut != whole, axis=(1, 2))) < 0.02


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        (options, ending)
        for options in OPTIONS
        for ending in (b"", bytes(2), bytes(20_000), END)
        if not ("progressive" in options and ending == END)  # its first scans show all of it
    ],
)
def test_a_picture_cut_above_its_flat_bottom_is_refused(options: dict[str, Any], ending: bytes) -> None:
    data = framed("white", 1600, **options)
    with pytest.raises(PhotoError) as error:
        decode_jpeg(data[: len(data) // 2] + ending)
    assert error.value.code == PhotoProblem.DAMAGED


def test_a_bottom_of_the_grey_that_stands_for_missing_pixels_is_read() -> None:
    pixels = decode_jpeg(framed("#808080", 800, subsampling=0)).pixels
    assert (pixels[-1] == 128).all()
