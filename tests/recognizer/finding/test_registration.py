"""Registration: a face is framed as in FER2013, whatever its orientation in the photo."""

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from recognizer.finding.detection import FaceDetector
from recognizer.finding.registration import FRAME_SIZES, frame_of, framings, register
from recognizer.finding.views import scale_of
from recognizer.reader import Recognizer
from training import scenes
from training.data import Faces


def _crop(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return register(photo, FaceDetector.load().find(photo)[0])


def test_size_and_place_of_the_face_do_not_matter() -> None:
    face = skimage.data.astronaut()[:260, 90:350]
    scene = np.full((800, 1000, 3), 128, np.uint8)
    scene[200:720, 300:820] = cv2.resize(face, (520, 520), interpolation=cv2.INTER_CUBIC)
    small, large = _crop(np.ascontiguousarray(face)), _crop(scene)
    assert small.shape == large.shape == (48, 48)
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.95


def test_looks_differ_in_size_around_the_same_place() -> None:
    photo = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = FaceDetector.load().find(photo)
    middle = np.array([23.5, 23.5, 1])
    for size, look in zip(FRAME_SIZES, framings(photo, face), strict=True):
        frame = frame_of(face, size)
        assert scale_of(frame) == pytest.approx(size * scale_of(frame_of(face)))
        assert frame @ middle == pytest.approx(frame_of(face) @ middle)
        np.testing.assert_array_equal(look, register(photo, face, size))


def test_a_quarter_turn_is_turned_back() -> None:
    face = np.ascontiguousarray(skimage.data.astronaut()[:260, 90:350])
    upright, turned = _crop(face), _crop(np.ascontiguousarray(np.rot90(face)))
    assert np.corrcoef(upright.ravel(), turned.ravel())[0, 1] > 0.9


def test_a_pasted_face_keeps_its_label(recognizer: Recognizer, faces: Faces) -> None:
    random, detector, same, found = np.random.default_rng(4), FaceDetector.load(), 0, 0
    for face in faces.pixels[:60]:
        scene, truth = scenes.pasted(face, 420, random)
        seen = [each for each in detector.find(scene) if scenes.is_found(truth, each.box)]
        if seen:
            found += 1
            raw, registered = recognizer.classify(np.stack([face, register(scene, seen[0])])).argmax(axis=1)
            same += raw == registered
    assert same / found > 0.75
