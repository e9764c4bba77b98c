"""A face in a film is covered in every frame, also where it moves, vanishes from one search, or has just come in."""

import io

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from bots.messages import Form
from bots.pictures.film_encoding import GIF_BYTES, can_encode_mp4, gif, mp4
from bots.pictures.film_faces import MOST_TIME_S, SEARCH_EVERY, film_faces
from bots.pictures.maker import FaceEmoji, PictureMaker
from db import Platform
from recognizer import Box, PhotoError, PhotoProblem, Recognizer
from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import Photo
from recognizer.readings import Place
from tests.films import film, frames_in

FACE = cv2.resize(skimage.data.astronaut()[:256, 96:352], (160, 160), interpolation=cv2.INTER_AREA)
NOWHERE = Box(0, 0, 0, 0)


def moving(count: int, step: int = 6) -> list[NDArray[np.uint8]]:
    """Return frames of 480x270 in which a face moves to the right, `step` pixels a frame."""
    frames = []
    for number in range(count):
        canvas = np.full((270, 480, 3), 190, np.uint8)
        left = 10 + min(number * step, 300)
        canvas[60:220, left : left + 160] = FACE
        frames.append(canvas)
    return frames


def photos(frames: list[NDArray[np.uint8]]) -> list[Photo]:
    return [Photo(frame, 1.0) for frame in frames]


def test_a_moving_face_has_a_place_in_every_frame(recognizer: Recognizer) -> None:
    frames = moving(31)
    found = film_faces(recognizer, photos(frames))
    [track] = found.tracks
    assert found.length == 31
    assert set(track.places) == set(range(31))
    assert track.face is not None
    assert track.face.emotion == "happy"
    for number, frame in enumerate(frames):
        [true] = recognizer.places_in(Photo(frame, 1.0), ProcessorClock())
        box = track.places[number].box
        off = abs(box.x + box.width / 2 - true.box.x - true.box.width / 2)
        assert off < 0.2 * true.box.width


def test_a_face_that_comes_in_is_covered_before_it_was_seen_and_one_that_goes_for_a_while(
    recognizer: Recognizer,
) -> None:
    empty = np.full((270, 480, 3), 190, np.uint8)
    still = moving(1)[0]
    found = film_faces(recognizer, photos([empty] * 4 + [still] * 10 + [empty] * 12))
    [track] = found.tracks
    assert {4, 5, 6, 13, 14, 15} <= set(track.places)
    assert 25 not in track.places


@pytest.mark.parametrize("late", [1, 2])
def test_a_face_that_comes_in_with_the_last_frames_is_covered(recognizer: Recognizer, late: int) -> None:
    empty, still = np.full((270, 480, 3), 190, np.uint8), moving(1)[0]
    found = film_faces(recognizer, photos([empty] * (12 - late) + [still] * late))  # 12 is a multiple of SEARCH_EVERY
    [track] = found.tracks
    assert found.length == 12
    assert set(range(12 - late, 12)) <= set(track.places)


def test_a_face_that_is_in_none_of_the_frames_that_are_read_is_read_where_it_was_seen(
    recognizer: Recognizer, picture_maker: PictureMaker
) -> None:
    empty, still = np.full((270, 480, 3), 190, np.uint8), moving(1)[0]
    frames = [empty] * 8 + [still] * 4 + [empty] * 19
    [track] = film_faces(recognizer, photos(frames)).tracks
    assert track.face is not None
    assert track.face.emotion == "happy"
    assert picture_maker.emoji_me(film(frames), [], Platform.DISCORD) is not None


class Crowded:
    """A recogniser that sees a new face in every search, and reads none."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.readings = 0

    def places_in(self, _photo: Photo, _clock: ProcessorClock) -> tuple[Place, ...]:
        self.places.append(Place(Box(200 * len(self.places), 10, 100, 100), 0.0))
        return (self.places[-1],)

    def everyone_in(self, _photo: Photo) -> object:
        self.readings += 1
        return type("Reading", (), {"faces": ()})


def test_readings_are_few_however_many_faces_there_are() -> None:
    crowded = Crowded()
    found = film_faces(crowded, photos([np.zeros((48, 48, 3), np.uint8)] * 60))  # type: ignore[arg-type]
    assert len(found.tracks) == len(crowded.places) == 21
    assert crowded.readings == 6


class Blinking:
    """A recogniser that misses the face at one search."""

    def __init__(self, real: Recognizer, missed: int) -> None:
        self._real, self._missed, self._searches = real, missed, 0

    def places_in(self, photo: Photo, clock: ProcessorClock) -> tuple[Place, ...]:
        self._searches += 1
        return () if self._searches == self._missed else self._real.places_in(photo, clock)

    def everyone_in(self, photo: Photo) -> object:
        return self._real.everyone_in(photo)


def test_one_search_that_misses_a_face_uncovers_nothing(recognizer: Recognizer) -> None:
    found = film_faces(Blinking(recognizer, missed=4), photos(moving(31)))  # type: ignore[arg-type]
    [track] = found.tracks
    assert set(track.places) == set(range(31))


class Slow:
    """A recogniser that uses up a share of the time with every search."""

    def __init__(self, share: float) -> None:
        self._share = share

    def places_in(self, _photo: Photo, clock: ProcessorClock) -> tuple[Place, ...]:
        clock.spend(self._share * MOST_TIME_S)
        clock.check()
        return (Place(Box(10, 10, 100, 100), 0.0),)

    def everyone_in(self, _photo: Photo) -> object:
        return type("Reading", (), {"faces": ()})


def test_a_film_that_takes_too_long_ends_earlier_or_is_refused() -> None:
    shown = photos([np.zeros((48, 48, 3), np.uint8)] * 60)
    found = film_faces(Slow(0.1), shown)  # type: ignore[arg-type]
    assert 10 <= found.length < 60
    assert found.length % SEARCH_EVERY == 1  # nothing is shown after the last search
    assert max(max(track.places) for track in found.tracks) < found.length
    with pytest.raises(PhotoError) as error:
        film_faces(Slow(0.6), shown)  # type: ignore[arg-type]
    assert error.value.code == PhotoProblem.TOOK_TOO_LONG


@pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD])
def test_emoji_me_of_a_clip_is_a_clip_without_a_face(
    picture_maker: PictureMaker, recognizer: Recognizer, platform: Platform
) -> None:
    frames = moving(20)
    answered = FaceEmoji(recognizer.read(film(frames)).faces[0].probabilities, "🤩")
    made = picture_maker.emoji_me(film(frames), [answered], platform)
    assert made is not None
    assert made.form is Form.ANIMATION
    assert made.content[4:8] == b"ftyp" if platform is Platform.TELEGRAM and can_encode_mp4() else b"GIF8"
    shown = frames_in(made.content)
    assert len(shown) == 20
    for before, after in zip(frames, shown, strict=True):
        small = cv2.resize(before, after.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        [place] = recognizer.places_in(Photo(small, 1.0), ProcessorClock())
        x, y, side = (round(each) for each in (place.box.x, place.box.y, place.box.width))
        change = np.abs(after.astype(int) - small)[y : y + side, x : x + side]
        assert change.mean() > 40


def test_a_film_without_a_face_is_not_made(picture_maker: PictureMaker) -> None:
    assert picture_maker.emoji_me(film([np.full((96, 96, 3), 99, np.uint8)] * 12), [], Platform.TELEGRAM) is None


def test_an_mp4_has_even_sides_and_a_gif_fits_into_what_platforms_take() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (100, 271, 481, 3), np.uint8)
    if can_encode_mp4():
        assert frames_in(mp4(list(noise[:5]), 10))[0].shape == (270, 480, 3)
    content = gif(list(noise), 10)
    assert len(content) <= GIF_BYTES
    with Image.open(io.BytesIO(content)) as image:
        assert (image.info["duration"], image.info["loop"]) == (100, 0)
