"""Following faces through live pictures: where they were, steady, and for a part of the work of a whole reading."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from recognizer import Box, Face, PhotoError, PhotoProblem, Reading, Recognizer
from recognizer.following import SEARCH_EVERY, steadied_box, steadied_emotions
from tests.conftest import jpeg
from training.data import Faces

ASTRONAUT = skimage.data.astronaut()


def _scene(x: int, y: int) -> NDArray[np.uint8]:
    """Return a frame of 640x480 with the astronaut's face at a place."""
    frame = np.full((480, 640, 3), 120, np.uint8)
    frame[y : y + 200, x : x + 200] = cv2.resize(ASTRONAUT[20:220, 120:320], (200, 200))
    return frame


def _middle(face: Face) -> tuple[float, float]:
    return face.box.x + face.box.width / 2, face.box.y + face.box.height / 2


def test_a_face_is_followed_where_it_moves(recognizer: Recognizer) -> None:
    reading = recognizer.follow(_scene(100, 100))
    start = _middle(reading.faces[0])
    for step in range(1, 12):
        reading = recognizer.follow(_scene(100 + 12 * step, 100 + 6 * step), reading)
        (face,) = reading.faces
        assert _middle(face) == pytest.approx((start[0] + 12 * step, start[1] + 6 * step), abs=25)
        assert reading.age == step
    assert face.emotion == "happy"


def test_bytes_are_followed_as_pixels_are(recognizer: Recognizer) -> None:
    reading = recognizer.follow(jpeg(_scene(100, 100)))
    (face,) = recognizer.follow(jpeg(_scene(110, 100)), reading).faces
    (same,) = recognizer.follow(_scene(110, 100), recognizer.follow(_scene(100, 100))).faces
    assert _middle(face) == pytest.approx(_middle(same), abs=8)


def test_what_was_read_of_a_photo_can_be_followed(recognizer: Recognizer, group_photo: bytes) -> None:
    before = recognizer.read(group_photo)
    reading = recognizer.follow(group_photo, before)
    assert len(reading.faces) == 2
    assert reading.age == 1


def test_a_face_that_is_gone_is_looked_for_everywhere(recognizer: Recognizer) -> None:
    reading = recognizer.follow(_scene(20, 20))
    (face,) = recognizer.follow(_scene(420, 250), reading).faces
    assert face.box.x > 300
    assert recognizer.follow(np.full((480, 640, 3), 120, np.uint8), reading).faces == ()


def test_who_comes_in_is_seen_after_a_while(recognizer: Recognizer) -> None:
    both = _scene(20, 20)
    both[250:450, 420:620] = both[20:220, 20:220]
    reading = recognizer.follow(_scene(20, 20))
    for _ in range(SEARCH_EVERY):
        reading = recognizer.follow(both, reading)
    assert len(reading.faces) == 2
    assert reading.age == 0


def test_a_still_picture_comes_to_what_a_photo_says(recognizer: Recognizer, faces: Faces) -> None:
    frame = np.full((480, 640, 3), 120, np.uint8)
    large = cv2.resize(faces.pixels[8], (300, 300), interpolation=cv2.INTER_CUBIC)
    frame[90:390, 170:470] = large[..., None]
    reading: Reading | None = None
    for _ in range(SEARCH_EVERY):
        reading = recognizer.follow(frame, reading)
    assert reading is not None
    wanted = recognizer.read(jpeg(frame, quality=98)).faces[0].probabilities
    assert np.abs(np.subtract(reading.faces[0].probabilities, wanted)).max() < 0.2


def test_two_faces_that_end_in_one_place_become_one(recognizer: Recognizer) -> None:
    before = recognizer.follow(_scene(100, 100))
    (face,) = before.faces
    beside = replace(face, box=replace(face.box, x=face.box.x + 0.2 * face.box.width))
    assert len(recognizer.follow(_scene(100, 100), replace(before, faces=(face, beside))).faces) == 1


@pytest.mark.parametrize("shape", [(100, 100), (100, 100, 4)])
def test_arrays_that_are_no_pictures_are_refused(recognizer: Recognizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pixels must be uint8"):
        recognizer.follow(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(0, 0, 3), (5, 100, 3)])
def test_a_frame_that_is_too_small_is_refused(recognizer: Recognizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(PhotoError) as error:
        recognizer.follow(np.zeros(shape, np.uint8))
    assert error.value.code == PhotoProblem.TOO_SMALL


def test_bytes_that_are_no_picture_are_refused(recognizer: Recognizer) -> None:
    with pytest.raises(PhotoError):
        recognizer.follow(b"no picture")


def test_still_boxes_do_not_tremble_and_moving_ones_are_not_left_behind() -> None:
    before = Box(100, 100, 100, 100)
    assert steadied_box(before, Box(102, 100, 100, 100)).x == pytest.approx(100.86)
    assert steadied_box(before, Box(160, 100, 100, 100)) == Box(160, 100, 100, 100)


def test_emotions_change_bit_by_bit() -> None:
    shown: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    now = np.array([0, 1, 0, 0, 0, 0, 0], np.float32)
    for _ in range(4):
        shown = steadied_emotions(shown, now)
        assert sum(shown) == pytest.approx(1)
    assert 0.8 < shown[1] < 1
