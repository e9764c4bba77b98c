"""Uploads are taken in within limits, whatever is in them."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.faces import easy_faces, in_turns, write_class_folders, write_kaggle_csv
from training.data import load
from training.window import intake
from training.window.intake import IntakeError, take_in

SYMLINK = 0o120777 << 16


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    faces = easy_faces(140)
    folder = write_class_folders(tmp_path_factory.mktemp("set"), faces[slice(0, 105)], faces[slice(105, 140)])
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def zipped(path: Path, files: dict[str, bytes], extra: zipfile.ZipInfo | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if extra is not None:
            archive.writestr(extra, b"/etc/passwd")
    return path


def refusal(upload: Path, tmp_path: Path) -> str:
    """Return why an upload is not taken in; nothing of it may stay, inside the data folder or beside it."""
    data = tmp_path / "data"
    before = {each for each in tmp_path.iterdir() if each != data}
    with pytest.raises(IntakeError) as refused:
        take_in(upload, data / "mine")
    assert not data.exists() or list(data.iterdir()) == []
    assert {each for each in tmp_path.iterdir() if each != data} == before
    return str(refused.value)


def test_folders_in_a_zip_are_taken_in_without_what_does_not_belong(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    files = {f"archive/{name}": content for name, content in pictures.items()}
    files |= {"archive/README.txt": b"hello", "__MACOSX/archive/._x.png": b"no", "archive/.DS_Store": b"no"}
    assert take_in(zipped(tmp_path / "mine.zip", files), tmp_path / "data" / "mine") == 140
    kept = tmp_path / "data" / "mine"
    assert sorted(each.name for each in kept.iterdir()) == ["test", "train"]
    assert sum(map(len, load(kept).values())) == 140
    assert list((tmp_path / "data").iterdir()) == [kept]
    assert {path.stat().st_mode & 0o777 for path in kept.rglob("*.png")} == {0o600}


def test_a_csv_is_taken_in_alone_and_in_a_zip(tmp_path: Path) -> None:
    csv = write_kaggle_csv(tmp_path / "faces.csv", easy_faces(70), in_turns(70))
    assert take_in(csv, tmp_path / "data" / "alone") == 70
    packed = zipped(tmp_path / "packed.zip", {"fer2013/fer2013.csv": csv.read_bytes()})
    assert take_in(packed, tmp_path / "data" / "packed") == 70


@pytest.mark.parametrize(
    "name", ["../outside.png", "/tmp/outside.png", "train/../../outside.png", "..\\outside.png", "C:\\outside.png"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, pictures: dict[str, bytes], name: str) -> None:
    some = next(iter(pictures.values()))
    assert "is not taken" in refusal(zipped(tmp_path / "mine.zip", {**pictures, name: some}), tmp_path)


def test_a_link_is_refused(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    link = zipfile.ZipInfo("train/angry/link.png")
    link.external_attr = SYMLINK
    assert "is a link" in refusal(zipped(tmp_path / "mine.zip", pictures, link), tmp_path)


def test_names_without_end_and_depth_without_end_are_refused(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    some = next(iter(pictures.values()))
    for name in ("a" * 200 + ".png", "/".join("a" * 9) + "/a.png"):
        assert "is too long" in refusal(zipped(tmp_path / "mine.zip", {name: some}), tmp_path)


def test_the_same_name_twice_is_refused(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    name, content = next(iter(pictures.items()))
    path = zipped(tmp_path / "mine.zip", {name: content})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(name, content)
    assert "is twice" in refusal(path, tmp_path)


def test_a_bomb_is_given_up_while_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fer2013.csv", b"0" * 50_000_000)
    assert path.stat().st_size < 100_000
    assert "too large" in refusal(path, tmp_path)


def test_many_small_files_together_are_a_bomb_too(
    tmp_path: Path, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_UNPACKED_BYTES", 100_000)
    assert "too large" in refusal(zipped(tmp_path / "mine.zip", pictures), tmp_path)


def test_a_size_that_the_list_understates_is_noticed(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/angry/0.png", b"\0" * 20_000_000)
    content = path.read_bytes().replace(struct.pack("<I", 20_000_000), struct.pack("<I", 1_000))
    path.write_bytes(content)
    assert refusal(path, tmp_path)


def test_too_many_files_are_refused_before_any_is_written(
    tmp_path: Path, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_FILES", 100)
    assert "too many files" in refusal(zipped(tmp_path / "mine.zip", pictures), tmp_path)


def test_a_list_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "mine.zip", pictures)
    monkeypatch.setattr(intake, "_MOST_DIRECTORY_BYTES", 1_000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    assert "too many files" in refusal(path, tmp_path)


def test_the_form_for_giants_is_refused(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    (tmp_path / "mine.zip").write_bytes(b"PK\6\7".ljust(20, b"\0") + end)
    assert "ZIP64" in refusal(tmp_path / "mine.zip", tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100, b"\0" * 70_000, b"PK\5\6" * 30])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.zip").write_bytes(content)
    assert "not a zip archive" in refusal(tmp_path / "mine.zip", tmp_path)


def test_a_cut_off_zip_is_refused(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = zipped(tmp_path / "mine.zip", pictures)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "not a zip archive" in refusal(path, tmp_path)


def test_a_picture_that_is_none_and_a_huge_one_are_named(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    bad = zipped(tmp_path / "bad.zip", {**pictures, "train/angry/zz.png": b"GIF89a, or so"})
    assert "'train/angry/zz.png' is not a picture" in refusal(bad, tmp_path)
    huge = cv2.imencode(".png", np.zeros((8_000, 8_000), np.uint8))[1].tobytes()
    large = zipped(tmp_path / "large.zip", {**pictures, "train/angry/zz.png": huge})
    assert "8000 x 8000 pixels" in refusal(large, tmp_path)


def test_pictures_that_are_many_pixels_together_are_refused(
    tmp_path: Path, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_PIXELS_TOGETHER", 139 * 48 * 48)
    told = refusal(zipped(tmp_path / "mine.zip", pictures), tmp_path)
    assert told == "The pictures have more than 320,256 pixels together; make them smaller."


def test_labels_that_would_fill_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_LABELS_BYTES", 1_000)
    assert "labels.csv" in refusal(zipped(tmp_path / "mine.zip", {"set/labels.csv": b"a,\n" * 1_000}), tmp_path)


def test_a_csv_that_is_a_single_row_without_end_is_given_up(tmp_path: Path) -> None:
    for number, content in enumerate((b"," * 3_000_000, b'"\n",' * 600_000)):
        (tmp_path / f"faces{number}.csv").write_bytes(content)
        tracemalloc.start()
        told = refusal(tmp_path / f"faces{number}.csv", tmp_path)
        assert "not a line of fer2013.csv" in told
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()


def test_folders_that_are_missing_are_named(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    without = {name: content for name, content in pictures.items() if "/fear/" not in name}
    assert refusal(zipped(tmp_path / "mine.zip", without), tmp_path).startswith("train/fear is missing or empty")


def test_a_name_that_is_taken_is_refused(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = zipped(tmp_path / "mine.zip", pictures)
    take_in(path, tmp_path / "data" / "mine")
    with pytest.raises(IntakeError, match="There is a data set mine already"):
        take_in(path, tmp_path / "data" / "mine")
    assert sum(map(len, load(tmp_path / "data" / "mine").values())) == 140
