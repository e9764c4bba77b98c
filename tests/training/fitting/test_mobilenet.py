import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting.mobilenet import load_face_mobilenet
from training.fitting.networks import build, multiply_adds
from training.fitting.published import Weights
from training.fitting.recipe import FaceMobile

_SIDE = 64
_WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_HALVING = (2, 4, 6, 12)


def _published(random: np.random.Generator) -> Weights:
    """Return weights by the names and in the shapes of the published ones."""
    weights: dict[str, NDArray[np.float32]] = {}

    def normal(name: str, *shape: int, inputs: int) -> None:
        weights[name] = random.normal(0, np.sqrt(2 / inputs), shape).astype(np.float32)

    normal("conv1/convolution/merged_input", 3, 3, 3, 32, inputs=27 * 60**2)
    normal("conv1_bn/batchnorm_1/sub", 32, inputs=50)
    before = 32
    for number, width in enumerate(_WIDTHS, start=1):
        normal(f"conv_dw_{number}/depthwise_kernel", 3, 3, before, 1, inputs=9)
        weights[f"conv_dw_{number}_bn/batchnorm_1/mul"] = random.uniform(0.5, 1.5, before).astype(np.float32)
        normal(f"conv_dw_{number}_bn/batchnorm_1/sub", before, inputs=50)
        normal(f"conv_pw_{number}/convolution/merged_input", 1, 1, before, width, inputs=before)
        normal(f"conv_pw_{number}_bn/batchnorm_1/sub", width, inputs=50)
        before = width
    return weights


def _features(weights: Weights, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the published network's features from its description: greys minus their mean, in three channels."""
    flat = faces.reshape(len(faces), -1).astype(np.float32) / 255
    flat = (flat - flat.mean(axis=1, keepdims=True)) / np.sqrt(flat.var(axis=1, keepdims=True) + 1e-3)
    x = ops.image.resize(flat.reshape(-1, 48, 48, 1), (_SIDE, _SIDE))
    x = ops.concatenate([x, x, x], axis=-1) * 60
    x = ops.conv(x, weights["conv1/convolution/merged_input"], 2, "same") + weights["conv1_bn/batchnorm_1/sub"]
    x = ops.relu6(x)
    for number in range(1, len(_WIDTHS) + 1):
        deep, wide = f"conv_dw_{number}", f"conv_pw_{number}"
        x = ops.depthwise_conv(x, weights[f"{deep}/depthwise_kernel"], 2 if number in _HALVING else 1, "same")
        x = ops.relu6(x * weights[f"{deep}_bn/batchnorm_1/mul"] + weights[f"{deep}_bn/batchnorm_1/sub"])
        x = ops.conv(x, weights[f"{wide}/convolution/merged_input"], 1, "same")
        x = ops.relu6(x + weights[f"{wide}_bn/batchnorm_1/sub"])
    features: NDArray[np.float32] = ops.convert_to_numpy(ops.mean(x, axis=(1, 2)))
    return features


def test_the_network_initially_computes_what_the_published_one_computes() -> None:
    network = build(
        tiny_recipe().model_copy(
            update={"network": FaceMobile(kind="face_mobilenet", side=_SIDE, weights="identities")}
        ),
        ferplus=False,
    )
    weights, faces = _published(np.random.default_rng(0)), easy_faces(12).pixels
    load_face_mobilenet(network, faces, weights)
    own = keras.Model(network.input, network.get_layer("fer2013").input).predict(faces, verbose=0)
    wanted = _features(weights, faces)
    assert np.abs(own - wanted).max() < 0.01 * np.abs(wanted).max()


def test_depthwise_convolutions_count_as_work() -> None:
    network = build(
        tiny_recipe().model_copy(update={"network": FaceMobile(kind="face_mobilenet", side=112, weights="none")}),
        ferplus=False,
    )
    assert round(multiply_adds(network) / 1e6) == 146
