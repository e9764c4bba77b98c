"""From the words on faces to what a model learns from and what it is judged by: split by person, weighed, capped."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db import KeptFace, Lesson, Part, Source
from recognizer import EMOTIONS, FACE_SIZE, EmojiMap
from recognizer.labels import soft_label
from training.feedback.trust import capped

JUDGE_SHARE = 0.3
"""Of all people. Who belongs to them is decided by the hash of the person, once and for all: nobody by whom versions
are judged is ever learned from, so that the served version has no unfair start."""
_MOST_WEIGHT = 3.0
"""Of one face, however many people spoke of it."""


@dataclass(frozen=True, eq=False)
class Book:
    """Labelled faces, of one part.

    readings: int64 `(n,)`. crops: uint8 `(n, 48, 48)`. labels: float64 `(n, 7)`, soft, rows summing to 1. weights:
    float64 `(n,)`, above 0. people: int64 `(n,)`, a number for whoever sent the face. vouched: bool `(n,)`, an admin or
    an imported label stands behind it.
    """

    part: Part
    readings: NDArray[np.int64]
    crops: NDArray[np.uint8]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]
    people: NDArray[np.int64]
    vouched: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.readings)

    @property
    def people_count(self) -> int:
        """How many people are in it."""
        return len(np.unique(self.people))

    def lessons(self) -> tuple[Lesson, ...]:
        """As they are kept with a version."""
        return tuple(
            Lesson(int(reading), self.part, float(weight), tuple(map(float, label)))
            for reading, weight, label in zip(self.readings, self.weights, self.labels, strict=True)
        )


def divided(faces: Sequence[KeptFace], emoji_map: EmojiMap) -> tuple[Book, Book]:
    """What to learn from, and what to judge by; faces whose words name no emotion are left out."""
    labelled = [(face, soft_label(emoji_map, face.probabilities, face.words)) for face in faces]
    parts: dict[Part, list[tuple[KeptFace, NDArray[np.float64], float]]] = {Part.LEARN: [], Part.JUDGE: []}
    for face, label in labelled:
        if label is not None:
            part = Part.JUDGE if _draw(face.sender_hash) < JUDGE_SHARE else Part.LEARN
            parts[part].append((face, label.shares, min(label.weight, _MOST_WEIGHT)))
    return _book(Part.LEARN, parts[Part.LEARN]), _book(Part.JUDGE, parts[Part.JUDGE])


def fingerprint(*books: Book) -> str:
    """SHA-256 of all lessons, 64 hexadecimal digits: the same labels give the same."""
    digest = hashlib.sha256()
    for book in books:
        for lesson in book.lessons():
            shares = " ".join(f"{share:.6f}" for share in lesson.label)
            digest.update(f"{lesson.reading} {lesson.part} {lesson.weight:.6f} {shares}\n".encode())
    return digest.hexdigest()


def _draw(sender_hash: str) -> float:
    """A number from 0 to 1 that a keyed hash stands for: nobody can choose theirs."""
    return int(sender_hash[:8], 16) / 16**8


def _book(part: Part, rows: Sequence[tuple[KeptFace, NDArray[np.float64], float]]) -> Book:
    people = np.array([face.sender for face, *_ in rows], dtype=np.int64)
    crops = b"".join(face.crop for face, *_ in rows)
    weights = np.array([weight for *_, weight in rows], dtype=np.float64)
    return Book(
        part,
        np.array([face.reading for face, *_ in rows], dtype=np.int64),
        np.frombuffer(crops, np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE),
        np.array([label for _, label, _ in rows], dtype=np.float64).reshape(-1, 7),
        capped(weights, people),
        people,
        np.array([_is_vouched(face, label) for face, label, _ in rows], dtype=bool),
    )


def _is_vouched(face: KeptFace, label: NDArray[np.float64]) -> bool:
    """Whether an admin or an import says what the label says."""
    named = EMOTIONS[int(label.argmax())]
    return any(word.source in (Source.ADMIN, Source.IMPORT) and word.verdict == named for word in face.words)
