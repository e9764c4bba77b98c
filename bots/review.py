"""The review queue: which faces an admin should look at first, and what they say of them."""

import asyncio
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db import NOT_A_FACE, UNSURE, KeptFace, Person, Source, Store
from recognizer import EMOTIONS, FACE_SIZE, EmojiMap
from recognizer.labels import doubtful, soft_label

VERDICTS = (*EMOTIONS, NOT_A_FACE, UNSURE)
"""What an admin may say of a face."""
ENOUGH_ADMINS = 2
"""How many admins look at a face before it leaves the queue for all of them."""


@dataclass(frozen=True, eq=False)
class ReviewItem:
    """A face to look at. crop: uint8 `(48, 48)`. probabilities: what the model said. said: verdicts and emoji of the
    people in the chat. others: verdicts of other admins. why: what makes it worth a look, for a person to read."""

    reading: int
    crop: NDArray[np.uint8]
    probabilities: tuple[float, ...]
    said: tuple[str, ...]
    others: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Agreement:
    """Of the faces that several admins labelled: pairs of their verdicts, and how many of the pairs are the same."""

    pairs: int
    same: int


class ReviewDesk:
    """Orders the faces that may be learned from, and keeps what admins say. Raises what SQLAlchemy raises."""

    def __init__(self, store: Store, emoji_map: Callable[[], EmojiMap]) -> None:
        """emoji_map: gives the map of now."""
        self._store = store
        self._emoji_map = emoji_map

    async def batch(self, admin: Person, most: int, skipped: Collection[int] = ()) -> tuple[ReviewItem, ...]:
        """Up to `most` faces this admin has not labelled, the most useful first; skipped ones last."""
        faces = await self._store.feedback.faces(only_with_words=False)
        me = await self._store.feedback.person_number(admin)
        return await asyncio.to_thread(_ordered, self._emoji_map(), faces, me, most, frozenset(skipped))

    async def find(self, admin: Person, reading: int) -> ReviewItem | None:
        """One face of this admin's queue; None where it is not in it."""
        queue = await self.batch(admin, sys.maxsize)
        return next((item for item in queue if item.reading == reading), None)

    async def label(self, admin: Person, reading: int, verdict: str) -> bool:
        """Keep an admin's word. False: the face was forgotten meanwhile. Raises `ValueError` on another verdict."""
        if verdict not in VERDICTS:
            raise ValueError(f"{verdict!r} is none of {', '.join(VERDICTS)}")
        return await self._store.feedback.add_label(reading, admin, verdict)

    async def undo(self, admin: Person) -> int | None:
        """Take this admin's last word back; gives the reading it was about."""
        return await self._store.feedback.undo_label(admin)

    async def agreement(self) -> Agreement:
        """How far admins agree."""
        pairs = same = 0
        for face in await self._store.feedback.faces():
            verdicts = [word.verdict for word in face.words if word.source is Source.ADMIN]
            for place, verdict in enumerate(verdicts):
                pairs += place
                same += verdicts[:place].count(verdict)
        return Agreement(pairs, same)


def _ordered(
    emoji_map: EmojiMap, faces: Sequence[KeptFace], me: int | None, most: int, skipped: frozenset[int]
) -> tuple[ReviewItem, ...]:
    if not faces:
        return ()
    probabilities = np.array([face.probabilities for face in faces], dtype=np.float64)
    labels = [soft_label(emoji_map, face.probabilities, face.words) for face in faces]
    people = np.array([np.full(7, 1 / 7) if label is None else label.shares for label in labels])
    spoken = np.array([label is not None for label in labels])
    wrong = np.zeros(len(faces), bool)
    wrong[spoken] = doubtful(probabilities[spoken], people[spoken]) if spoken.any() else False
    likely = np.where(spoken[:, None], people, probabilities)
    reasons = {
        "people and model disagree": np.where(spoken, 1 - people[np.arange(len(faces)), probabilities.argmax(1)], 0.0),
        "this label may be wrong": wrong.astype(float),
        "the model wavers between two": _margin(probabilities),
        "the model is unsure": _entropy(probabilities),
        "a rare emotion": likely @ _rarity(likely),
    }
    table = np.stack(list(reasons.values()))
    worth, names = table.sum(axis=0), list(reasons)
    items = [
        (face.reading in skipped, -float(worth[place]), _item(face, me, names[int(table[:, place].argmax())]))
        for place, face in enumerate(faces)
        if _is_open(face, me)
    ]
    return tuple(item for *_, item in sorted(items, key=lambda each: each[:2])[:most])


def _is_open(face: KeptFace, me: int | None) -> bool:
    admins = [word.who for word in face.words if word.source is Source.ADMIN]
    return me not in admins and len(admins) < ENOUGH_ADMINS


def _item(face: KeptFace, me: int | None, why: str) -> ReviewItem:
    crop = np.frombuffer(face.crop, np.uint8).reshape(FACE_SIZE, FACE_SIZE)
    others = tuple(str(word.verdict) for word in face.words if word.source is Source.ADMIN and word.who != me)
    said = tuple(
        str(word.verdict or word.emoji or "none of these") for word in face.words if word.source is not Source.ADMIN
    )
    return ReviewItem(face.reading, crop, face.probabilities, said, others, why)


def _margin(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where the two likeliest emotions are as likely, 0 where one is certain (Scheffer et al. 2001)."""
    ordered = np.sort(probabilities, axis=1)
    margin: NDArray[np.float64] = 1 - (ordered[:, -1] - ordered[:, -2])
    return margin


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 where one emotion is certain to 1 where all are as likely."""
    nats = -(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1)
    share: NDArray[np.float64] = nats / np.log(probabilities.shape[1])
    return share


def _rarity(likely: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the rarest emotion, less for others, `(7,)`."""
    shares = likely.mean(axis=0) + 1e-3
    rarity: NDArray[np.float64] = shares.min() / shares
    return rarity
