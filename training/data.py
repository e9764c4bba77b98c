"""Read labelled faces from the shared contact sheets, the Kaggle CSV, or `train|test/<class>/*` folders.

All three forms yield the same `Faces`. The data is only read, never written.
"""

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer import EMOTIONS, FACE_SIZE
from training import TrainingError

Split = Literal["train", "valid", "test"]

FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
"""The eight FER+ emotions, in the column order of Barsoum et al. 2016 (https://arxiv.org/abs/1608.01041)."""

_NO_EMOTION = ("unknown", "not_a_face")
"""The choices of a FER+ tagger other than an emotion."""

_KAGGLE_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_SPLITS: tuple[Split, ...] = ("train", "valid", "test")
_KAGGLE_SPLITS: dict[str, Split] = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
_FACES_A_ROW = 64
_MOST_LINE = 64 * 1024
"""Characters of a line of a CSV file; a face of Kaggle's takes 9,300 at most."""


class DataError(TrainingError):
    """The training data is missing or invalid; the message names the file and says what to do."""


@dataclass(frozen=True)
class Faces:
    """Labelled faces of one split.

    pixels: uint8 grey, `(n, 48, 48)`. labels: int64, `(n,)`, indices into `recognizer.EMOTIONS`. votes: float32,
    `(n, 10)`, FER+ votes in the order of `FERPLUS`, then for "unknown" and "not a face"; None if they are unknown.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Faces":
        return Faces(self.pixels[rows], self.labels[rows], None if self.votes is None else self.votes[rows])

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Return the number of faces per class, `(7,)`."""
        return np.bincount(self.labels, minlength=len(EMOTIONS))


def default_folder() -> Path:
    """Return the default location of the data: `FER2013_DIR` if set, else the shared folder."""
    return Path(os.environ.get("FER2013_DIR") or Path(__file__).parents[1] / ".." / "shared" / "data" / "fer2013")


def load(path: Path) -> dict[Split, Faces]:
    """Read all splits under `path`, in any of the three public forms.

    Raise `DataError` if the path is missing, incomplete or in none of the forms.
    """
    return _loader(path)()


def require(path: Path) -> None:
    """Raise `DataError` if there is nothing under `path` in any of the three public forms."""
    _loader(path)


def _loader(path: Path) -> Callable[[], dict[Split, Faces]]:
    """Return what reads the data under `path`. Raise `DataError`."""
    if path.is_file() and path.suffix.lower() == ".csv":
        return partial(_load_kaggle_csv, path)
    if (path / "labels.csv").is_file():
        return partial(_load_sheets, path)
    if (path / "fer2013.csv").is_file():
        return partial(_load_kaggle_csv, path / "fer2013.csv")
    if (path / "train").is_dir() and (path / "test").is_dir():
        return partial(_load_folders, path)
    raise DataError(
        f"No FER2013 data at {path}. Set FER2013_DIR (or --data) to a folder with labels.csv and faces-*.webp, "
        "to the Kaggle fer2013.csv, or to a folder with train/<class>/ and test/<class>/."
    )


def without_copies(train: Faces, *held_out: Faces) -> Faces:
    """Return `train` without blank faces and without faces that are pixel-identical to one of `held_out`."""
    seen = {face.tobytes() for faces in held_out for face in faces.pixels}
    keep = [face.tobytes() not in seen and face.min() != face.max() for face in train.pixels]
    return train[np.array(keep, dtype=bool)]


def copied(held_out: Faces, train: Faces) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which faces of `held_out` are pixel-identical to a face of `train`, and which of those to one of the same
    label.

    Both are bool `(n,)`. Blank faces, which are all equal, do not count.
    """
    labels: dict[bytes, set[int]] = {}
    for face, label in zip(train.pixels, train.labels.tolist(), strict=True):
        labels.setdefault(face.tobytes(), set()).add(label)
    same = [labels.get(face.tobytes(), set()) if face.min() != face.max() else set() for face in held_out.pixels]
    found = np.array([bool(each) for each in same], dtype=bool)
    agreeing = np.array([label in each for label, each in zip(held_out.labels, same, strict=True)], dtype=bool)
    return found, agreeing


def without_outliers(votes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return FER+ votes `(n, 10)` without tags chosen by a single tagger, as in the FER+ paper."""
    return np.where(votes > 1, votes, 0).astype(np.float32)


def ferplus_majority(votes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the emotion chosen by more than half of the taggers, as the FER+ paper scores: `(n,)`, indices into
    `FERPLUS`.

    -1 if there is none, or if most chose "unknown" or "not a face". votes: `(n, 10)`. Source: Barsoum et al. 2016
    (https://arxiv.org/abs/1608.01041), "majority voting", after single votes are dropped.
    """
    counted = without_outliers(votes)
    most = counted.argmax(axis=1)
    agreed = (counted.max(axis=1) > counted.sum(axis=1) / 2) & (most < len(FERPLUS))
    majority: NDArray[np.int64] = np.where(agreed, most, -1)
    return majority


def _load_sheets(folder: Path) -> dict[Split, Faces]:
    splits, labels, votes = _read_labels(folder / "labels.csv")
    sheets: list[NDArray[np.uint8]] = []
    for path in _sheets(folder):
        sheets.append(_read_sheet(path))
        if sum(map(len, sheets[:-1])) - len(labels) >= _FACES_A_ROW:
            break  # it is too many already
    pixels = np.concatenate(sheets)
    if len(pixels) < len(labels):
        raise DataError(
            f"{folder} has {len(pixels)} faces for the {len(labels)} lines of labels.csv: the last faces-*.webp sheets "
            "are missing; fetch them again."
        )
    if len(pixels) - len(labels) >= _FACES_A_ROW:  # a sheet is padded to a full row at most
        raise DataError(
            f"{folder / 'labels.csv'} has {len(labels)} lines for {len(pixels)} faces; it is cut off, fetch it again."
        )
    everything = Faces(pixels[: len(labels)], labels, votes)
    return {split: everything[splits == split] for split in _SPLITS}


def _read_labels(path: Path) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float32]]:
    splits, labels, votes = [], [], []
    try:
        for row in _rows(path):
            splits.append(_SPLITS.index(row["split"]))
            labels.append(EMOTIONS.index(row["fer2013"]))
            votes.append(np.array([row[f"ferplus_{tag}"] for tag in FERPLUS + _NO_EMOTION], dtype=np.float32))
    except (csv.Error, KeyError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}); fetch it again.") from error
    if missing := [split for number, split in enumerate(_SPLITS) if number not in splits]:
        raise DataError(f"{path} has no face of {', '.join(missing)}; fetch it again.")
    return np.array(_SPLITS)[splits], np.array(labels, dtype=np.int64), np.stack(votes)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by the names in its first line, without what a row lacks.

    Each line is a row, whatever quotes are in it, so that no row is longer. Raise `ValueError` for a longer line.
    """
    names: list[str] = []
    with path.open(newline="", encoding="utf-8") as file:
        while line := file.readline(_MOST_LINE):
            if len(line) == _MOST_LINE:
                raise ValueError("a line is too long")
            for row in csv.reader([line]):
                if names:
                    yield dict(zip(names, row, strict=False))
                names = names or row


def _sheets(folder: Path) -> list[Path]:
    """Return all sheets in order. Raise `DataError` naming the first missing one."""
    found = sorted(folder.glob("faces-*.webp"))
    expected = [folder / f"faces-{number:02}.webp" for number in range(max(1, len(found)))]
    for path in expected:
        if path not in found:
            raise DataError(f"{path} is missing; fetch it again.")
    return expected


def _read_sheet(path: Path) -> NDArray[np.uint8]:
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if sheet is None or sheet.shape[1] != _FACES_A_ROW * FACE_SIZE or sheet.shape[0] % FACE_SIZE:
        raise DataError(f"{path} is not a sheet of 48x48 faces, 64 a row; fetch it again.")
    tiles = sheet.reshape(-1, FACE_SIZE, _FACES_A_ROW, FACE_SIZE).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, FACE_SIZE, FACE_SIZE).astype(np.uint8)


def _load_kaggle_csv(path: Path) -> dict[Split, Faces]:
    gathered: dict[Split, tuple[list[NDArray[np.uint8]], list[int]]] = {split: ([], []) for split in _SPLITS}
    for split, label, face in _kaggle_faces(path):
        gathered[split][0].append(face)
        gathered[split][1].append(label)
    return {split: _faces_of(path, split, *found) for split, found in gathered.items()}


def _kaggle_faces(path: Path) -> Iterator[tuple[Split, int, NDArray[np.uint8]]]:
    line = 1
    try:
        for row in _rows(path):
            line += 1
            yield _kaggle_face(row)
    except (csv.Error, KeyError, ValueError, OverflowError) as error:
        raise DataError(f"{path}, line {line}: not a line of fer2013.csv ({error}); is the file cut off?") from error


def _kaggle_face(row: dict[str, str]) -> tuple[Split, int, NDArray[np.uint8]]:
    label = int(row["emotion"])
    if not 0 <= label < len(_KAGGLE_EMOTIONS):
        raise ValueError(f"emotion {label}")
    face = np.array([int(grey) for grey in row["pixels"].split()], dtype=np.uint8)
    if face.size != FACE_SIZE**2:
        raise ValueError(f"{face.size} pixels where {FACE_SIZE**2} belong")
    if row["Usage"] not in _KAGGLE_SPLITS:
        raise ValueError(f"Usage {row['Usage']}")
    label = EMOTIONS.index(_KAGGLE_EMOTIONS[label])
    return _KAGGLE_SPLITS[row["Usage"]], label, face.reshape(FACE_SIZE, FACE_SIZE)


def _load_folders(folder: Path) -> dict[Split, Faces]:
    """Load the folder form. It has no valid split, so every tenth training face, by name, is moved to one."""
    train, test = (_read_class_folders(folder / name) for name in ("train", "test"))
    tenth = np.arange(len(train)) % 10 == 0
    return {"train": train[~tenth], "valid": train[tenth], "test": test}


def _read_class_folders(folder: Path) -> Faces:
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, emotion in enumerate(EMOTIONS):
        paths = sorted(path for path in (folder / emotion).glob("*") if path.is_file())
        if not paths:
            raise DataError(f"{folder / emotion} is missing or empty; each of {', '.join(EMOTIONS)} needs faces.")
        for path in paths:
            face = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if face is None:
                raise DataError(f"{path} is not a picture; remove it or fetch it again.")
            if face.shape != (FACE_SIZE, FACE_SIZE):
                face = cv2.resize(face, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA)
            pixels.append(face.astype(np.uint8))
            labels.append(label)
    return _faces_of(folder, folder.name, pixels, labels)


def _faces_of(path: Path, split: str, pixels: list[NDArray[np.uint8]], labels: list[int]) -> Faces:
    if not pixels:
        raise DataError(f"{path} holds no face of the {split} split; is the file cut off?")
    return Faces(np.stack(pixels), np.array(labels, dtype=np.int64), None)
