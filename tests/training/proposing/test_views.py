"""The views that the proposal network learns from."""

import math

import numpy as np
import pytest

from recognizer.finding.proposals import REFERENCE_SIDE, STRIDE
from tests.training.faces import easy_faces
from training.proposing.views import CELLS, LEAST_SIDE, MOST_SIDE, VIEW, PlacedFace, ViewMaker, target_of


def test_the_same_seed_draws_the_same_views() -> None:
    faces = easy_faces(20).pixels
    one, other = (ViewMaker(faces, np.random.default_rng(3)) for _ in range(2))
    for _ in range(30):
        (view, placed), (again, placed_again) = one.draw(), other.draw()
        assert view.shape == (VIEW, VIEW)
        assert view.dtype == np.uint8
        assert np.array_equal(view, again)
        assert placed == placed_again


def test_a_cell_at_the_middle_of_a_face_proposes_it() -> None:
    target = target_of([PlacedFace(62.0, 70.0, 48.0, math.pi / 2)])
    column, row = (int(place // STRIDE) for place in (62, 70))
    is_face, weight, right, down, size = target[row, column].tolist()
    assert (is_face, weight) == (1, 1)
    assert (column + 0.5 + right) * STRIDE == pytest.approx(62)
    assert (row + 0.5 + down) * STRIDE == pytest.approx(70)
    assert REFERENCE_SIDE * 2**size == pytest.approx(48)


def test_cells_far_from_faces_propose_none() -> None:
    target = target_of([PlacedFace(30.0, 30.0, 40.0, 0.0)])
    assert target[CELLS // 2 :, :, 0].sum() == 0
    assert target[CELLS // 2 :, :, 1].min() == 1


@pytest.mark.parametrize("side", [LEAST_SIDE - 1, MOST_SIDE + 1])
def test_a_face_of_another_size_counts_neither_way(side: float) -> None:
    target = target_of([PlacedFace(64.0, 64.0, side, 0.0)])
    assert target[..., 0].sum() == 0
    assert target[CELLS // 2, CELLS // 2, 1] == 0
