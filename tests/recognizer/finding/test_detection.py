"""Face detection on photos with known content."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from recognizer import PhotoError, PhotoProblem
from recognizer.clock import ProcessorClock
from recognizer.finding.detection import DetectorError, FaceDetector
from recognizer.finding.face_geometry import Detection
from training import scenes
from training.data import Faces

ASTRONAUT = skimage.data.astronaut()


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load()


def _only(faces: list[Detection]) -> Detection:
    assert len(faces) == 1
    return faces[0]


def test_the_astronaut_is_found_where_she_is(detector: FaceDetector) -> None:
    face = _only(detector.find(ASTRONAUT))
    right_eye, left_eye, nose, mouth = face.keypoints[:4]
    assert np.linalg.norm(right_eye - (206, 106)) < 14
    assert np.linalg.norm(left_eye - (243, 106)) < 14
    assert right_eye[1] < nose[1] < mouth[1]
    assert face.score > 0.9


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_turned_photo_has_its_face_the_right_way_up(detector: FaceDetector, quarter_turns: int) -> None:
    upright = _only(detector.find(ASTRONAUT[:300, 80:380]))
    turned = _only(detector.find(np.ascontiguousarray(np.rot90(ASTRONAUT[:300, 80:380], quarter_turns))))
    down = upright.keypoints[3] - upright.keypoints[:2].mean(axis=0)
    turned_down = turned.keypoints[3] - turned.keypoints[:2].mean(axis=0)
    for _ in range(quarter_turns):
        down = np.array([down[1], -down[0]])
    assert np.linalg.norm(turned_down - down) < 0.4 * np.linalg.norm(down)


def test_a_dark_photo_is_searched_as_well(detector: FaceDetector) -> None:
    assert detector.find((ASTRONAUT * 0.2).astype(np.uint8))


def test_a_small_face_in_a_large_photo_is_found(detector: FaceDetector) -> None:
    scene = np.full((960, 1280, 3), 90, np.uint8)
    scene[600:760, 1000:1160] = cv2.resize(ASTRONAUT[40:210, 140:310], (160, 160), interpolation=cv2.INTER_AREA)
    box = _only(detector.find(scene)).box
    assert 1000 < box.x + box.width / 2 < 1160
    assert 600 < box.y + box.height / 2 < 760


def test_several_faces_come_biggest_first(detector: FaceDetector) -> None:
    scene = np.full((700, 1200, 3), 200, np.uint8)
    for x, side in ((40, 200), (300, 400), (800, 300)):
        scene[100 : 100 + side, x : x + side] = cv2.resize(ASTRONAUT[:250, 100:350], (side, side))
    widths = [face.box.width for face in detector.find(scene)]
    assert len(widths) == 3
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "coffee", "moon", "page", "text"])
def test_nothing_is_found_where_nobody_is(detector: FaceDetector, name: str) -> None:
    photo = getattr(skimage.data, name)()
    assert detector.find(photo if photo.ndim == 3 else cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)) == []


@pytest.mark.parametrize("shape", [(24, 24), (24, 2000), (3000, 30), (24, 30_000), (12_800, 24)])
def test_photos_of_any_shape_are_searched(detector: FaceDetector, shape: tuple[int, int]) -> None:
    assert detector.find(np.zeros((*shape, 3), np.uint8)) == []


@pytest.mark.parametrize(("width", "height"), [(5400, 900), (600, 5400), (640, 640)])
def test_a_face_anywhere_in_a_picture_of_any_shape_is_found(detector: FaceDetector, width: int, height: int) -> None:
    for x, y in ((0, 0), (width // 2 - 130, height // 2 - 70), (width - 140, height - 140)):
        scene = np.full((height, width, 3), 90, np.uint8)
        scene[y : y + 140, x : x + 140] = cv2.resize(ASTRONAUT[50:200, 150:300], (140, 140))
        box = _only(detector.find(scene)).box
        assert x < box.x + box.width / 2 < x + 140
        assert y < box.y + box.height / 2 < y + 140


def test_a_photo_is_given_up_once_its_time_is_over(detector: FaceDetector) -> None:
    with pytest.raises(PhotoError) as error:
        detector.find(ASTRONAUT, ProcessorClock(limit_s=0))
    assert error.value.code == PhotoProblem.TOOK_TOO_LONG


def test_pasted_faces_are_found(detector: FaceDetector, faces: Faces) -> None:
    random = np.random.default_rng(3)
    found = 0
    for face in faces.pixels[:20]:
        scene, truth = scenes.pasted(face, 420, random)
        found += any(scenes.is_found(truth, each.box) for each in detector.find(scene))
    assert found >= 19


def test_forty_faces_are_found_in_one_photo(detector: FaceDetector, faces: Faces) -> None:
    crowd = scenes.crowd(faces.pixels[:40], side=100, columns=8)
    assert len(detector.find(crowd)) >= 36


def test_threads_find_what_one_finds(detector: FaceDetector) -> None:
    photos: list[NDArray[np.uint8]] = [ASTRONAUT, ASTRONAUT[:, ::-1].copy(), ASTRONAUT[:260, 100:360].copy()] * 4
    alone = [[face.score for face in detector.find(photo)] for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: [face.score for face in detector.find(photo)], photos))
    assert together == alone


@pytest.mark.parametrize("content", [None, b"not a model"])
def test_a_missing_or_damaged_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "face_detection_short_range.tflite").write_bytes(content)
    with pytest.raises(DetectorError, match=r"face_detection_short_range\.tflite is missing or damaged: restore it"):
        FaceDetector.load(tmp_path)


def test_a_doubtful_face_that_is_not_answered_still_counts_as_someone(
    detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = cv2.resize(ASTRONAUT, (512, 512))
    (sure,) = detector.find(photo)
    doubtful = replace(sure, score=0.8, box=replace(sure.box, x=sure.box.x + 250))
    monkeypatch.setattr(FaceDetector, "find_portrait", lambda *_: [])
    monkeypatch.setattr(FaceDetector, "_everywhere", lambda *_: [sure, doubtful])
    assert detector.find(photo) == [sure]
    assert detector.find_everyone(photo) == [sure, doubtful]


def test_where_nobody_is_reported_all_that_might_be_faces_are_covered(
    detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (face,) = detector.find(ASTRONAUT)
    doubtful = replace(face, score=0.4)
    monkeypatch.setattr(FaceDetector, "find_portrait", lambda *_: [])
    monkeypatch.setattr(FaceDetector, "_everywhere", lambda *_: [doubtful])
    assert detector.find(ASTRONAUT) == []
    assert detector.find_everyone(ASTRONAUT) == [doubtful]


def test_a_face_that_is_all_there_is_is_answered_however_sure_it_is(
    detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (face,) = detector.find(ASTRONAUT)
    for score in (0.6, 0.89, 0.9, 0.94, 0.96):
        alone = replace(face, score=score)
        monkeypatch.setattr(FaceDetector, "find_portrait", lambda *_: [])
        monkeypatch.setattr(FaceDetector, "_everywhere", lambda *_, alone=alone: [alone])
        assert detector.find(ASTRONAUT) == [alone]


def test_small_faces_beside_a_big_one_are_found_where_everyone_counts(detector: FaceDetector) -> None:
    astronaut = ASTRONAUT[30:180, 150:300]
    photo = cv2.resize(skimage.data.coffee(), (1280, 960))
    photo[200:620, 100:520] = cv2.resize(astronaut, (420, 420))
    photo[600:740, 1000:1140] = cv2.resize(astronaut, (140, 140))
    known, everyone = detector.find(photo), detector.find_everyone(photo)
    assert len(known) == 1
    assert [face.box.x for face in everyone[:1]] == pytest.approx([known[0].box.x])
    assert [1000 < face.box.x + face.box.width / 2 < 1140 for face in everyone] == [False, True]


@pytest.mark.parametrize("quarter_turns", [0, 2])
def test_few_faces_of_middle_size_come_out_upside_down(
    detector: FaceDetector, faces: Faces, quarter_turns: int
) -> None:
    random = np.random.default_rng(7)
    behind, found, wrong = scenes.background(random), 0, 0
    for face in faces.pixels[:120]:
        scene, truth = scenes.quarter_turned(*scenes.pasted(face, 240, random, behind), quarter_turns)
        for seen in detector.find(scene):
            if scenes.is_found(truth, seen.box):
                found += 1
                wrong += math.cos(seen.roll + quarter_turns * math.pi / 2) < -0.7
    assert found > 80
    assert wrong <= 2
