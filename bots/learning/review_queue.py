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
MOST_WAITING = 500
"""Readings that a queue returns at most, unless more are asked for."""
_DISAGREE, _WRONG = "people and model disagree", "this label may be wrong"
_WAVERS, _UNSURE, _RARE = "the model wavers between two", "the model is unsure", "a rare emotion"
_REASONS = (_DISAGREE, _WRONG, _WAVERS, _UNSURE, _RARE)
"""What makes a face worth a look, for a person to read."""
_LOOK_AT = 32
"""Faces that are looked up at once where one is wanted: some of them may have left the queue since it was ordered."""


@dataclass(frozen=True, eq=False)
class ReviewItem:
    """A face to look at.

    crop: uint8 `(48, 48)`. probabilities: what the model said. said: verdicts and emoji of the people in the chat.
    asked: the emotions that its sender was asked to show in a game. others: verdicts of other admins. why: what makes
    it worth a look, for a person to read.
    """

    reading: int
    crop: NDArray[np.uint8]
    probabilities: tuple[float, ...]
    said: tuple[str, ...]
    asked: tuple[str, ...]
    others: tuple[str, ...]
    why: str


@dataclass(frozen=True, eq=False)
class _Order:
    """The faces that may be learned from, the most useful first; in arrays, since there may be hundreds of thousands.

    readings: int64 `(n,)`. whys: the place among `_REASONS` of what makes each worth a look, `(n,)`. admins: numbers of
    those who had labelled a reading when the order was made; a reading that nobody labelled is left out.
    """

    readings: NDArray[np.int64]
    whys: NDArray[np.int64]
    admins: dict[int, frozenset[int | None]]

    def waiting(self, me: int | None, skipped: Collection[int], left_out: Collection[int], most: int) -> list[int]:
        """Return at most `most` readings that wait for an admin: those they skipped last, those left out not at all."""
        closed = [reading for reading, admins in self.admins.items() if not _is_open(admins, me)]
        open_to_me = self.readings[~np.isin(self.readings, [*closed, *left_out])]
        is_skipped = np.isin(open_to_me, list(skipped))
        return [int(reading) for reading in (*open_to_me[~is_skipped][:most], *open_to_me[is_skipped][:most])][:most]

    def why(self, reading: int) -> str:
        """Return what makes a face worth a look, for a person to read."""
        places = np.flatnonzero(self.readings == reading)
        return _REASONS[int(self.whys[places[0]])] if len(places) else "it is new"


_NOTHING = _Order(np.empty(0, np.int64), np.empty(0, np.int64), {})


class ReviewQueue:
    """Orders the faces that may be learned from, and stores admins' verdicts. Raises what SQLAlchemy raises.

    The order is made without the pictures, and is used for some seconds; a picture is read when its face is shown.
    """

    def __init__(
        self, store: Store, emoji_map: Callable[[], EmojiMap], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """emoji_map: returns the current map. clock: returns seconds."""
        self._store = store
        self._emoji_map = emoji_map
        self._clock = clock
        self._order = _NOTHING
        self._ordered_at: float | None = None
        self._ordering = asyncio.Lock()

    async def queue(
        self, admin: Person, skipped: Collection[int] = (), left_out: Collection[int] = (), most: int = MOST_WAITING
    ) -> tuple[int, ...]:
        """Return at most `most` readings that this admin has not labelled, the most useful first.

        skipped: come last. left_out: do not come. The order may be some seconds old; `find` knows what still waits.
        """
        me = await self._store.feedback.person_number(admin)
        order = await self._current_order()
        return tuple(await asyncio.to_thread(order.waiting, me, skipped, left_out, most))

    async def next(self, admin: Person, skipped: Collection[int] = ()) -> ReviewItem | None:
        """Return the first face of this admin's queue; None where nothing waits."""
        began = self._clock()
        item = await self._first(admin, skipped)
        if item is None and (self._ordered_at is None or self._ordered_at < began):
            self._ordered_at = None
            return await self._first(admin, skipped)
        return item

    async def find(self, admin: Person, readings: Sequence[int], most: int = 1) -> tuple[ReviewItem, ...]:
        """Return the first `most` of these faces that still wait for this admin, with their pictures."""
        feedback = self._store.feedback
        me = await feedback.person_number(admin)
        summaries = {face.reading: face for face in await feedback.summaries(readings)}
        waiting = [
            summaries[reading]
            for reading in readings
            if reading in summaries and _is_open(_admins(summaries[reading]), me)
        ][:most]
        crops = await feedback.crops([face.reading for face in waiting])
        order = await self._current_order()
        return tuple(
            _item(face, crops[face.reading], me, order.why(face.reading)) for face in waiting if face.reading in crops
        )

    async def label(self, admin: Person, reading: int, verdict: str) -> bool:
        """Store an admin's verdict; return False where the face is no longer kept.

        Raises `ValueError` on anything but a `Verdict`.
        """
        if verdict not in tuple(Verdict):
            raise ValueError(f"{verdict!r} is none of {', '.join(Verdict)}")
        return await self._store.feedback.add_label(reading, admin, verdict)

    async def undo(self, admin: Person, reading: int | None = None) -> int | None:
        """Delete this admin's last verdict, or their last one on `reading`; return the reading it was about."""
        return await self._store.feedback.undo_label(admin, reading)

    async def agreement(self) -> AdminAgreement:
        """Return how far admins agree."""
        return await self._store.feedback.agreement()

    async def _first(self, admin: Person, skipped: Collection[int]) -> ReviewItem | None:
        """Return the first face that still waits; those of the order that do not are left out from then on."""
        gone: set[int] = set()
        while queue := await self.queue(admin, skipped, gone, _LOOK_AT):
            if found := await self.find(admin, queue):
                return found[0]
            gone.update(queue)
        return None

    async def _current_order(self) -> _Order:
        async with self._ordering:
            now = self._clock()
            if self._ordered_at is None or now - self._ordered_at > _ORDER_HOLDS_S:
                emoji_map = await asyncio.to_thread(self._emoji_map)
                measured = [
                    await asyncio.to_thread(_measured, emoji_map, faces)
                    async for faces in self._store.feedback.all_summaries()
                ]
                self._order = await asyncio.to_thread(_ordered, measured)
                self._ordered_at = now
            return self._order


@dataclass(frozen=True, eq=False)
class _Measured:
    """A batch of faces: readings `(n,)`, what the model and what people say of each `(n, 7)`, whether people said
    anything `(n,)`, and which admins did."""

    readings: NDArray[np.int64]
    model: NDArray[np.float64]
    people: NDArray[np.float64]
    spoken: NDArray[np.bool_]
    admins: dict[int, frozenset[int | None]]


def _measured(emoji_map: EmojiMap, faces: Sequence[FaceSummary]) -> _Measured:
    labels = [soft_label(emoji_map, face.probabilities, face.answers) for face in faces]
    return _Measured(
        np.array([face.reading for face in faces], np.int64),
        np.array([face.probabilities for face in faces], np.float64),
        np.array([np.full(7, 1 / 7) if label is None else label.shares for label in labels]),
        np.array([label is not None for label in labels]),
        {face.reading: admins for face in faces if (admins := _admins(face))},
    )


def _ordered(batches: Sequence[_Measured]) -> _Order:
    """Return all faces, the most useful first."""
    if not batches:
        return _NOTHING
    readings, probabilities, people, spoken = (
        np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("readings", "model", "people", "spoken")
    )
    wrong = np.zeros(len(readings), bool)
    wrong[spoken] = doubtful(probabilities[spoken], people[spoken]) if spoken.any() else False
    likely = np.where(spoken[:, None], people, probabilities)
    rows = np.arange(len(readings))
    scores = {
        _DISAGREE: np.where(spoken, 1 - people[rows, probabilities.argmax(1)], 0.0),
        _WRONG: wrong.astype(float),
        _WAVERS: _margin(probabilities),
        _UNSURE: _entropy(probabilities),
        _RARE: likely @ _rarity(likely),
    }
    table = np.stack([scores[reason] for reason in _REASONS])
    order = np.argsort(-table.sum(axis=0), kind="stable")
    admins = {reading: who for batch in batches for reading, who in batch.admins.items()}
    return _Order(readings[order], table.argmax(axis=0)[order], admins)


def _admins(face: FaceSummary) -> frozenset[int | None]:
    return frozenset(answer.who for answer in face.answers if answer.source is Source.ADMIN)


def _is_open(admins: frozenset[int | None], me: int | None) -> bool:
    return me not in admins and len(admins) < ENOUGH_ADMINS


def _item(face: FaceSummary, crop: bytes, me: int | None, why: str) -> ReviewItem:
    pixels = np.frombuffer(crop, np.uint8).reshape(FACE_SIZE, FACE_SIZE)
    others = tuple(str(answer.verdict) for answer in face.answers if answer.source is Source.ADMIN and answer.who != me)
    said = tuple(
        str(answer.verdict or answer.emoji or "none of these")
        for answer in face.answers
        if answer.source not in (Source.ADMIN, Source.PLAY)
    )
    asked = tuple(str(answer.verdict) for answer in face.answers if answer.source is Source.PLAY)
    return ReviewItem(face.reading, pixels, face.probabilities, said, asked, others, why)


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
