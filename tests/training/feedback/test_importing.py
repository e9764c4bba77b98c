from pathlib import Path

import cv2
import numpy as np
import pytest

from db import Source, Store
from recognizer import Recognizer
from training.feedback.importing import ImportFacesError, import_faces, listed, unknown_folders

CROP = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)


def folder_with(tmp_path: Path, selfie: bytes) -> Path:
    (tmp_path / "set" / "happy" / "anna").mkdir(parents=True)
    (tmp_path / "set" / "sad").mkdir()
    (tmp_path / "set" / "happy" / "anna" / "selfie.jpg").write_bytes(selfie)
    cv2.imwrite(str(tmp_path / "set" / "sad" / "crop.png"), CROP)
    (tmp_path / "set" / "sad" / "notes.txt").write_text("no picture")
    return tmp_path / "set"


async def test_a_folder_becomes_feedback_through_detection_and_registration(
    store: Store, recognizer: Recognizer, tmp_path: Path, selfie: bytes
) -> None:
    report = await import_faces(store, recognizer, listed(folder_with(tmp_path, selfie)), "set")
    assert (report.added, report.known) == (2, 0)
    assert [path.name for path, _ in report.refused] == ["notes.txt"]
    happy, sad = await store.feedback.faces()
    assert [(answer.source, answer.verdict) for face in (happy, sad) for answer in face.answers] == [
        (Source.IMPORT, "happy"),
        (Source.IMPORT, "sad"),
    ]
    assert happy.crop == recognizer.read(selfie).faces[0].crop.tobytes()
    assert sad.crop == CROP.tobytes()
    assert happy.sender != sad.sender


async def test_the_same_set_can_be_imported_again(
    store: Store, recognizer: Recognizer, tmp_path: Path, selfie: bytes
) -> None:
    pictures = listed(folder_with(tmp_path, selfie))
    await import_faces(store, recognizer, pictures, "set")
    again = await import_faces(store, recognizer, pictures, "set")
    assert (again.added, again.known) == (0, 2)
    assert len(await store.feedback.faces()) == 2


async def test_a_csv_names_path_emotion_and_person(store: Store, recognizer: Recognizer, tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), CROP // (number + 1))
    (tmp_path / "labels.csv").write_text("path,emotion,person\n0.png,fear,anna\n1.png,sad,anna\n2.png,sad,bert\n")
    await import_faces(store, recognizer, listed(tmp_path / "labels.csv"), "set")
    first, second, third = await store.feedback.faces()
    assert first.sender == second.sender != third.sender


@pytest.mark.parametrize("line", ["0.png,cheerful", "0.png", ",happy", "\udcff"])
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(f"path,emotion\n1.png,sad\n{line}\n".encode(errors="surrogateescape"))
    with pytest.raises(ImportFacesError, match=r"line [123]"):
        listed(file)


def test_hidden_files_are_no_pictures(tmp_path: Path, selfie: bytes) -> None:
    folder = folder_with(tmp_path, selfie)
    before = listed(folder)
    (folder / "happy" / ".DS_Store").write_bytes(b"\0")
    (folder / "happy" / "anna" / "._selfie.jpg").write_bytes(b"\0")
    (folder / "sad" / ".thumbnails").mkdir()
    (folder / "sad" / ".thumbnails" / "crop.png").write_bytes(selfie)
    assert listed(folder) == before


def test_a_folder_without_pictures_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFacesError, match="angry, disgust"):
        listed(tmp_path)
    with pytest.raises(ImportFacesError, match="not there"):
        listed(tmp_path / "nowhere")


def test_folders_that_name_no_emotion_are_named(tmp_path: Path, selfie: bytes) -> None:
    folder = folder_with(tmp_path, selfie)
    for name in ("contempt", "anger", ".git", "happy"):
        (folder / name).mkdir(exist_ok=True)
    assert unknown_folders(folder) == ["anger", "contempt"]
    assert unknown_folders(tmp_path / "nowhere") == []
    with pytest.raises(ImportFacesError, match="There are set"):
        listed(tmp_path)
