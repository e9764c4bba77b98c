"""Which pixels around a known face show a person, and where its outline is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from recognizer.finding.detection import DetectorError, FaceDetector
from recognizer.finding.segmentation import CHIN, EARS, SIDE, HeadView, PersonSegmenter
from recognizer.finding.views import halved

ASTRONAUT: NDArray[np.uint8] = skimage.data.astronaut()


@pytest.fixture(scope="module")
def segmenter() -> PersonSegmenter:
    return PersonSegmenter.load()


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load()


def head_in(photo: NDArray[np.uint8], segmenter: PersonSegmenter, detector: FaceDetector) -> HeadView:
    levels = halved(photo)
    return segmenter.head(levels, detector.verifier.meshed(levels, detector.find(photo)[0]))


def test_the_astronauts_head_is_a_person_and_the_wall_is_not(
    segmenter: PersonSegmenter, detector: FaceDetector
) -> None:
    head = head_in(ASTRONAUT, segmenter, detector)
    assert head.view.shape == (SIDE, SIDE, 3)
    middle = head.outline.mean(axis=0).round().astype(int)
    assert head.person[middle[1], middle[0]] > 0.95
    assert head.person[: SIDE // 20].max() < 0.2, "nobody is above her"
    assert 0.8 < head.inside.mean() < 1, "her head is near the upper edge"


def test_the_outline_runs_from_the_forehead_over_the_ears_to_the_chin(
    segmenter: PersonSegmenter, detector: FaceDetector
) -> None:
    outline = head_in(ASTRONAUT, segmenter, detector).outline
    assert outline[0, 1] < outline[list(EARS), 1].min() < outline[list(EARS), 1].max() < outline[CHIN, 1]
    assert outline[EARS[1], 0] < outline[0, 0] < outline[EARS[0], 0]
    assert 0.4 < np.ptp(outline[:, 0]) / np.ptp(outline[:, 1]) < 1.1


def test_a_turned_photo_shows_the_same_head_upright(segmenter: PersonSegmenter, detector: FaceDetector) -> None:
    upright = head_in(ASTRONAUT, segmenter, detector)
    turned = head_in(np.ascontiguousarray(np.rot90(ASTRONAUT)), segmenter, detector)
    assert np.abs(upright.person - turned.person).mean() < 0.06
    assert np.abs(upright.outline - turned.outline).max() < SIDE / 16


def test_what_lies_beyond_the_photo_is_nobody(segmenter: PersonSegmenter, detector: FaceDetector) -> None:
    head = head_in(np.ascontiguousarray(ASTRONAUT[40:220, 140:310]), segmenter, detector)
    assert 0.1 < head.inside.mean() < 0.9
    assert head.person[~head.inside].max() == 0


def test_a_face_without_a_mesh_is_refused(segmenter: PersonSegmenter, detector: FaceDetector) -> None:
    face = replace(detector.find(ASTRONAUT)[0], mesh=None)
    with pytest.raises(ValueError, match="no mesh"):
        segmenter.head(halved(ASTRONAUT), face)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"selfie_segmentation\.tflite is missing or damaged"):
        PersonSegmenter.load(tmp_path)
