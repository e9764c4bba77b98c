"""Landmarks and blendshapes of a known face, and that left and right are the person's own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from recognizer.finding.detection import DetectorError, FaceDetector
from recognizer.finding.landmarks import BLENDSHAPES, Landmarker, Landmarks
from recognizer.finding.views import halved

ASTRONAUT: NDArray[np.uint8] = skimage.data.astronaut()
RIGHT_LIDS, LEFT_LIDS = ((159, 145), (160, 144), (158, 153)), ((386, 374), (385, 380), (387, 373))


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker.load()


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load()


@pytest.fixture(scope="module")
def astronaut(landmarker: Landmarker, detector: FaceDetector) -> Landmarks:
    return landmarker.find(halved(ASTRONAUT), detector.find(ASTRONAUT)[0])


def test_the_astronaut_smiles_with_open_eyes(astronaut: Landmarks) -> None:
    assert astronaut.points.shape == (478, 2)
    assert astronaut.blendshapes.shape == (len(BLENDSHAPES),) == (52,)
    assert min(astronaut.both("mouth_smile")) > 0.6
    assert max(astronaut.both("eye_blink")) < 0.3
    assert astronaut.blendshape("jaw_open") < 0.3


def test_a_smile_stays_one_in_a_turned_photo(landmarker: Landmarker, detector: FaceDetector) -> None:
    turned = np.ascontiguousarray(np.rot90(ASTRONAUT))
    assert min(landmarker.find(halved(turned), detector.find(turned)[0]).both("mouth_smile")) > 0.6


@pytest.mark.parametrize(
    ("lids", "shut", "other"),
    [(LEFT_LIDS, "eye_blink_left", "eye_blink_right"), (RIGHT_LIDS, "eye_blink_right", "eye_blink_left")],
)
def test_the_eye_that_is_shut_blinks(
    landmarker: Landmarker, astronaut: Landmarks, lids: tuple[tuple[int, int], ...], shut: str, other: str
) -> None:
    points = astronaut.points.copy()
    for upper, lower in lids:
        points[upper] = points[lower]
    blinked = Landmarks(points, landmarker.blendshapes(points))
    assert blinked.blendshape(shut) > astronaut.blendshape(shut) + 0.2
    assert blinked.blendshape(other) < blinked.blendshape(shut) - 0.2


def test_where_the_points_are_and_in_what_unit_changes_nothing(landmarker: Landmarker, astronaut: Landmarks) -> None:
    moved = landmarker.blendshapes(astronaut.points * np.float32(3) + np.float32(500))
    np.testing.assert_allclose(moved, astronaut.blendshapes, atol=0.01)


def test_threads_find_what_one_finds(landmarker: Landmarker, detector: FaceDetector, astronaut: Landmarks) -> None:
    levels, face = halved(ASTRONAUT), detector.find(ASTRONAUT)[0]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: landmarker.find(levels, face), range(6)))
    assert all(np.array_equal(each.blendshapes, astronaut.blendshapes) for each in found)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"face_landmarks_detector\.tflite is missing or damaged"):
        Landmarker.load(tmp_path)
