"""A network with one flipped bit is not loaded, whichever of the shipped files it is in."""

import shutil
from pathlib import Path

import pytest

from recognizer import ModelError, Recognizer
from recognizer.checksums import SUMS_FILE, ChecksumError, read_sound, write_sums
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.finding.detection import DetectorError, FaceDetector
from recognizer.finding.landmarks import Landmarker
from recognizer.finding.segmentation import PersonSegmenter
from recognizer.packing import pack_folder
from recognizer.runtime import FACE_MODELS


def flipped(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("folder", [MODEL_FOLDER, FACE_MODELS], ids=lambda folder: folder.name)
def test_the_sums_are_of_all_shipped_files(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    known = (folder / SUMS_FILE).read_text()
    write_sums(copy)
    assert (copy / SUMS_FILE).read_text() == known


@pytest.mark.parametrize("name", ["expression.tflite", "model.json"])
def test_a_damaged_model_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))
    Classifier.load(copy)
    flipped(copy, name)
    with pytest.raises(ModelError, match=f"{name}.*restore the model folder"):
        Recognizer.load(model=copy)


def test_a_damaged_guard_is_not_packed_into_a_version(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))
    flipped(copy, "guard.npz")
    with pytest.raises(ChecksumError):
        pack_folder(copy)


@pytest.mark.parametrize("name", sorted(file.name for file in FACE_MODELS.glob("*.tflite")))
def test_a_damaged_model_for_faces_is_refused(tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(FACE_MODELS, tmp_path / "models"))
    flipped(copy, name)
    with pytest.raises(DetectorError, match="restore it"):
        FaceDetector.load(copy), Landmarker.load(copy), PersonSegmenter.load(copy)


def test_a_folder_without_sums_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"anything")
    assert read_sound(tmp_path / "file") == b"anything"


def test_damaged_sums_are_a_damage(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"anything")
    (tmp_path / SUMS_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ChecksumError):
        read_sound(tmp_path / "file")
