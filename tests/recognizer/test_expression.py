"""Intensity and cues: what the face mesh and key points add to the seven classes."""

import numpy as np
import pytest
import skimage.data

from recognizer import Cue, Expression
from recognizer.cues import lips_gap
from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import Box, Detection
from recognizer.finding.landmarks import Landmarker
from recognizer.finding.views import halved, shrunk

HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
STILL = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load()


def face(gap: float, roll_degrees: float = 0.0) -> Detection:
    mesh = np.zeros((468, 2), np.float32)
    mesh[[33, 263]] = (0.3, 0.4), (0.7, 0.4)
    mesh[[13, 14]] = (0.5, 0.7), (0.5, 0.7 + 0.4 * gap)
    roll = np.radians(roll_degrees)
    keypoints = np.zeros((6, 2), np.float32)
    keypoints[1] = 100 * np.cos(roll), 100 * np.sin(roll)
    return Detection(Box(0, 0, 200, 200), 1.0, keypoints, mesh)


def test_a_neutral_face_has_no_intensity_and_a_laugh_has_all_of_it() -> None:
    assert Expression.of(STILL, face(gap=0.0)).intensity == 0
    assert Expression.of(HAPPY, face(gap=0.0)).intensity == pytest.approx(0.5)
    assert Expression.of(HAPPY, face(gap=0.25)).intensity == pytest.approx(1)


def test_an_open_mouth_is_told_only_when_it_is_sure() -> None:
    assert Cue.OPEN_MOUTH in Expression.of(HAPPY, face(gap=0.14)).cues
    assert Cue.OPEN_MOUTH not in Expression.of(HAPPY, face(gap=0.12)).cues
    assert not Expression.of(HAPPY).cues


@pytest.mark.parametrize(("roll", "tilted"), [(0, False), (15, False), (-25, True), (90, False), (112, True)])
def test_a_head_is_tilted_but_a_photo_on_its_side_is_not(roll: float, tilted: bool) -> None:
    assert (Cue.TILTED_HEAD in Expression.of(STILL, face(0.0, roll)).cues) == tilted


def test_the_astronauts_smile_is_no_open_mouth_and_no_tilt(detector: FaceDetector) -> None:
    found = detector.find(skimage.data.astronaut())[0]
    assert not Expression.of(HAPPY, found).cues
    assert 0.6 < Expression.of(HAPPY, found).intensity < 0.8


def test_a_closer_look_shows_that_the_astronauts_smile_is_broad(detector: FaceDetector) -> None:
    photo = skimage.data.astronaut()
    found = detector.find(photo)[0]
    seen = Expression.of(HAPPY, found, Landmarker.load().find(halved(photo), found))
    assert seen.cues == {Cue.BROAD_SMILE}
    assert 0.5 <= seen.intensity < 0.7


def test_the_lips_gap_stays_the_same_when_the_photo_is_turned_or_shrunk(detector: FaceDetector) -> None:
    photo = skimage.data.astronaut()
    photos = [photo, np.ascontiguousarray(np.rot90(photo)), shrunk(photo, 0.7)]
    meshes = [detector.verifier.mesh_of([seen], detector.find(seen)[0])[0] for seen in photos]
    gaps = [lips_gap(mesh) for mesh in meshes]
    assert gaps == pytest.approx([gaps[0]] * 3, abs=0.03)
