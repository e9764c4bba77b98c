"""The first seconds of every kind of clip, at a steady rate, and never more than the budget."""

import io
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from recognizer import PhotoError, PhotoProblem, Recognizer
from recognizer.decoding.clip import frames, is_clip
from recognizer.decoding.film import FRAME_RATE, MOST_S, SIDE, film
from tests.films import film as encoded_film
from tests.pictures import checkers, encoded


def greys(count: int, side: int = 64) -> list[NDArray[np.uint8]]:
    """Return pictures that get lighter, from black to white."""
    return [np.full((side, side, 3), 255 * number // max(1, count - 1), np.uint8) for number in range(count)]


def animation(form: str, pictures: Sequence[NDArray[np.uint8]], shown_ms: int | list[int] = 100) -> bytes:
    """Encode pictures as an animated file of Pillow's format."""
    buffer = io.BytesIO()
    first, *rest = [Image.fromarray(each) for each in pictures]
    first.save(buffer, form, save_all=True, append_images=rest, duration=shown_ms, lossless=True)
    return buffer.getvalue()


def means(data: bytes) -> list[float]:
    return [float(photo.pixels.mean()) for photo in film(data)]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_a_film(form: str) -> None:
    clip = animation(form, greys(12))
    assert is_clip(clip)
    assert means(clip) == pytest.approx([255 * number / 11 for number in range(12)], abs=3)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "mpeg4"), ("webm", "libvpx-vp9"), ("mov", "libx264")])
def test_a_video_is_a_film_to_its_last_frame(container: str, codec: str) -> None:
    found = means(encoded_film(greys(12), container, codec))
    assert len(found) == pytest.approx(12, abs=1)
    assert found[-1] == pytest.approx(255, abs=12)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_what_is_shown_long_stays_long(form: str) -> None:
    found = means(animation(form, greys(3), [500, 200, 100]))
    assert found == pytest.approx([0] * 5 + [127] * 2 + [255], abs=3)


def test_frames_without_a_time_are_shown_as_browsers_do() -> None:
    assert len(film(animation("WEBP", greys(4), 0))) == 4


def test_a_film_ends_after_its_longest_time() -> None:
    assert len(film(encoded_film(greys(130), options={"g": "30"}))) == MOST_S * FRAME_RATE
    assert len(film(animation("GIF", greys(3), [60_000, 60_000, 60_000]))) == MOST_S * FRAME_RATE


def test_frames_are_small_and_know_how_large_they_were() -> None:
    photo = film(encoded_film([np.full((720, 1280, 3), 99, np.uint8)] * 2))[0]
    assert photo.pixels.shape == (270, SIDE, 3)
    assert photo.scale == pytest.approx(1280 / SIDE)


def test_an_animated_picture_that_turns_out_to_be_still_is_one() -> None:
    clip = animation("WEBP", greys(1))
    assert len(film(clip)) == len(frames(clip)) == 1
    still = encoded(checkers(), "JPEG")
    assert not is_clip(still)
    assert len(film(still)) == 1


@pytest.mark.parametrize(("content", "problem"), [(b"", "empty"), (b"x", "not_a_picture"), (bytes(21 << 20), None)])
def test_what_is_no_clip_is_refused(content: bytes, problem: str | None) -> None:
    with pytest.raises(PhotoError) as error:
        film(content)
    assert error.value.code == (problem or PhotoProblem.TOO_MANY_BYTES)


@pytest.mark.parametrize("form", ["WEBP", "PNG"])
def test_the_clearest_moment_of_an_animation_is_read(recognizer: Recognizer, selfie: bytes, form: str) -> None:
    face = np.asarray(Image.open(io.BytesIO(selfie)))
    clip = animation(form, [np.zeros_like(face), np.zeros_like(face), face, face, face, np.zeros_like(face)])
    assert [found.emotion for found in recognizer.read(clip).faces] == ["happy"]


@settings(max_examples=60)
@given(form=st.sampled_from(["GIF", "WEBP", "PNG"]), place=st.integers(0, 3000), noise=st.binary(max_size=30))
def test_mutated_animations_are_read_or_refused(form: str, place: int, noise: bytes) -> None:
    data = animation(form, greys(4))
    place %= len(data)
    for work in (film, frames):
        with suppress(PhotoError):
            assert work(data[:place] + noise + data[place + len(noise) :])
