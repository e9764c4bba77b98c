from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting.face_resnet import load_face_resnet
from training.fitting.networks import build
from training.fitting.published import Weights
from training.fitting.recipe import FaceResidual, Recipe

_SIDE = 72
_WIDTHS = {"conv32": 32, "conv64": 64, "conv128": 128, "conv256": 256}
_REPEATS = {"conv32": 3, "conv64": 3, "conv128": 2, "conv256": 2}


def _published(random: np.random.Generator) -> Weights:
    """Return weights in the shapes of the published ones, scaled so that signals neither vanish nor explode."""
    weights: dict[str, NDArray[np.float32]] = {}

    def convolution(name: str, side: int, before: int, after: int) -> None:
        deviation = np.sqrt(2 / (side * side * before))
        weights[f"{name}/conv/filters"] = random.normal(0, deviation, (side, side, before, after)).astype(np.float32)
        weights[f"{name}/conv/bias"] = random.normal(0, 0.1, after).astype(np.float32)
        weights[f"{name}/scale/weights"] = random.uniform(0.5, 1.5, after).astype(np.float32)
        weights[f"{name}/scale/biases"] = random.normal(0, 0.1, after).astype(np.float32)

    convolution("conv32_down", 7, 3, 32)
    before = 32
    for stage, width in _WIDTHS.items():
        halving = [] if stage == "conv32" else ["down"]
        for block in [*halving, *map(str, range(1, _REPEATS[stage] + 1))]:
            convolution(f"{stage}_{block}/conv1", 3, before, width)
            convolution(f"{stage}_{block}/conv2", 3, width, width)
            before = width
    return weights


def _features(weights: Weights, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the published network's features, implemented from its description: it scales, nothing is normalised.

    Its inputs are 0 to 1 minus the mean; here, the standardised face times the typical deviation of 60 greys.
    """

    def convolution(x: Any, name: str, stride: int = 1) -> Any:
        out = ops.conv(x, weights[f"{name}/conv/filters"], stride, "valid" if stride == 2 else "same")
        out = out + weights[f"{name}/conv/bias"]
        return out * weights[f"{name}/scale/weights"] + weights[f"{name}/scale/biases"]

    flat = faces.reshape(len(faces), -1).astype(np.float32) / 255
    flat = (flat - flat.mean(axis=1, keepdims=True)) / np.sqrt(flat.var(axis=1, keepdims=True) + 1e-3)
    x = ops.image.resize(flat.reshape(-1, 48, 48, 1), (_SIDE, _SIDE))
    x = ops.concatenate([x, x, x], axis=-1) * (60 / 255)
    x = ops.max_pool(ops.relu(convolution(x, "conv32_down", 2)), 3, 2, "valid")
    for stage in _WIDTHS:
        if stage != "conv32":
            inner = convolution(ops.relu(convolution(x, f"{stage}_down/conv1", 2)), f"{stage}_down/conv2")
            x = ops.average_pool(x, 2, 2, "valid")
            missing = x.shape[1] - inner.shape[1]
            inner = ops.pad(inner, ((0, 0), (0, missing), (0, missing), (0, 0)))
            x = ops.relu(ops.concatenate([x, ops.zeros_like(x)], axis=-1) + inner)
        for block in range(1, _REPEATS[stage] + 1):
            inner = ops.relu(convolution(x, f"{stage}_{block}/conv1"))
            x = ops.relu(convolution(inner, f"{stage}_{block}/conv2") + x)
    features: NDArray[np.float32] = ops.convert_to_numpy(ops.mean(x, axis=(1, 2)))
    return features


@pytest.fixture(scope="module")
def published() -> Weights:
    return _published(np.random.default_rng(0))


def _recipe() -> Recipe:
    network = FaceResidual(kind="face_resnet", side=_SIDE, weights="identities")
    return tiny_recipe().model_copy(update={"network": network})


def test_the_network_initially_computes_what_the_published_one_computes(published: Weights) -> None:
    faces = easy_faces(12).pixels
    network = build(_recipe(), ferplus=False)
    load_face_resnet(network, faces, published)
    own = keras.Model(network.input, network.get_layer("fer2013").input).predict(faces, verbose=0)
    wanted = _features(published, faces)
    assert np.abs(own - wanted).max() < 0.01 * np.abs(wanted).max()


def test_filters_start_at_a_size_that_steps_of_adam_suit(published: Weights) -> None:
    network = build(_recipe(), ferplus=False)
    load_face_resnet(
        network, easy_faces(12).pixels, {name: values * np.float32(0.03) for name, values in published.items()}
    )
    filters = network.get_layer("conv128_1-conv2").kernel.numpy()
    assert filters.std() == pytest.approx(np.sqrt(2 / (9 * 128)), rel=0.01)
