import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognizer import EMOTIONS
from tests.training.faces import (
    easy_faces,
    in_turns,
    write_class_folders,
    write_kaggle_csv,
    write_sheet,
    write_sheets,
)
from training.data import FERPLUS, DataError, Faces, copied, default_folder, ferplus_majority, load, without_copies

COUNT = 300
FACES = easy_faces(COUNT)
SPLITS = in_turns(COUNT)
PIXELS_SHA256 = "c267d81af4fae7bced50ff1be0ce06f7d14fb05887ece2efe39e04c35f8558b1"

needs_shared_data = pytest.mark.skipif(
    not default_folder().exists(), reason=f"the FER2013 data is not at {default_folder()}; set FER2013_DIR"
)


def of_split(split: str) -> Faces:
    return FACES[np.array(SPLITS) == split]


def keep_first_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_sheets_give_back_pixels_labels_and_votes_of_each_split(tmp_path: Path) -> None:
    found = load(write_sheets(tmp_path, FACES, SPLITS))
    for split, faces in found.items():
        expected = of_split(split)
        np.testing.assert_array_equal(faces.pixels, expected.pixels)
        np.testing.assert_array_equal(faces.labels, expected.labels)
        assert faces.votes is not None
        assert expected.votes is not None
        np.testing.assert_array_equal(faces.votes, expected.votes)


def test_the_kaggle_csv_yields_pixels_and_labels_of_each_split(tmp_path: Path) -> None:
    found = load(write_kaggle_csv(tmp_path / "anything.csv", FACES, SPLITS))
    for split, faces in found.items():
        np.testing.assert_array_equal(faces.pixels, of_split(split).pixels)
        np.testing.assert_array_equal(faces.labels, of_split(split).labels)
        assert faces.votes is None


def test_the_kaggle_csv_is_found_in_its_folder(tmp_path: Path) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", FACES, SPLITS)
    assert len(load(tmp_path)["train"]) == SPLITS.count("train")


def test_class_folders_give_back_pixels_and_labels(tmp_path: Path) -> None:
    train, test = FACES[:210], FACES[210:280]
    found = load(write_class_folders(tmp_path, train, test))
    by_class = np.argsort(train.labels, kind="stable")
    tenth = np.arange(len(train)) % 10 == 0
    np.testing.assert_array_equal(found["train"].pixels, train[by_class][~tenth].pixels)
    np.testing.assert_array_equal(found["valid"].pixels, train[by_class][tenth].pixels)
    np.testing.assert_array_equal(found["valid"].labels, train[by_class][tenth].labels)
    np.testing.assert_array_equal(found["test"].pixels, test[np.argsort(test.labels, kind="stable")].pixels)
    assert len(found["train"]) + len(found["valid"]) == len(train)


def test_a_larger_picture_in_a_class_folder_is_shrunk(tmp_path: Path) -> None:
    write_class_folders(tmp_path, FACES[:70], FACES[:70])
    large = np.full((96, 96), 77, np.uint8)
    assert cv2.imwrite(str(tmp_path / "test" / EMOTIONS[0] / "0000.png"), large)
    np.testing.assert_array_equal(load(tmp_path)["test"].pixels[0], np.full((48, 48), 77))


def test_a_place_without_data_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path}.*FER2013_DIR"):
        load(tmp_path)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_sheet_is_named(tmp_path: Path, number: int) -> None:
    write_sheets(tmp_path, FACES, SPLITS)
    (tmp_path / f"faces-{number:02}.webp").unlink()
    message = r"labels\.csv.*last faces-\*\.webp" if number == 2 else f"faces-{number:02}.webp is missing"
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_labels_without_any_sheet_name_the_first_one(tmp_path: Path) -> None:
    write_sheets(tmp_path, FACES, SPLITS)
    for sheet in tmp_path.glob("*.webp"):
        sheet.unlink()
    with pytest.raises(DataError, match=r"faces-00\.webp is missing"):
        load(tmp_path)


def test_a_sheet_cut_in_half_is_named(tmp_path: Path) -> None:
    write_sheets(tmp_path, FACES, SPLITS)
    keep_first_half(tmp_path / "faces-01.webp")
    with pytest.raises(DataError, match=r"faces-01\.webp"):
        load(tmp_path)


def test_a_sheet_of_another_width_is_named(tmp_path: Path) -> None:
    write_sheets(tmp_path, FACES, SPLITS)
    assert cv2.imwrite(str(tmp_path / "faces-01.webp"), np.zeros((96, 480), np.uint8))
    with pytest.raises(DataError, match=r"faces-01\.webp"):
        load(tmp_path)


def test_labels_cut_in_half_are_named(tmp_path: Path) -> None:
    write_sheets(tmp_path, FACES, SPLITS)
    keep_first_half(tmp_path / "labels.csv")
    with pytest.raises(DataError, match=r"labels\.csv"):
        load(tmp_path)


def test_labels_cut_after_a_whole_line_are_named(tmp_path: Path) -> None:
    labels = write_sheets(tmp_path, FACES, SPLITS) / "labels.csv"
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:151]))
    with pytest.raises(DataError, match=r"labels\.csv has 150 lines for 320 faces"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("0,train,angry", "0,train,furious"),
        ("0,train", "0,tram"),
        ("ferplus_fear", "ferplus_joy"),
        ("angry,0", "angry,x"),
    ],
)
def test_a_junk_label_is_named(tmp_path: Path, was: str, becomes: str) -> None:
    labels = write_sheets(tmp_path, FACES, SPLITS) / "labels.csv"
    text = labels.read_text()
    assert was in text
    labels.write_text(text.replace(was, becomes, 1))
    with pytest.raises(DataError, match=r"labels\.csv"):
        load(tmp_path)


def test_far_more_sheets_than_labels_are_not_all_read(tmp_path: Path) -> None:
    labels = write_sheets(tmp_path, FACES, SPLITS) / "labels.csv"
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:31]))
    (tmp_path / "faces-02.webp").write_text("it would be damaged")
    with pytest.raises(DataError, match=r"labels\.csv has 30 lines for 256 faces"):
        load(tmp_path)


def test_labels_that_are_not_text_are_named(tmp_path: Path) -> None:
    (write_sheets(tmp_path, FACES, SPLITS) / "labels.csv").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(DataError, match=r"labels\.csv"):
        load(tmp_path)


def test_a_kaggle_csv_cut_in_half_is_named_with_its_line(tmp_path: Path) -> None:
    path = write_kaggle_csv(tmp_path / "fer2013.csv", FACES, SPLITS)
    keep_first_half(path)
    with pytest.raises(DataError, match=r"fer2013\.csv, line \d+"):
        load(path)


def test_a_kaggle_csv_without_one_split_is_named(tmp_path: Path) -> None:
    path = write_kaggle_csv(tmp_path / "fer2013.csv", FACES[:5], SPLITS[:5])
    with pytest.raises(DataError, match=r"fer2013\.csv holds no face of the valid split"):
        load(path)


@pytest.mark.parametrize("line", ["7,PIXELS,Training", "-1,PIXELS,Training", "sad,PIXELS,Training", "0,PIXELS,Trainin"])
def test_a_junk_label_in_a_kaggle_csv_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n" + line.replace("PIXELS", " ".join(["0"] * 2304)) + "\n")
    with pytest.raises(DataError, match=r"fer2013\.csv, line 2"):
        load(path)


@pytest.mark.parametrize("pixels", ["1 2 3", "x " * 2304, "300 " * 2304, "-1 " * 2304, ""])
def test_junk_pixels_in_a_kaggle_csv_are_named_with_their_line(tmp_path: Path, pixels: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n0,{pixels},Training\n")
    with pytest.raises(DataError, match=r"fer2013\.csv, line 2"):
        load(path)


def test_a_csv_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shopping.csv"
    path.write_text("what,how many\nmilk,2\n")
    with pytest.raises(DataError, match=r"shopping\.csv"):
        load(path)


@pytest.mark.parametrize("part", ["train/fear", "test/happy"])
def test_an_empty_class_folder_is_named(tmp_path: Path, part: str) -> None:
    write_class_folders(tmp_path, FACES[:70], FACES[70:140])
    for picture in (tmp_path / part).iterdir():
        picture.unlink()
    with pytest.raises(DataError, match=part):
        load(tmp_path)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    write_class_folders(tmp_path, FACES[:70], FACES[70:140])
    (tmp_path / "train" / "sad" / "notes.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"notes\.png"):
        load(tmp_path)


def test_copies_of_held_out_faces_and_blank_faces_are_left_out_of_training() -> None:
    blank = np.zeros((1, 48, 48), np.uint8)
    train = Faces(np.concatenate([FACES.pixels[:20], blank]), np.zeros(21, np.int64), None)
    clean = without_copies(train, FACES[5:8], FACES[18:40])
    np.testing.assert_array_equal(clean.pixels, np.concatenate([FACES.pixels[:5], FACES.pixels[8:18]]))


def test_held_out_faces_that_also_lie_in_train_are_found_blank_ones_not_counted() -> None:
    blank = np.zeros((1, 48, 48), np.uint8)
    train = Faces(np.concatenate([FACES.pixels[:6], blank]), np.append(FACES.labels[:6], 0), None)
    labels = FACES.labels[4:8].copy()
    labels[1] = (labels[1] + 1) % 7  # the copy of the second face has another label
    held_out = Faces(np.concatenate([FACES.pixels[4:8], blank]), np.append(labels, 0), None)
    found, agreeing = copied(held_out, train)
    assert found.tolist() == [True, True, False, False, False]
    assert agreeing.tolist() == [True, False, False, False, False]


def test_class_counts_name_every_class() -> None:
    assert FACES[FACES.labels == 2].class_counts.tolist() == [0, 0, 43, 0, 0, 0, 0]


def test_a_written_sheet_is_lossless(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.webp", FACES.pixels[:64])
    read = cv2.imread(str(tmp_path / "sheet.webp"), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    np.testing.assert_array_equal(read[:, :48], FACES.pixels[0])


@needs_shared_data
def test_the_shared_data_is_the_whole_fer2013() -> None:
    splits = load(default_folder())
    assert {split: len(faces) for split, faces in splits.items()} == {"train": 28709, "valid": 3589, "test": 3589}
    digest = hashlib.sha256()
    for split in ("train", "valid", "test"):  # the official order of the rows
        digest.update(splits[split].pixels.tobytes())
    assert digest.hexdigest() == PIXELS_SHA256
    clean = without_copies(splits["train"], splits["valid"], splits["test"])
    held_out = {face.tobytes() for split in ("valid", "test") for face in splits[split].pixels}
    assert not any(face.tobytes() in held_out for face in clean.pixels)
    assert 27000 < len(clean) < len(splits["train"])


@pytest.mark.parametrize(
    ("votes", "majority"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], "neutral"),
        ([0, 0, 0, 5, 4, 0, 0, 1, 0, 0], "sad"),  # the single vote is dropped: five of nine
        ([0, 0, 0, 5, 5, 0, 0, 0, 0, 0], None),  # half is not more than half
        ([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], None),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
        ([0, 6, 0, 0, 0, 0, 0, 0, 4, 0], "happy"),
        ([0, 4, 0, 0, 0, 0, 0, 0, 6, 0], None),  # unknown
    ],
)
def test_a_majority_is_more_than_half_of_what_more_than_one_said(votes: list[int], majority: str | None) -> None:
    expected = -1 if majority is None else FERPLUS.index(majority)
    assert ferplus_majority(np.array([votes], np.float32)).tolist() == [expected]
