import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from tests.training.recipes import LIVELY, STILL, tiny_recipe
from training.networks import RandomWarp, augmentation, build


@pytest.fixture(scope="module")
def faces() -> NDArray[np.float32]:
    return (easy_faces(64).pixels[..., None] / 255).astype(np.float32)


def test_augmentation_leaves_faces_alone_outside_training(faces: NDArray[np.float32]) -> None:
    seen = keras.ops.convert_to_numpy(augmentation(LIVELY, seed=0)(faces, training=False))
    np.testing.assert_array_equal(seen, faces)


def test_augmentation_changes_faces_in_training_and_keeps_them_from_0_to_1(faces: NDArray[np.float32]) -> None:
    seen = keras.ops.convert_to_numpy(augmentation(LIVELY, seed=0)(faces, training=True))
    assert seen.shape == faces.shape
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert (np.abs(seen - faces).max(axis=(1, 2, 3)) > 0.05).all()


def test_augmentation_without_limits_changes_nothing_in_training(faces: NDArray[np.float32]) -> None:
    seen = keras.ops.convert_to_numpy(augmentation(STILL, seed=0)(faces, training=True))
    np.testing.assert_allclose(seen, faces, atol=1e-5)


def test_a_flip_is_a_mirror_image_of_about_half_of_the_faces(faces: NDArray[np.float32]) -> None:
    limits = STILL.model_copy(update={"flip": True})
    seen = keras.ops.convert_to_numpy(RandomWarp(limits, seed=0)(faces, training=True))
    same = np.abs(seen - faces).max(axis=(1, 2, 3)) < 1e-4
    mirrored = np.abs(seen - faces[:, :, ::-1]).max(axis=(1, 2, 3)) < 1e-4
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_a_face_by_no_more_than_its_limit() -> None:
    dot = np.zeros((64, 48, 48, 1), np.float32)
    dot[:, 23:25, 23:25] = 1
    limits = STILL.model_copy(update={"shift": 0.1})
    seen = keras.ops.convert_to_numpy(RandomWarp(limits, seed=0)(dot, training=True))[..., 0]
    mass = seen.sum(axis=(1, 2))
    x = (seen.sum(axis=1) * np.arange(48)).sum(axis=1) / mass
    y = (seen.sum(axis=2) * np.arange(48)).sum(axis=1) / mass
    for moved in (x - 23.5, y - 23.5):
        assert np.abs(moved).max() <= 4.8 + 1e-3
        assert np.abs(moved).max() > 3
        assert abs(moved.mean()) < 1.5


def test_a_rotation_keeps_the_middle_where_it_is() -> None:
    dot = np.zeros((32, 48, 48, 1), np.float32)
    dot[:, 22:26, 22:26] = 1
    limits = STILL.model_copy(update={"rotation_degrees": 45.0})
    seen = keras.ops.convert_to_numpy(RandomWarp(limits, seed=0)(dot, training=True))[..., 0]
    np.testing.assert_allclose(seen.sum(axis=(1, 2)), 16, atol=0.8)
    np.testing.assert_allclose((seen.sum(axis=1) * np.arange(48)).sum(axis=1) / seen.sum(axis=(1, 2)), 23.5, atol=0.05)


@pytest.mark.parametrize(("ferplus", "heads"), [(True, {"fer2013": 7, "ferplus": 8}), (False, {"fer2013": 7})])
def test_every_head_gives_probabilities(ferplus: bool, heads: dict[str, int]) -> None:
    given = build(tiny_recipe(), ferplus=ferplus).predict(easy_faces(5).pixels, verbose=0)
    assert {head: rows.shape for head, rows in given.items()} == {head: (5, width) for head, width in heads.items()}
    for rows in given.values():
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)


def test_a_darker_and_flatter_face_reads_the_same() -> None:
    network = build(tiny_recipe(), ferplus=False)
    bright = easy_faces(14).pixels.astype(np.float32)
    dark = bright * 0.3 + 10
    given = [network.predict(faces, verbose=0)["fer2013"] for faces in (bright, dark)]
    np.testing.assert_allclose(given[0], given[1], atol=0.02)


def test_the_network_keeps_float32_for_what_it_gives_whatever_the_precision() -> None:
    recipe = tiny_recipe().model_copy(update={"precision": "mixed_bfloat16"})
    assert build(recipe, ferplus=True).predict(easy_faces(2).pixels, verbose=0)["fer2013"].dtype == np.float32
