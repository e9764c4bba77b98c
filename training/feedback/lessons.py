"""Turn people's statements on faces into lessons to learn from and to judge by: split by person, weighted and
capped.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from db import KeptFace, Lesson, Part, Source
from recognizer import EMOTIONS, FACE_SIZE, EmojiMap
from recognizer.labels import soft_label
from training.feedback.trust import capped

JUDGE_SHARE = 0.3
"""Share of all people who are held out for judging. The hash of a person decides, once and for all. Nobody who judges
versions is ever learned from, so the served version has no unfair advantage.
"""
_MOST_WEIGHT = 3.0
"""Maximum weight of one face, however many people labelled it."""


@dataclass(frozen=True, eq=False)
class Book:
    """Labelled faces of one part, for learning or for judging.

    readings: int64 `(n,)`. crops: uint8 `(n, 48, 48)`. labels: float64 `(n, 7)`, soft, rows summing to 1. weights:
    float64 `(n,)`, above 0. people: int64 `(n,)`, a number for the sender of the face. vouched: bool `(n,)`, whether an
    admin or an import confirms the label. played: bool `(n,)`, whether somebody was asked to show an emotion in a game.
    """

    part: Part
    readings: NDArray[np.int64]
    crops: NDArray[np.uint8]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]
    people: NDArray[np.int64]
    vouched: NDArray[np.bool_]
    played: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.readings)

    @property
    def people_count(self) -> int:
        """Return the number of people."""
        return len(np.unique(self.people))

    def with_more(self, other: "Book") -> "Book":
        """Return the faces of both, as this part; their people differ."""
        columns = (field.name for field in fields(self) if field.name != "part")
        return Book(self.part, *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns))

    def lessons(self) -> tuple[Lesson, ...]:
        """Return the lessons in the form stored with a version."""
        return tuple(
            Lesson(int(reading), self.part, float(weight), tuple(map(float, label)), bool(played))
            for reading, weight, label, played in zip(
                self.readings, self.weights, self.labels, self.played, strict=True
            )
        )


def divided(faces: Sequence[KeptFace], emoji_map: EmojiMap) -> tuple[Book, Book]:
    """Return the faces to learn from and the faces to judge by. Faces whose statements name no emotion are left out."""
    labelled = [(face, soft_label(emoji_map, face.probabilities, face.answers)) for face in faces]
    parts: dict[Part, list[tuple[KeptFace, NDArray[np.float64], float]]] = {Part.LEARN: [], Part.JUDGE: []}
    for face, label in labelled:
        if label is not None:
            part = Part.JUDGE if _draw(face.sender_hash) < JUDGE_SHARE else Part.LEARN
            parts[part].append((face, label.shares, min(label.weight, _MOST_WEIGHT)))
    return _book(Part.LEARN, parts[Part.LEARN]), _book(Part.JUDGE, parts[Part.JUDGE])


def fingerprint(*books: Book) -> str:
    """Return the SHA-256 of all lessons, 64 hexadecimal digits; equal labels have equal fingerprints."""
    digest = hashlib.sha256()
    for book in books:
        for lesson in book.lessons():
            shares = " ".join(f"{share:.6f}" for share in lesson.label)
            digest.update(f"{lesson.reading} {lesson.part} {lesson.weight:.6f} {shares}\n".encode())
    return digest.hexdigest()


def _draw(sender_hash: str) -> float:
    """Return the number from 0 to 1 encoded in a keyed hash; people cannot choose theirs."""
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
        np.array([_is_played(face) for face, *_ in rows], dtype=bool),
    )


def _is_played(face: KeptFace) -> bool:
    return any(answer.source is Source.PLAY for answer in face.answers)


def _is_vouched(face: KeptFace, label: NDArray[np.float64]) -> bool:
    """Check whether an admin or an import named the label's emotion."""
    named = EMOTIONS[int(label.argmax())]
    return any(answer.source in (Source.ADMIN, Source.IMPORT) and answer.verdict == named for answer in face.answers)
