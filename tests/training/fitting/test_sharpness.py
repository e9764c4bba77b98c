"""Sharpness-aware minimisation: the gradient is taken uphill from the weights, and nothing else changes."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting.fit import fit, history_of, load_fitted
from training.fitting.recipe import Recipe, Sharpness
from training.fitting.sharpness import SharpnessAware, uphill

CURVATURE = np.array([1.0, 4.0], np.float32)
START = np.array([[2.0], [-1.0]], np.float32)
SLOPE = CURVATURE[:, None] * START
RATE = 0.1


def quadratic() -> keras.Model:
    """A network whose loss is half the sum of curvature times weight squared, for the faces below."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([START])
    return network


def after_one_step(radius: float, *, adaptive: bool, ascent: float = 1) -> np.ndarray:
    model = SharpnessAware(quadratic(), radius, adaptive=adaptive, ascent=ascent)
    model.compile(keras.optimizers.SGD(RATE), loss="mse")
    model.fit(np.diag(np.sqrt(CURVATURE)), np.zeros((2, 1)), batch_size=2, shuffle=False, verbose=0)
    return np.asarray(model.get_weights()[0])


def test_the_gradient_is_that_of_a_step_uphill() -> None:
    step = 0.5 * SLOPE / np.linalg.norm(SLOPE)
    expected = START - RATE * CURVATURE[:, None] * (START + step)
    np.testing.assert_allclose(after_one_step(0.5, adaptive=False), expected, rtol=1e-5)


def test_an_adaptive_step_is_in_proportion_to_the_weights() -> None:
    size = np.abs(START) + 0.01
    step = 0.5 * size**2 * SLOPE / np.linalg.norm(size * SLOPE)
    expected = START - RATE * CURVATURE[:, None] * (START + step)
    np.testing.assert_allclose(after_one_step(0.5, adaptive=True), expected, rtol=1e-5)


def test_part_of_the_batch_says_which_way_is_up() -> None:
    step = np.array([[0.5], [0.0]], np.float32)  # the first of the two faces knows of the first weight only
    expected = START - RATE * CURVATURE[:, None] * (START + step)
    np.testing.assert_allclose(after_one_step(0.5, adaptive=False, ascent=0.5), expected, rtol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_loss_rises_uphill(adaptive: bool) -> None:
    weights = [tf.constant(START), tf.constant([0.5, -0.5])]
    gradients = [tf.constant(SLOPE), tf.constant([0.1, 0.2])]
    steps = uphill(weights, gradients, 0.05, adaptive=adaptive)
    assert sum(float(tf.reduce_sum(step * slope)) for step, slope in zip(steps, gradients, strict=True)) > 0
    if not adaptive:
        assert float(tf.linalg.global_norm(steps)) == pytest.approx(0.05)


def test_without_a_slope_the_weights_stay() -> None:
    (step,) = uphill([tf.constant(START)], [tf.zeros((2, 1))], 0.05, adaptive=False)
    assert not step.numpy().any()


def recipe_with(radius: float | None) -> Recipe:
    plain = tiny_recipe(average=0.9)
    dropping = plain.network.model_copy(update={"dropout": 0.3})
    sharpness = None if radius is None else Sharpness(radius=radius)
    schedule = plain.schedule.model_copy(update={"sharpness": sharpness})
    return plain.model_copy(update={"network": dropping, "schedule": schedule})


def fitted(radius: float | None, folder: Path) -> tuple[list[np.ndarray], list[float]]:
    run = folder / f"radius-{radius}" / "tiny"
    fit(recipe_with(radius), easy_faces(70), easy_faces(35, seed=1), run)
    return load_fitted(run).get_weights(), history_of(run)["loss"]


def test_a_fit_with_radius_0_is_one_without(tmp_path: Path) -> None:
    (plain, losses), (none, losses_of_none), (some, _) = (fitted(radius, tmp_path) for radius in (None, 0.0, 0.1))
    for expected, got in zip(plain, none, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
    assert losses_of_none == pytest.approx(losses, rel=1e-3)
    assert max(np.abs(got - expected).max() for expected, got in zip(plain, some, strict=True)) > 0.01
