from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from training.reporting.slices import brightness, by_edges, by_fifths, contrast, disagreement, sharpness

FACES = easy_faces(20).pixels


@given(measure=hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 9)), seed=st.integers(0, 9))
def test_every_face_is_in_one_slice(measure: NDArray[np.float64], seed: int) -> None:
    right = np.random.default_rng(seed).random(len(measure)) < 0.5
    slices = by_fifths(measure, right)
    assert sum(each.right.n for each in slices) == len(measure)
    assert sum(each.right.count for each in slices) == right.sum()
    assert all(before.high < after.low for before, after in pairwise(slices))


def test_fifths_hold_as_many_faces_each() -> None:
    measure = np.arange(100, dtype=np.float64)
    slices = by_fifths(measure, measure < 20)
    assert [each.right.n for each in slices] == [20] * 5
    assert [each.right.value for each in slices] == [1, 0, 0, 0, 0]


def test_an_empty_slice_is_left_out() -> None:
    slices = by_edges(np.array([0.0, 0.0, 2.0]), np.array([True, False, True]), (0.5, 1.0))
    assert [(each.name, each.right.n) for each in slices] == [("0.0", 2), ("2.0", 1)]


def test_a_blurred_face_is_less_sharp() -> None:
    blurred = np.stack([cv2.GaussianBlur(face, (0, 0), 2) for face in FACES]).astype(np.uint8)
    assert (sharpness(blurred) < sharpness(FACES)).all()


def test_a_darker_face_is_less_bright_and_a_flatter_one_has_less_contrast() -> None:
    flat = (FACES * 0.5).astype(np.uint8)
    assert (brightness(flat) < brightness(FACES)).all()
    assert (contrast(flat) < contrast(FACES)).all()


def test_disagreement_is_in_bits() -> None:
    votes = np.array([[10, 0, 0, 0], [5, 5, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0]], np.float32)
    assert disagreement(votes) == pytest.approx([0, 1, 2, 0])
