"""Import labelled faces as feedback: `FOLDER/<emotion>/*`, or a CSV with one line for each picture.

A picture is processed like a user's selfie: decoded, its biggest face detected and registered. A picture that is itself
a 48x48 face is used as it is, without the detector.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from db import Imported, Person, Platform, Store, Verdict
from recognizer import EMOTIONS, FACE_SIZE, PhotoError, Recognizer
from training import TrainingError

LABELS = (*EMOTIONS, Verdict.NOT_A_FACE)
_A_TRANSACTION = 50


class ImportFacesError(TrainingError):
    """The import source is invalid; the message names the folder or line and says what is expected there."""


@dataclass(frozen=True)
class LabelledPicture:
    """One file with its label.

    person: whose face it is, or the file's own path if that is unknown (`is_nobodys`).
    """

    path: Path
    label: str
    person: str
    is_nobodys: bool


@dataclass(frozen=True)
class ImportReport:
    """The number of new faces and of faces already stored, and the pictures that could not be used, with the reason."""

    added: int
    known: int
    refused: tuple[tuple[Path, str], ...]


def listed(source: Path) -> list[LabelledPicture]:
    """Return the pictures of a folder or a CSV, in the order of their names or lines. Raise `ImportFacesError`.

    A folder contains one folder for each emotion. Pictures in a subfolder of that belong to the person it is named
    after; hidden files and folders are left out. A CSV has the columns `path` (relative to the CSV), `emotion`, and
    optionally `person`.
    """
    pictures = list(_in_csv(source) if source.is_file() else _in_folder(source))
    if not pictures:
        others = f" There are {', '.join(unknown)}." if (unknown := unknown_folders(source)) else ""
        raise ImportFacesError(f"{source} holds no picture in a folder named {', '.join(LABELS)}.{others}")
    return pictures


def unknown_folders(source: Path) -> list[str]:
    """Return the names of the folders in a folder of labelled faces that name no label, so that nothing of them is
    imported; hidden ones do not count.
    """
    if not source.is_dir():
        return []
    return sorted(
        each.name for each in source.iterdir() if each.is_dir() and each.name not in LABELS and each.name[0] != "."
    )


async def import_faces(
    store: Store, recognizer: Recognizer, pictures: list[LabelledPicture], name: str
) -> ImportReport:
    """Read the pictures and store their faces as feedback. name: of the imported set.

    A set can be imported again: faces already stored are left unchanged. SQLAlchemy's errors are passed on; faces
    stored before the error stay.
    """
    added, known, refused = 0, 0, []
    for start in range(0, len(pictures), _A_TRANSACTION):
        faces = []
        for picture in pictures[start : start + _A_TRANSACTION]:
            try:
                faces.append(_face(recognizer, picture, name))
            except ImportFacesError as error:
                refused.append((picture.path, str(error)))
        fresh = await store.feedback.add_imported(faces, recognizer.version, name)
        added, known = added + fresh, known + len(faces) - fresh
    return ImportReport(added, known, tuple(refused))


def _in_folder(folder: Path) -> Iterator[LabelledPicture]:
    if not folder.is_dir():
        raise ImportFacesError(f"{folder} is not there; name a folder with <emotion>/* in it, or a CSV.")
    for label in LABELS:
        for path in sorted(each for each in (folder / label).rglob("*") if each.is_file()):
            inner = path.relative_to(folder / label).parts
            if any(part.startswith(".") for part in inner):
                continue
            is_named = len(inner) > 1
            yield LabelledPicture(path, label, inner[0] if is_named else str(path.relative_to(folder)), not is_named)


def _in_csv(file: Path) -> Iterator[LabelledPicture]:
    line = 1
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            for row in csv.DictReader(opened):
                line += 1
                if row["emotion"] not in LABELS:
                    raise ValueError(f"{row['emotion']!r} is none of {', '.join(LABELS)}")
                if not row["path"]:
                    raise ValueError("the path is empty")
                person = row.get("person")
                yield LabelledPicture(file.parent / row["path"], row["emotion"], person or row["path"], not person)
    except (OSError, csv.Error, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ImportFacesError(
            f"{file}, line {line}: {error}. A line has path, emotion and perhaps person, and the first line says so."
        ) from error


def _face(recognizer: Recognizer, picture: LabelledPicture, name: str) -> Imported:
    """Return the picture's face. Raise `ImportFacesError` if there is none."""
    person = Person(Platform.IMPORT, f"{name}/{picture.person}")
    try:
        content = picture.path.read_bytes()
        pixels = recognizer.decode(content).pixels
        if pixels.shape[:2] == (FACE_SIZE, FACE_SIZE):
            crop = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
            seven = recognizer.classify(crop[None])[0]
            return Imported(crop.tobytes(), tuple(map(float, seven)), picture.label, person)
        faces = recognizer.read(content).faces
    except OSError as error:
        raise ImportFacesError(f"cannot be read ({error.strerror})") from error
    except PhotoError as error:
        raise ImportFacesError(str(error)) from error
    if not faces:
        raise ImportFacesError("no face was found in it")
    return Imported(faces[0].crop.tobytes(), faces[0].probabilities, picture.label, person)
