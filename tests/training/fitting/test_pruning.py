import keras
import numpy as np
import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting.networks import build
from training.fitting.pruning import can_prune, prune
from training.fitting.recipe import Convolutional, FaceResidual, Network, SlimResidual

FACES = easy_faces(70).pixels
STAGES = ((8, 6), (12,))
WIDTHS = (32,) * 3 + (64,) * 4 + (128,) * 3 + (256,) * 3


def stack(stages: tuple[tuple[int, ...], ...], **changes: object) -> Convolutional:
    return Convolutional.model_validate({"kind": "convolutional", "stages": stages} | changes)


def residual(inner: tuple[int, ...] = (), side: int = 64) -> FaceResidual:
    return FaceResidual(kind="face_resnet", side=side, weights="identities", inner=inner)


def network(shape: Network, seed: int) -> keras.Model:
    """Return a network whose normalisations are not the initial ones."""
    keras.utils.set_random_seed(seed)
    model = build(tiny_recipe().model_copy(update={"network": shape}), ferplus=True, dtype="float32")
    random = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weights.shape) for weights in layer.get_weights()])
    return model


def normalisation(model: keras.Model, number: int) -> keras.Layer:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)][number]


def convolution(model: keras.Model, number: int) -> keras.Layer:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)][number]


def assert_same(one: keras.Model, other: keras.Model, atol: float = 1e-3) -> None:
    said, heard = (model.predict(easy_faces(14, seed=1).pixels, verbose=0) for model in (one, other))
    for head in said:
        np.testing.assert_allclose(said[head], heard[head], atol=atol)


def test_a_network_as_wide_as_before_computes_the_same() -> None:
    wide, narrow = network(stack(STAGES), 0), network(stack(STAGES), 1)
    prune(wide, narrow, FACES, seed=1)
    assert_same(wide, narrow)


def test_channels_that_are_always_zero_go_first_and_nothing_changes() -> None:
    wide, narrow = network(stack(STAGES), 0), network(stack(((5, 4), (9,))), 1)
    for number, dead in enumerate(((0, 3, 7), (2, 5), (1, 10, 11))):
        gamma, beta, mean, variance = normalisation(wide, number).get_weights()
        gamma[list(dead)], beta[list(dead)] = 0, -1
        normalisation(wide, number).set_weights([gamma, beta, mean, variance])
    prune(wide, narrow, FACES, seed=1)
    assert_same(wide, narrow)


def test_of_channels_that_say_the_same_one_is_enough() -> None:
    wide, narrow = network(stack(STAGES), 0), network(stack(((8, 5), (12,))), 1)
    kernel = convolution(wide, 1).get_weights()[0]
    kernel[..., 4] = kernel[..., 0]
    convolution(wide, 1).set_weights([kernel])
    weights = normalisation(wide, 1).get_weights()
    for values in weights:
        values[4] = values[0]
    normalisation(wide, 1).set_weights(weights)
    prune(wide, narrow, FACES, seed=1)
    assert_same(wide, narrow, atol=0.01)


def test_pruning_loses_less_than_leaving_out_the_last_channels() -> None:
    wide, chosen, last = network(stack(STAGES), 0), network(stack(((6, 5), (9,))), 1), network(stack(((6, 5), (9,))), 1)
    prune(wide, chosen, FACES, seed=1)
    for number, (inputs, outputs) in enumerate(((1, 6), (6, 5), (5, 9))):
        convolution(last, number).set_weights([convolution(wide, number).get_weights()[0][:, :, :inputs, :outputs]])
        normalisation(last, number).set_weights(
            [values[:outputs] for values in normalisation(wide, number).get_weights()]
        )
    for head in wide.output_names:
        kernel, bias = wide.get_layer(head).get_weights()
        last.get_layer(head).set_weights([kernel[:9], bias])
    pixels = easy_faces(70, seed=1).pixels
    wanted, *given = (model.predict(pixels, verbose=0)["fer2013"] for model in (wide, chosen, last))
    off_chosen, off_last = (np.abs(each - wanted).mean() for each in given)
    assert off_chosen < off_last / 2


def test_what_a_block_of_a_residual_network_does_not_use_goes_and_nothing_changes() -> None:
    wide, narrow = network(residual(), 0), network(residual((24, *WIDTHS[1:])), 1)
    dead = wide.get_layer("conv32_1-conv1-normalise")
    gamma, beta, mean, variance = dead.get_weights()
    gamma[::4], beta[::4] = 0, -1
    dead.set_weights([gamma, beta, mean, variance])
    prune(wide, narrow, FACES, seed=1)
    assert_same(wide, narrow, atol=0.01)


@pytest.mark.parametrize(
    ("narrow", "possible"),
    [
        (residual(WIDTHS), True),
        (residual((24,) * 3 + (48,) * 4 + (96,) * 6), True),
        (residual((33, *WIDTHS[1:])), False),
        (residual((24, *WIDTHS[1:]), side=96), False),
        (residual(WIDTHS).model_copy(update={"dense": (8,)}), False),
        (stack(STAGES), False),
    ],
)
def test_of_a_residual_network_only_the_widths_within_blocks_may_shrink(narrow: Network, possible: bool) -> None:
    assert can_prune(residual(), narrow) == possible
    assert not can_prune(residual().model_copy(update={"dense": (8,)}), narrow)


@pytest.mark.parametrize(
    ("narrow", "possible"),
    [
        (stack(((8, 6), (12,))), True),
        (stack(((4, 6), (9,)), dropout=0.4), True),
        (stack(((4, 8), (9,))), False),
        (stack(((8,), (12,))), False),
        (stack(((8, 6),)), False),
        (stack(((4, 6), (9,)), dense=(5,)), False),
        (stack(((4, 6), (9,)), summary="flatten"), False),
        (stack(((4, 6), (9,)), padding="valid"), False),
        (stack(((4, 6), (9,)), batch_normalization=False), False),
        (SlimResidual(kind="slim_resnet", stem=8, stages=((8, 1),)), False),
    ],
)
def test_only_widths_may_differ_and_only_shrink(narrow: Network, possible: bool) -> None:
    assert can_prune(stack(STAGES), narrow) == possible
    assert not can_prune(SlimResidual(kind="slim_resnet", stem=8, stages=((8, 1),)), narrow)
