import hashlib
import io
import json
import tarfile
from collections.abc import Callable
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
from training.fitting import face_resnet
from training.fitting.face_resnet import Weights, fetch_package, load_identities, read_package, start_from_identities
from training.fitting.networks import build
from training.fitting.recipe import FaceResidual, Recipe

_SIDE = 72
_WIDTHS = {"conv32": 32, "conv64": 64, "conv128": 128, "conv256": 256}
_REPEATS = {"conv32": 3, "conv64": 3, "conv128": 2, "conv256": 2}


def _published(random: np.random.Generator) -> Weights:
    """Return weights in the shapes of the published ones, scaled so that signals neither vanish nor explode."""
    weights: Weights = {}

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


def _packed(path: Path, weights: Weights, *, rounded: str, cut: int = 0) -> None:
    """Write a package as npm fetches it, with the array `rounded` as bytes."""
    entries, raw = [], b""
    for name, values in weights.items():
        entry: dict[str, object] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if name == rounded:
            scale, least = float(np.ptp(values) / 255), float(values.min())
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
            raw += np.rint((values - least) / scale).astype(np.uint8).tobytes()
        else:
            raw += values.tobytes()
        entries.append(entry)
    manifest = json.dumps([{"weights": entries, "paths": ["face_recognition_model.bin"]}]).encode()
    name = "package/model/face_recognition_model"
    with tarfile.open(path, "w:gz") as archive:
        for member, content in (
            (f"{name}-weights_manifest.json", manifest),
            (f"{name}.bin", raw[: len(raw) - cut]),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.fixture(scope="module")
def published() -> Weights:
    return _published(np.random.default_rng(0))


def _recipe() -> Recipe:
    network = FaceResidual(kind="face_resnet", side=_SIDE, weights="identities")
    return tiny_recipe().model_copy(update={"network": network})


def test_the_network_initially_computes_what_the_published_one_computes(published: Weights) -> None:
    faces = easy_faces(12).pixels
    network = build(_recipe(), ferplus=False)
    load_identities(network, faces, published)
    own = keras.Model(network.input, network.get_layer("fer2013").input).predict(faces, verbose=0)
    wanted = _features(published, faces)
    assert np.abs(own - wanted).max() < 0.01 * np.abs(wanted).max()


def test_filters_start_at_a_size_that_steps_of_adam_suit(published: Weights) -> None:
    network = build(_recipe(), ferplus=False)
    load_identities(
        network, easy_faces(12).pixels, {name: values * np.float32(0.03) for name, values in published.items()}
    )
    filters = network.get_layer("conv128_1-conv2").kernel.numpy()
    assert filters.std() == pytest.approx(np.sqrt(2 / (9 * 128)), rel=0.01)


def test_a_package_is_read_with_its_rounded_arrays(published: Weights, tmp_path: Path) -> None:
    rounded = "conv32_1/conv1/conv/filters"
    _packed(tmp_path / "package.tgz", published, rounded=rounded)
    read = read_package(tmp_path / "package.tgz")
    assert read.keys() == published.keys()
    for name, values in published.items():
        step = float(np.ptp(values)) / 255 if name == rounded else 0
        np.testing.assert_allclose(read[name], values, atol=step)


def test_a_damaged_package_is_something_needed(published: Weights, tmp_path: Path) -> None:
    path = tmp_path / "package.tgz"
    _packed(path, published, rounded="", cut=1000)
    with pytest.raises(MissingError, match="remove it and call again"):
        read_package(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(MissingError, match="remove it and call again"):
        read_package(path)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a PATH without npm; call the fixture with the body of a shell script to install that as npm."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(script: str) -> None:
        client = folder / "npm"
        client.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        client.chmod(0o755)

    return install


def test_a_package_is_fetched_by_npm_once(
    npm: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_resnet, "_SHA256", hashlib.sha256(b"weights").hexdigest())
    npm(f'echo "$@" > {tmp_path}/arguments; printf weights > vladmandic-face-api.tgz')
    package = fetch_package(tmp_path / "cache")
    assert package.read_bytes() == b"weights"
    assert (tmp_path / "arguments").read_text().startswith("pack @vladmandic/face-api@")
    npm("exit 1")
    assert fetch_package(tmp_path / "cache") == package
    assert list(package.parent.iterdir()) == [package]


def test_without_npm_it_is_said_what_to_install(
    npm: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(MissingError, match=r"Install Node\.js.* --from-scratch"):
        start_from_identities(build(_recipe(), ferplus=False), easy_faces(4).pixels)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("""echo '{"error": {"code": "E404", "summary": "Not found."}}'; echo log >&2; exit 1""", "Not found"),
        ("echo first >&2; echo no network >&2; exit 1", "no network"),
        ("exit 7", "exit status 7"),
        ("exit 0", "exit status 0"),
    ],
)
def test_a_failure_of_npm_is_quoted(npm: Callable[[str], None], tmp_path: Path, script: str, reason: str) -> None:
    npm(script)
    with pytest.raises(MissingError, match=f"could not fetch .*: {reason}\\. .*--from-scratch"):
        fetch_package(tmp_path / "cache")


def test_an_npm_that_hangs_is_stopped(
    npm: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_resnet, "_NPM_TIMEOUT_S", 0.1)
    npm("while :; do :; done")
    with pytest.raises(MissingError, match="did not fetch"):
        fetch_package(tmp_path / "cache")


def test_a_package_with_another_digest_is_refused(npm: Callable[[str], None], tmp_path: Path) -> None:
    npm("printf other > vladmandic-face-api.tgz")
    with pytest.raises(MissingError, match="SHA-256"):
        fetch_package(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_written_is_told(npm: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(MissingError, match="KERAS_HOME"):
        fetch_package(tmp_path / "cache")
