"""Heads that are cut out: all of the face is in them, nothing beyond the photo, and no impossible shape."""

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bots.pictures.head_cutting import cut_out
from recognizer import Recognizer
from recognizer.decoding.photo import decode, shrunk_photo
from recognizer.finding.segmentation import CHIN, SIDE, HeadView
from tests.conftest import jpeg
from training.data import Faces
from training.scenes import pasted

ANGLES = np.linspace(0, 2 * np.pi, 36, endpoint=False)


def filled(outline: NDArray[np.floating]) -> NDArray[np.bool_]:
    mask = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [np.round(outline).astype(np.int32)], 1)
    return np.asarray(mask, np.bool_)


def drawn(person: NDArray[np.bool_], hair: tuple[int, int, int] = (40, 30, 20)) -> HeadView:
    """Return the view of a drawn face, 96 x 120 pixels in its middle, with hair down to the chin and a neck."""
    outline = SIDE / 2 + np.column_stack([48 * np.sin(ANGLES), -60 * np.cos(ANGLES)])
    view = np.full((SIDE, SIDE, 3), (90, 140, 200), np.uint8)
    cv2.ellipse(view, (192, 185), (80, 100), 0, 0, 360, hair, cv2.FILLED)
    cv2.rectangle(view, (165, 240), (219, SIDE), (220, 170, 140), cv2.FILLED)
    view[filled(outline)] = (220, 170, 140)
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    to_photo = np.array([[1.0, 0, 0], [0, 1, 0]])
    return HeadView(view, person.astype(np.float32), everywhere, outline.astype(np.float32), to_photo)


def of_drawing() -> NDArray[np.bool_]:
    """Return the pixels of the drawn person: hair, face and neck."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(mask, (192, 185), (80, 100), 0, 0, 360, 1, cv2.FILLED)
    cv2.rectangle(mask, (165, 240), (219, SIDE), 1, cv2.FILLED)
    return mask.astype(np.bool_)


def test_hair_is_part_of_the_head_and_the_neck_is_not() -> None:
    cut = cut_out(drawn(of_drawing())) > 0.5
    assert cut[110, 192], "hair above the forehead"
    assert cut[200, 128], "hair beside the cheek"
    assert not cut[300:, :].any(), "the neck"
    assert not cut[:, :90].any(), "the background"


def test_what_only_has_the_colour_of_the_hair_is_left_out() -> None:
    person = of_drawing()
    person[198:214] &= np.abs(np.arange(SIDE) - 192) < 46
    cut = cut_out(drawn(person)) > 0.5
    assert cut[185, 130], "hair beside the cheek"
    assert not cut[222, 130], "a collar below it"


def test_an_arm_beside_the_head_is_left_out() -> None:
    person = of_drawing()
    person[150:162, :192] = True
    cut = cut_out(drawn(person)) > 0.5
    assert cut[156, 125]
    assert not cut[156, 60]


@pytest.mark.parametrize("person", [np.zeros((SIDE, SIDE), np.bool_), np.ones((SIDE, SIDE), np.bool_)])
def test_an_impossible_cut_becomes_an_oval_around_the_face(person: NDArray[np.bool_]) -> None:
    head = drawn(person)
    cut = cut_out(head) > 0.5
    [edge], _ = cv2.findContours(cut.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filling = cv2.contourArea(edge) / cv2.contourArea(cv2.convexHull(edge))
    assert filling > 0.97, "it has no dents"
    assert 1 < cut.sum() / filled(head.outline).sum() < 1.7


def test_the_astronauts_head_ends_below_the_chin_and_has_her_hair(recognizer: Recognizer, selfie: bytes) -> None:
    photo = decode(selfie)
    head = recognizer.head_in(photo, recognizer.read(selfie).faces[0])
    cut = cut_out(head)
    rows = np.flatnonzero((cut > 0.5).any(axis=1))
    face_height = head.outline[CHIN, 1] - head.outline[0, 1]
    assert rows[0] < head.outline[0, 1] - 0.15 * face_height, "her hair"
    assert rows[-1] < head.outline[CHIN, 1] + 0.1 * face_height
    edge = (cut > 0) & (cut < 1)
    assert 0 < edge.sum() < 0.1 * cut.sum(), "the edge is smooth, and narrow"


def test_a_face_at_the_edge_is_cut_where_the_photo_ends(recognizer: Recognizer) -> None:
    photo = np.ascontiguousarray(skimage.data.astronaut()[60:260, 200:400])
    data = jpeg(photo)
    head = recognizer.head_in(decode(data), recognizer.read_everyone(data).faces[0])
    cut = cut_out(head)
    assert cut.max() == 1
    assert cut[~head.inside].max() == 0


def test_all_of_the_faces_outline_is_in_every_cut(recognizer: Recognizer, faces: Faces) -> None:
    random = np.random.default_rng(20261127)
    for row in random.choice(len(faces), 12, replace=False):
        scene, _ = pasted(faces.pixels[row], 240, random)
        photo = shrunk_photo(np.ascontiguousarray(scene))
        for face in recognizer.everyone_in(photo).faces[:1]:
            head = recognizer.head_in(photo, face)
            assert cut_out(head)[filled(head.outline) & head.inside].min() == 1


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(0, 300), flat=st.floats(-1, 1))
def test_no_outline_and_no_person_breaks_a_cut(seed: int, size: float, flat: float) -> None:
    random = np.random.default_rng(seed)
    outline = random.uniform(-100, SIDE + 100, 2) + size * random.uniform(-1, 1, (36, 2)) * (1, flat)
    person = cv2.resize(random.random((6, 6), np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    view = random.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    inside = np.broadcast_to(np.arange(SIDE) < random.integers(0, SIDE + 1), (SIDE, SIDE))
    to_photo = np.array([[1.0, 0, 0], [0, 1, 0]])
    seen = (np.clip(person, 0, 1) * inside).astype(np.float32)
    cut = cut_out(HeadView(view, seen, inside, outline.astype(np.float32), to_photo))
    assert cut.shape == (SIDE, SIDE)
    assert cut.min() >= 0
    assert cut.max() <= 1
    assert not cut[~inside].any()
