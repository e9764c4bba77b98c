"""The review queue: which faces an admin should look at first, and what they say of them."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db import AdminAgreement, FaceSummary, Person, Source, Store, Verdict
from recognizer import FACE_SIZE, EmojiMap
from recognizer.labels import doubtful, soft_label

ENOUGH_ADMINS = 2
"""How many admins look at a face before it leaves the queue for all of them."""
_ORDER_HOLDS_S = 20.0
_LOOK_AT = 32
"""Faces that are looked up at once where one is wanted: some of them may have left the queue since it was ordered."""


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
class _Place:
    """A face in the order of all. admins: numbers of those who labelled it when it was ordered."""

    reading: int
    why: str
    admins: frozenset[int | None]


class ReviewQueue:
    """Orders the faces that may be learned from, and keeps what admins say. Raises what SQLAlchemy raises.

    The order is made without the pictures, and holds some seconds; a picture is read when its face is looked at.
    """

    def __init__(
        self, store: Store, emoji_map: Callable[[], EmojiMap], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """emoji_map: gives the map of now. clock: gives seconds."""
        self._store = store
        self._emoji_map = emoji_map
        self._clock = clock
        self._places: tuple[_Place, ...] = ()
        self._ordered_at: float | None = None
        self._ordering = asyncio.Lock()

    async def queue(self, admin: Person, skipped: Collection[int] = ()) -> tuple[int, ...]:
        """Readings this admin has not labelled, the most useful first; skipped ones last. It may be some seconds old:
        `find` gives those that still wait."""
        me = await self._store.feedback.person_number(admin)
        waiting = [place.reading for place in await self._order() if _is_open(place.admins, me)]
        later = frozenset(skipped)
        return tuple(sorted(waiting, key=lambda reading: reading in later))

    async def next(self, admin: Person, skipped: Collection[int] = ()) -> ReviewItem | None:
        """The first face of this admin's queue; None where nothing waits."""
        began = self._clock()
        item = await self._first(admin, skipped)
        if item is None and self._ordered_at is not None and self._ordered_at < began:
            self._ordered_at = None
            return await self._first(admin, skipped)
        return item

    async def find(self, admin: Person, readings: Sequence[int], most: int = 1) -> tuple[ReviewItem, ...]:
        """The first `most` of these faces that still wait for this admin, with their pictures."""
        feedback = self._store.feedback
        me = await feedback.person_number(admin)
        summaries = {face.reading: face for face in await feedback.summaries(readings)}
        waiting = [
            summaries[reading]
            for reading in readings
            if reading in summaries and _is_open(_admins(summaries[reading]), me)
        ][:most]
        crops = await feedback.crops([face.reading for face in waiting])
        whys = {place.reading: place.why for place in await self._order()}
        return tuple(
            _item(face, crops[face.reading], me, whys.get(face.reading, "it is new"))
            for face in waiting
            if face.reading in crops
        )

    async def label(self, admin: Person, reading: int, verdict: str) -> bool:
        """Keep an admin's word. False: the face is no longer kept. Raises `ValueError` on another verdict."""
        if verdict not in tuple(Verdict):
            raise ValueError(f"{verdict!r} is none of {', '.join(Verdict)}")
        return await self._store.feedback.add_label(reading, admin, verdict)

    async def undo(self, admin: Person, reading: int | None = None) -> int | None:
        """Take this admin's last word back, or their last one on `reading`; gives the reading it was about."""
        return await self._store.feedback.undo_label(admin, reading)

    async def agreement(self) -> AdminAgreement:
        """How far admins agree."""
        return await self._store.feedback.agreement()

    async def _first(self, admin: Person, skipped: Collection[int]) -> ReviewItem | None:
        queue = await self.queue(admin, skipped)
        for start in range(0, len(queue), _LOOK_AT):
            if found := await self.find(admin, queue[start : start + _LOOK_AT]):
                return found[0]
        return None

    async def _order(self) -> tuple[_Place, ...]:
        async with self._ordering:
            now = self._clock()
            if self._ordered_at is None or now - self._ordered_at > _ORDER_HOLDS_S:
                faces = await self._store.feedback.summaries()
                self._places = await asyncio.to_thread(_ordered, self._emoji_map(), faces)
                self._ordered_at = now
            return self._places


def _ordered(emoji_map: EmojiMap, faces: Sequence[FaceSummary]) -> tuple[_Place, ...]:
    """All faces, the most useful first."""
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
    names = list(reasons)
    order = np.argsort(-table.sum(axis=0), kind="stable")
    return tuple(
        _Place(faces[place].reading, names[int(table[:, place].argmax())], _admins(faces[place])) for place in order
    )


def _admins(face: FaceSummary) -> frozenset[int | None]:
    return frozenset(word.who for word in face.words if word.source is Source.ADMIN)


def _is_open(admins: frozenset[int | None], me: int | None) -> bool:
    return me not in admins and len(admins) < ENOUGH_ADMINS


def _item(face: FaceSummary, crop: bytes, me: int | None, why: str) -> ReviewItem:
    pixels = np.frombuffer(crop, np.uint8).reshape(FACE_SIZE, FACE_SIZE)
    others = tuple(str(word.verdict) for word in face.words if word.source is Source.ADMIN and word.who != me)
    said = tuple(
        str(word.verdict or word.emoji or "none of these") for word in face.words if word.source is not Source.ADMIN
    )
    return ReviewItem(face.reading, pixels, face.probabilities, said, others, why)


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
