"""What people and admins said about faces: the data that a model learns from, with the origin of each statement."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, case, cast, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.consent import CONSENT_VERSION
from db.crop_sealing import CropKeyError, CropSealing
from db.enums import Platform, TapOrigin
from db.identity import Chat, Person
from db.moments import aware
from db.people import row_of
from db.retrainings import State
from db.schema import ChatEmojiRow, ChatRow, LabelRow, PersonRow, PhotoRow, ReadingRow, RetrainingRow, TapRow
from db.transactions import Transactions, rows_of

_Rows = Sequence[Row[*tuple[Any, ...]]]

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_SENDER = func.coalesce(PhotoRow.author_id, PhotoRow.person_id)
"""Who sent a photo: the person who asked about it, unless somebody else had sent it."""
_BATCH = 500
"""Faces of a batch: a few milliseconds of work."""


class Source(StrEnum):
    """The origin of a statement about a face: the sender of its photo, others in the chat, a reaction of the sender,
    what they were asked to show in a game, an admin, or a set of labelled faces.
    """

    SENDER = "sender"
    REACTION = "reaction"
    PLAY = "play"
    VOTE = "vote"
    ADMIN = "admin"
    IMPORT = "import"


_BY_ORIGIN = {TapOrigin.REACTION.value: Source.REACTION, TapOrigin.PLAY.value: Source.PLAY}


@dataclass(frozen=True)
class Answer:
    """What one person said about one face.

    who: a number for the person, None if they were forgotten. emoji: what they chose. verdict: the emotion they named,
    or another `Verdict`. Neither: they found that none of the suggestions fits.
    """

    source: Source
    who: int | None
    at: datetime
    emoji: str | None = None
    verdict: str | None = None


@dataclass(frozen=True, repr=False)
class KeptFace:
    """A face that may be learned from, because its sender agreed.

    crop: 48x48 grey bytes in row order. probabilities: the model's seven. sender: a number for the person who sent it.
    sender_hash: their keyed hash, 64 hexadecimal digits. answers: the latest of each person, oldest first.
    """

    reading: int
    crop: bytes
    probabilities: tuple[float, ...]
    sender: int
    sender_hash: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class FaceSummary:
    """What is known about a face that may be learned from, without its picture. sender: a number for the person who
    sent it.
    """

    reading: int
    probabilities: tuple[float, ...]
    sender: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class AdminAgreement:
    """Agreement on the faces that several admins labelled: the pairs of their verdicts, and how many pairs are the
    same.
    """

    pairs: int
    same: int


@dataclass(frozen=True)
class Imported:
    """A labelled face from outside: its crop, the model's probabilities, its label, and the person it belongs to."""

    crop: bytes
    probabilities: tuple[float, ...]
    verdict: str
    person: Person


@dataclass(frozen=True)
class AnsweredFace:
    """One face that was answered, with or without consent: for figures, never with its picture."""

    taken_at: datetime
    model: str
    probabilities: tuple[float, ...]
    answers: tuple[Answer, ...]


class Feedback:
    """What people and admins answered about faces. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str, sealing: CropSealing) -> None:
        """sealing: encrypts the crops."""
        self._transactions = transactions
        self._secret = secret
        self._sealing = sealing

    async def faces(self, *, only_with_answers: bool = True) -> tuple[KeptFace, ...]:
        """Return every face that may be learned from, oldest first. Raise `CropKeyError` if one cannot be decrypted.

        only_with_answers: leave out faces about which nobody said anything.
        """
        query = (
            select(ReadingRow.id, ReadingRow.crop, cast(ReadingRow.probabilities, Text), PersonRow.id, PersonRow.hash)
            .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
            .join(PersonRow, PersonRow.id == _SENDER)
            .where(ReadingRow.crop.is_not(None))
            .order_by(ReadingRow.id)
        )
        if only_with_answers:
            answered = [exists().where(table.reading_id == ReadingRow.id) for table in (TapRow, LabelRow)]
            query = query.where(or_(*answered))
        async with self._transactions.read() as session:
            rows = await rows_of(session, query)
            taps, labels = await _taps_and_labels(session, ReadingRow.crop.is_not(None))
        return await asyncio.to_thread(_kept_faces, rows, taps, labels, self._sealing)

    async def summaries(self, readings: Sequence[int]) -> tuple[FaceSummary, ...]:
        """Return those of these faces that may be learned from, oldest first, without their pictures."""
        which = ReadingRow.crop.is_not(None) & ReadingRow.id.in_(readings)
        async with self._transactions.read() as session:
            rows = await rows_of(session, _faces().where(which))
            taps, labels = await _taps_and_labels(session, which)
        return await asyncio.to_thread(_summaries, rows, taps, labels)

    async def all_summaries(self) -> AsyncIterator[tuple[FaceSummary, ...]]:
        """Yield every face that may be learned from, oldest first, without its picture, some hundred at a time.

        All at once would be hundreds of thousands of objects, which hold up the process whenever its garbage is
        collected.
        """
        async for rows, taps, labels in self._batches(ReadingRow.crop.is_not(None)):
            yield await asyncio.to_thread(_summaries, rows, taps, labels)

    async def answered(self, since: datetime) -> AsyncIterator[tuple[AnsweredFace, ...]]:
        """Yield every face answered since then, oldest first, some hundred at a time."""
        async for rows, taps, labels in self._batches(PhotoRow.taken_at >= since):
            yield await asyncio.to_thread(_answered_faces, rows, taps, labels)

    async def _batches(self, which: ColumnElement[bool]) -> AsyncIterator[tuple[_Rows, _Rows, _Rows]]:
        """Yield the faces of `which` with their taps and labels, by reading; each batch is a transaction of its own."""
        last = 0
        while True:
            async with self._transactions.read() as session:
                rows = await rows_of(session, _faces().where(which, ReadingRow.id > last).limit(_BATCH))
                if not rows:
                    return
                within = ReadingRow.id.between(rows[0][0], rows[-1][0]) & which
                taps, labels = await _taps_and_labels(session, within)
            last = rows[-1][0]
            yield rows, taps, labels

    async def crops(self, readings: Sequence[int]) -> dict[int, bytes]:
        """Return the crops of these faces, as far as they are still stored and can be decrypted."""
        query = select(ReadingRow.id, ReadingRow.crop).where(ReadingRow.id.in_(readings), ReadingRow.crop.is_not(None))
        async with self._transactions.read() as session:
            stored = (await session.execute(query)).all()
        crops = {}
        for number, crop in stored:
            with suppress(CropKeyError):
                crops[number] = self._sealing.unseal(crop or b"")
        return crops

    async def agreement(self) -> AdminAgreement:
        """Return how far admins agree, by the latest label of each on faces that may be learned from."""
        latest = (
            select(func.max(LabelRow.id))
            .join(ReadingRow, LabelRow.reading_id == ReadingRow.id)
            .where(LabelRow.source == Source.ADMIN, ReadingRow.crop.is_not(None))
            .group_by(LabelRow.reading_id, LabelRow.person_id)
        )
        one, other = aliased(LabelRow), aliased(LabelRow)
        query = (
            select(func.count(), func.sum(case((one.verdict == other.verdict, 1), else_=0)))
            .select_from(one)
            .join(other, (one.reading_id == other.reading_id) & (one.id < other.id))
            .where(one.id.in_(latest), other.id.in_(latest))
        )
        async with self._transactions.read() as session:
            pairs, same = (await session.execute(query)).one()
        return AdminAgreement(pairs, same or 0)

    async def add_label(self, reading: int, admin: Person, verdict: str) -> bool:
        """Store an admin's label of a face; their earlier ones stay stored, too. Return False if the face is no longer
        stored.
        """
        kept = select(ReadingRow.id).where(ReadingRow.id == reading, ReadingRow.crop.is_not(None))
        async with self._transactions.write() as session:
            who = await row_of(session, PersonRow, admin, self._secret)
            if await session.scalar(kept.with_for_update(read=True)) is None:
                return False
            session.add(LabelRow(reading_id=reading, person_id=who.id, source=Source.ADMIN.value, verdict=verdict))
            return True

    async def undo_label(self, admin: Person, reading: int | None = None) -> int | None:
        """Delete the last label of this admin, or their last one on `reading`; return the reading that it was about, if
        any.
        """
        latest = (
            select(LabelRow)
            .join(PersonRow, LabelRow.person_id == PersonRow.id)
            .where(PersonRow.hash == admin.hashed(self._secret), LabelRow.source == Source.ADMIN)
            .order_by(LabelRow.id.desc())
            .limit(1)
        )
        if reading is not None:
            latest = latest.where(LabelRow.reading_id == reading)
        async with self._transactions.write() as session:
            row = await session.scalar(latest)
            if row is None:
                return None
            await session.execute(delete(LabelRow).where(LabelRow.id == row.id))
            return row.reading_id

    async def person_number(self, person: Person) -> int | None:
        """Return the number that names this person in statements; None if nothing is known of them."""
        async with self._transactions.read() as session:
            return await session.scalar(select(PersonRow.id).where(PersonRow.hash == person.hashed(self._secret)))

    async def new_answers(self) -> int:
        """Return how many taps and labels came since the last retraining that made a version was started, on faces that
        may be learned from: what another retraining would learn in addition."""
        last = select(func.max(RetrainingRow.started_at)).where(RetrainingRow.state == State.DONE)
        async with self._transactions.read() as session:
            since = await session.scalar(last) or _LONG_AGO
            taps = (
                select(func.count(TapRow.id))
                .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
                .where(TapRow.tapped_at >= since, ReadingRow.crop.is_not(None))
            )
            labels = (
                select(func.count(LabelRow.id))
                .join(ReadingRow, LabelRow.reading_id == ReadingRow.id)
                .where(LabelRow.labelled_at >= since, ReadingRow.crop.is_not(None))
            )
            return (await session.scalar(taps) or 0) + (await session.scalar(labels) or 0)

    async def add_imported(self, faces: Sequence[Imported], model: str, chat: str) -> int:
        """Store labelled faces from outside, each as a photo of its person in the "chat" of this name; return how many
        are new. A crop that is stored for this person already is left out.
        """
        added = 0
        known: dict[int, set[bytes]] = {}
        async with self._transactions.write(alone=True) as session:
            for face in faces:
                who = await row_of(session, PersonRow, face.person, self._secret)
                who.keeps_faces, who.consent_version = True, CONSENT_VERSION
                crops = known[who.id] if who.id in known else await self._crops_of(session, who.id)
                known[who.id] = {*crops, face.crop}
                if face.crop in crops:
                    continue
                where = await row_of(session, ChatRow, Chat(Platform.IMPORT, chat), self._secret)
                photo = PhotoRow(person_id=who.id, chat_id=where.id, model=model)
                session.add(photo)
                await session.flush()
                reading = ReadingRow(
                    photo_id=photo.id,
                    probabilities=list(face.probabilities),
                    suggestions=[],
                    crop=self._sealing.seal(face.crop),
                )
                session.add(reading)
                await session.flush()
                session.add(LabelRow(reading_id=reading.id, source=Source.IMPORT.value, verdict=face.verdict))
                added += 1
        return added

    async def _crops_of(self, session: AsyncSession, person: int) -> set[bytes]:
        """Return every crop that is stored for a person. Raise `CropKeyError`."""
        query = (
            select(ReadingRow.crop)
            .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
            .where(PhotoRow.person_id == person, ReadingRow.crop.is_not(None))
        )
        return {self._sealing.unseal(crop or b"") for crop in await session.scalars(query)}

    async def takes_votes(self, reading: int, chat: Chat) -> bool:
        """Return whether a face was answered in this chat, and people other than its sender may say what it shows."""
        where = (
            select(ChatRow.everyone_taps)
            .join(PhotoRow, PhotoRow.chat_id == ChatRow.id)
            .join(ReadingRow, ReadingRow.photo_id == PhotoRow.id)
            .where(ReadingRow.id == reading, ChatRow.hash == chat.hashed(self._secret))
        )
        async with self._transactions.read() as session:
            return bool(await session.scalar(where))


def _faces() -> "Select[*tuple[Any, ...]]":
    return (
        select(ReadingRow.id, cast(ReadingRow.probabilities, Text), _SENDER, PhotoRow.model, PhotoRow.taken_at)
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .order_by(ReadingRow.id)
    )


async def _taps_and_labels(session: AsyncSession, which: ColumnElement[bool]) -> tuple[_Rows, _Rows]:
    """Return taps and labels on the readings selected by `which` (over readings and photos), oldest first."""
    taps = (
        select(
            TapRow.reading_id,
            func.coalesce(TapRow.person_id, PhotoRow.person_id),
            TapRow.tapped_at,
            func.coalesce(ChatEmojiRow.stands_for, TapRow.emoji),
            TapRow.emotion,
            TapRow.origin,
            _SENDER,
        )
        .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .outerjoin(ChatEmojiRow, (ChatEmojiRow.chat_id == TapRow.chat_id) & (ChatEmojiRow.symbol == TapRow.emoji))
        .where(which)
        .order_by(TapRow.id)
    )
    labels = (
        select(LabelRow.reading_id, LabelRow.person_id, LabelRow.labelled_at, LabelRow.verdict, LabelRow.source)
        .join(ReadingRow, LabelRow.reading_id == ReadingRow.id)
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .where(which, LabelRow.source.in_(list(Source)))
        .order_by(LabelRow.id)
    )
    return await rows_of(session, taps), await rows_of(session, labels)


def _latest_answers(taps: _Rows, labels: _Rows) -> dict[int, tuple[Answer, ...]]:
    """Return the latest of each person on each reading, oldest first."""
    latest: dict[int, dict[tuple[Source, int | None], Answer]] = {}
    for reading, who, at, emoji, emotion, origin, sender in taps:
        source = _BY_ORIGIN.get(origin, Source.SENDER) if who == sender else Source.VOTE
        latest.setdefault(reading, {})[source, who] = Answer(source, who, aware(at), emoji, emotion)
    for reading, who, at, verdict, origin in labels:
        source = Source(origin)
        latest.setdefault(reading, {})[source, who] = Answer(source, who, aware(at), verdict=verdict)
    return {
        reading: tuple(sorted(answers.values(), key=lambda answer: answer.at)) for reading, answers in latest.items()
    }


def _kept_faces(faces: _Rows, taps: _Rows, labels: _Rows, sealing: CropSealing) -> tuple[KeptFace, ...]:
    answers = _latest_answers(taps, labels)
    return tuple(
        KeptFace(
            reading, sealing.unseal(crop or b""), tuple(json.loads(seven)), sender, digest, answers.get(reading, ())
        )
        for reading, crop, seven, sender, digest in faces
    )


def _summaries(faces: _Rows, taps: _Rows, labels: _Rows) -> tuple[FaceSummary, ...]:
    answers = _latest_answers(taps, labels)
    return tuple(
        FaceSummary(reading, tuple(json.loads(seven)), sender, answers.get(reading, ()))
        for reading, seven, sender, _, _ in faces
    )


def _answered_faces(faces: _Rows, taps: _Rows, labels: _Rows) -> tuple[AnsweredFace, ...]:
    answers = _latest_answers(taps, labels)
    return tuple(
        AnsweredFace(aware(at), model, tuple(json.loads(seven)), answers.get(reading, ()))
        for reading, seven, _, model, at in faces
    )
