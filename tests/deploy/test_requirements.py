"""The files that pin packages: everything has a hash, and they agree."""

import re
from pathlib import Path

import pytest

from tests.deploy.files import ROOT

EVERYTHING = ROOT / "requirements.txt"
SERVING, TRAINING = (ROOT / "deploy" / f"requirements-{name}.txt" for name in ("serving", "training"))


def _pins(path: Path) -> dict[str, frozenset[str]]:
    """Return the hashes of each pinned package with its version and condition."""
    blocks = re.findall(r"^(\w[^\n]*?) \\\n((?:    --hash=\S+(?: \\)?\n)+)", path.read_text(), re.MULTILINE)
    return {name: frozenset(re.findall(r"sha256:[0-9a-f]{64}", hashes)) for name, hashes in blocks}


@pytest.mark.parametrize("path", [EVERYTHING, SERVING, TRAINING], ids=lambda path: path.name)
def test_every_package_has_a_version_and_hashes(path: Path) -> None:
    pins = _pins(path)
    assert len(pins) == len(re.findall(r"^\w", path.read_text(), re.MULTILINE)) > 50
    assert all("==" in name and hashes for name, hashes in pins.items())


@pytest.mark.parametrize("path", [SERVING, TRAINING], ids=lambda path: path.name)
def test_the_images_contain_what_is_tested(path: Path) -> None:
    everything = {name.split(" ;")[0]: hashes for name, hashes in _pins(EVERYTHING).items()}
    assert {name: everything.get(name) for name in _plain(path)} == _plain(path)


def test_the_image_that_serves_has_no_tensorflow_and_no_tests() -> None:
    names = {name.split("==")[0] for name in _pins(SERVING)}
    assert names & {"tensorflow", "keras", "matplotlib", "scikit-learn", "pytest", "playwright"} == set()
    assert {"ai-edge-litert", "asyncpg", "scipy", "pillow-heif", "imagecodecs"} <= names


def test_the_image_that_trains_has_tensorflow() -> None:
    assert {"tensorflow", "keras", "asyncpg"} <= {name.split("==")[0] for name in _pins(TRAINING)}


@pytest.mark.parametrize("path", [EVERYTHING, SERVING, TRAINING], ids=lambda path: path.name)
def test_they_name_no_registry(path: Path) -> None:
    assert re.findall(r"https?://|index-url|find-links|file:", path.read_text()) == []


def _plain(path: Path) -> dict[str, frozenset[str]]:
    return {name.split(" ;")[0]: hashes for name, hashes in _pins(path).items()}
