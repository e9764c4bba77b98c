"""The files of the models."""

import shutil
from pathlib import Path

import pytest

from bots.doctor.findings import Severity
from bots.doctor.models import check_models
from recognizer.checksums import SUMS_FILE
from recognizer.classification import MODEL_FOLDER
from recognizer.runtime import FACE_MODELS


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tuple(shutil.copytree(folder, tmp_path / folder.name) for folder in (MODEL_FOLDER, FACE_MODELS))  # type: ignore[return-value]


def test_whole_files_are_well(folders: tuple[Path, Path]) -> None:
    [found] = check_models(folders)
    assert (found.severity, "champion" in found.fact) == (Severity.OK, True)


@pytest.mark.parametrize("name", ["model/expression.tflite", "face_models/face_landmark.tflite"])
def test_a_flipped_bit_is_a_problem(folders: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    [found] = check_models(folders)
    assert (found.severity, Path(name).name in found.fact) == (Severity.PROBLEM, True)


def test_a_missing_file_is_a_problem(folders: tuple[Path, Path]) -> None:
    (folders[0] / "weights.npz").unlink()
    [found] = check_models(folders)
    assert (found.severity, "weights.npz" in found.fact) == (Severity.PROBLEM, True)


def test_missing_sums_are_a_problem(folders: tuple[Path, Path]) -> None:
    (folders[1] / SUMS_FILE).unlink()
    assert [each.severity for each in check_models(folders)] == [Severity.PROBLEM]
