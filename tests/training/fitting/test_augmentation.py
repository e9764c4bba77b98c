import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from tests.training.recipes import LIVELY
from training.fitting.augmentation import augmented, cut_in, mixed_up
from training.fitting.recipe import Augmentation

STILL = Augmentation()
CHANGES = {
    "rotation_degrees": 20,
    "shift": 0.2,
    "zoom": 0.3,
    "stretch": 0.2,
    "brightness": 0.3,
    "contrast": 0.5,
    "gamma": 0.5,
    "side_light": 0.5,
    "low_resolution": 1,
    "blur": 1,
    "noise": 1,
    "jpeg": 1,
    "erase": 1,
}


@pytest.fixture(scope="module")
def faces() -> NDArray[np.uint8]:
    return easy_faces(64).pixels


def drawn(faces: NDArray[np.uint8], limits: Augmentation, seed: int = 0) -> NDArray[np.uint8]:
    return augmented(faces, limits, np.random.default_rng(seed))


def test_without_limits_nothing_changes(faces: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(drawn(faces, STILL), faces)


def test_no_faces_stay_no_faces(faces: NDArray[np.uint8]) -> None:
    assert drawn(faces[:0], LIVELY).shape == (0, 48, 48)


def test_the_same_seed_yields_the_same_faces(faces: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(drawn(faces, LIVELY), drawn(faces, LIVELY))
    assert (drawn(faces, LIVELY) != drawn(faces, LIVELY, seed=1)).any()


@pytest.mark.parametrize(("change", "limit"), CHANGES.items())
def test_each_change_alone_changes_most_faces_and_keeps_their_form(
    faces: NDArray[np.uint8], change: str, limit: float
) -> None:
    seen = drawn(faces, Augmentation.model_validate({change: limit}))
    assert seen.shape == faces.shape
    assert seen.dtype == np.uint8
    assert (seen != faces).any(axis=(1, 2)).mean() > 0.9


def test_a_flip_is_a_mirror_image_of_about_half_of_the_faces(faces: NDArray[np.uint8]) -> None:
    seen = drawn(faces, Augmentation(flip=True))
    same = (seen == faces).all(axis=(1, 2))
    mirrored = (seen == faces[:, :, ::-1]).all(axis=(1, 2))
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_a_face_by_no_more_than_its_limit() -> None:
    dot = np.zeros((64, 48, 48), np.uint8)
    dot[:, 23:25, 23:25] = 255
    seen = drawn(dot, Augmentation(shift=0.1)).astype(float)
    mass = seen.sum(axis=(1, 2))
    x = (seen.sum(axis=1) * np.arange(48)).sum(axis=1) / mass
    y = (seen.sum(axis=2) * np.arange(48)).sum(axis=1) / mass
    for moved in (x - 23.5, y - 23.5):
        assert np.abs(moved).max() <= 4.8 + 0.05
        assert np.abs(moved).max() > 3
        assert abs(moved.mean()) < 1.5


def test_a_rotation_keeps_the_middle_where_it_is() -> None:
    dot = np.zeros((32, 48, 48), np.uint8)
    dot[:, 22:26, 22:26] = 255
    seen = drawn(dot, Augmentation(rotation_degrees=45)).astype(float)
    mass = seen.sum(axis=(1, 2))
    np.testing.assert_allclose(mass / 255, 16, atol=0.8)
    np.testing.assert_allclose((seen.sum(axis=1) * np.arange(48)).sum(axis=1) / mass, 23.5, atol=0.05)


def test_erasing_covers_one_rectangle_of_at_most_a_fifth() -> None:
    grey = np.full((64, 48, 48), 100, np.uint8)
    for face in drawn(grey, Augmentation(erase=1)):
        y, x = np.nonzero(face != 100)
        assert (np.ptp(y) + 1) * (np.ptp(x) + 1) <= 0.23 * face.size if len(y) else True


def test_mixing_keeps_most_of_each_face_and_mixes_targets_by_the_same_shares(faces: NDArray[np.uint8]) -> None:
    pixels, targets = faces.astype(np.float32), np.eye(64, dtype=np.float32)
    mixed, mixed_targets = mixed_up([pixels, targets], 0.4, np.random.default_rng(0))
    own = mixed_targets.diagonal()
    assert (own >= 0.5).all()
    assert (own < 0.99).any()
    np.testing.assert_allclose(mixed_targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed, np.tensordot(mixed_targets, pixels, 1), rtol=1e-4)


def test_mixing_of_strength_zero_changes_nothing(faces: NDArray[np.uint8]) -> None:
    columns = [faces.astype(np.float32)]
    assert mixed_up(columns, 0, np.random.default_rng(0)) is columns


def test_a_picture_cut_in_brings_its_share_of_the_target() -> None:
    pictures = np.repeat(np.arange(40, dtype=np.float32), 48 * 48).reshape(40, 48, 48)
    targets = np.eye(40, dtype=np.float32)
    seen, mixed = cut_in([pictures, targets], 1.0, np.random.default_rng(0))
    for own, (picture, target) in enumerate(zip(seen, mixed, strict=True)):
        others = picture != own
        assert target[own] == pytest.approx(1 - others.mean(), abs=1e-6)
        assert target.sum() == pytest.approx(1)
        if others.any():
            assert target[int(picture[others][0])] == pytest.approx(others.mean(), abs=1e-6)
    assert np.mean([target.max() < 1 for target in mixed]) > 0.1


def test_no_share_cuts_nothing_in(faces: NDArray[np.uint8]) -> None:
    columns = [faces.astype(np.float32)]
    assert cut_in(columns, 0.0, np.random.default_rng(0)) is columns
