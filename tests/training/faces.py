"""Generated faces that a tiny network can classify, and tiny data sets of them in the three public forms."""

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer import EMOTIONS, FACE_SIZE
from training.data import FERPLUS, Faces

KAGGLE_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
KAGGLE_USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
TAGS = (*FERPLUS, "unknown", "not_a_face")
LABEL_COLUMNS = ["row", "split", "fer2013", *(f"ferplus_{tag}" for tag in TAGS)]
FACES_A_ROW = 64


def easy_faces(count: int, seed: int = 0) -> Faces:
    """Return noise with stripes whose direction and width depend on the class; the classes alternate."""
    randomness = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(EMOTIONS)
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    patterns = [np.sin(x / 1.5), np.sin(y / 1.5), np.sin(x / 5), np.sin(y / 5), np.sin((x + y) / 3)]
    patterns += [np.sin(x / 2) * np.sin(y / 2), np.sign(x - FACE_SIZE / 2)]
    noise = randomness.normal(0, 15, (count, FACE_SIZE, FACE_SIZE))
    pixels = 128 + 80 * np.stack(patterns)[labels] + noise
    votes = np.zeros((count, len(TAGS)), np.float32)
    votes[np.arange(count), [FERPLUS.index(EMOTIONS[label]) for label in labels]] = 10
    return Faces(np.clip(pixels, 0, 255).astype(np.uint8), labels, votes)


def write_sheet(path: Path, faces: NDArray[np.uint8]) -> None:
    """Write a lossless contact sheet, 64 faces in a row, the last row padded with black."""
    filled = np.zeros((-(-len(faces) // FACES_A_ROW) * FACES_A_ROW, FACE_SIZE, FACE_SIZE), np.uint8)
    filled[: len(faces)] = faces
    tiles = filled.reshape(-1, FACES_A_ROW, FACE_SIZE, FACE_SIZE).transpose(0, 2, 1, 3)
    assert cv2.imwrite(str(path), tiles.reshape(-1, FACES_A_ROW * FACE_SIZE), [cv2.IMWRITE_WEBP_QUALITY, 101])


def write_sheets(folder: Path, faces: Faces, splits: list[str], sheet: int = 128) -> Path:
    """Write the shared form: sheets of `sheet` faces each, and labels.csv."""
    assert faces.votes is not None
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(faces), sheet)):
        write_sheet(folder / f"faces-{number:02}.webp", faces.pixels[start : start + sheet])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(LABEL_COLUMNS)
        for row, (split, label, votes) in enumerate(zip(splits, faces.labels, faces.votes, strict=True)):
            lines.writerow([row, split, EMOTIONS[label], *votes.astype(int)])
    return folder


def write_kaggle_csv(path: Path, faces: Faces, splits: list[str]) -> Path:
    """Write the form of Kaggle's fer2013.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["emotion", "pixels", "Usage"])
        for split, label, face in zip(splits, faces.labels, faces.pixels, strict=True):
            emotion = KAGGLE_EMOTIONS.index(EMOTIONS[label])
            lines.writerow([emotion, " ".join(map(str, face.ravel())), KAGGLE_USAGES[split]])
    return path


def write_class_folders(folder: Path, train: Faces, test: Faces) -> Path:
    """Write the form train|test/<class>/<number>.png."""
    for name, faces in (("train", train), ("test", test)):
        for number, (face, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
            place = folder / name / EMOTIONS[label]
            place.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(place / f"{number:04}.png"), face)
    return folder


def in_turns(count: int) -> list[str]:
    """Return splits for `count` faces: of every ten, eight train, then one valid, then one test."""
    return [("train", "valid", "test")[max(0, number % 10 - 7)] for number in range(count)]
