"""A small residual network for pictures of 48 pixels.

A plain stack of convolutions spends most of its work on the full picture. Here the first convolution halves it, early
stages are narrow, and the blocks (He et al. 2016, https://arxiv.org/abs/1512.03385) are where the picture is small. A
shortcut that halves the picture takes the mean of four positions first (He et al. 2019,
https://arxiv.org/abs/1812.01187, "ResNet-D").
"""

import keras
from keras import layers

from training.fitting.normalization import BatchNormalization
from training.fitting.recipe import SlimResidual


def slim_resnet(x: keras.KerasTensor, network: SlimResidual, policy: str, momentum: float) -> keras.KerasTensor:
    """Return features of standardised grey faces `(n, 48, 48, 1)`: the means of the last two stages, concatenated."""
    x = _relu(_convolution(x, network.stem, policy, momentum, stride=2), policy)
    summaries = []
    for number, (width, blocks) in enumerate(network.stages):
        for block in range(blocks):
            x = _block(x, width, policy, momentum, stride=2 if number and not block else 1)
        summaries.append(layers.GlobalAveragePooling2D(dtype="float32")(x))
    return layers.Concatenate(dtype="float32")(summaries[-2:]) if len(summaries) > 1 else summaries[0]


def _block(x: keras.KerasTensor, width: int, policy: str, momentum: float, stride: int) -> keras.KerasTensor:
    inner = _relu(_convolution(x, width, policy, momentum, stride=stride), policy)
    inner = _convolution(inner, width, policy, momentum)
    if stride > 1:
        x = layers.AveragePooling2D(stride, padding="same", dtype=policy)(x)
    if x.shape[-1] != width:
        x = _convolution(x, width, policy, momentum, side=1)
    return _relu(layers.Add(dtype=policy)([x, inner]), policy)


def _convolution(  # noqa: PLR0913  # what a convolution consists of
    x: keras.KerasTensor, width: int, policy: str, momentum: float, *, side: int = 3, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False, dtype=policy)(x)
    return BatchNormalization(momentum=momentum, dtype=policy)(x)


def _relu(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    return layers.Activation("relu", dtype=policy)(x)
