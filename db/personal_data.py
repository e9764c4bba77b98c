"""Everything that is stored about one person, for them to see."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Text, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.crop_sealing import CropKeyError, CropSealing
from db.enums import TapOrigin
from db.games import Score
from db.identity import Person
from db.moments import aware
from db.preferences import Preferences, preferences_in
from db.schema import (
    GameRow,
    LabelRow,
    LessonRow,
    ModelRow,
    PersonRow,
    PhotoRow,
    PromotionRow,
    ReadingRow,
    RetrainingRow,
    ScoreRow,
    ShadowRow,
    TapRow,
)
from db.transactions import Transactions, rows_of

MOST_FACES = 5_000
"""Faces that are handed over, the newest; of more, only their number is."""


@dataclass(frozen=True)
class OwnTap:
    """What somebody said a face shows: an emoji, an emotion, or neither if none of the suggestions fitted.

    by_me: the person said so themselves. origin: how.
    """

    at: datetime
    emoji: str | None
    emotion: str | None
    by_me: bool
    origin: TapOrigin


@dataclass(frozen=True, repr=False)
class OwnFace:
    """One stored face of a photo that the person sent or asked about.

    crop: 48x48 grey bytes in row order, None if none is kept. verdicts: what admins said it shows. learned_by: versions
    of the model that learned from it or were judged by it. shadows: what versions in trial read in it.
    """

    at: datetime
    model: str
    probabilities: tuple[float, ...]
    suggestions: tuple[str, ...]
    crop: bytes | None
    taps: tuple[OwnTap, ...]
    verdicts: tuple[str, ...]
    learned_by: tuple[str, ...]
    shadows: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, repr=False)
class OwnData:
    """Everything about a person: what they set and allowed, their faces, newest first, their words on others', and
    their scores.

    consent_version and consent_days: the words of consent that they answered, and the days that these named.
    games: those that are on, with what is to be copied and the points so far. acts: what they did as an admin: the
    versions that they let be served, and the retrainings that they asked for.
    """

    platform: str
    keeps_faces: bool
    preferences: Preferences
    faces: tuple[OwnFace, ...]
    votes: tuple[OwnTap, ...]
    labels: tuple[tuple[datetime, str], ...]
    scores: tuple[Score, ...] = ()
    faces_left_out: int = 0
    games: tuple[tuple[datetime, str, int], ...] = ()
    acts: tuple[tuple[datetime, str], ...] = ()
    consent_version: int = 0
    consent_days: int = 0


class PersonalData:
    """Reads what is stored about people. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str, sealing: CropSealing) -> None:
        """sealing: decrypts the crops; one that no key fits is left out."""
        self._transactions = transactions
        self._secret = secret
        self._sealing = sealing

    async def of(self, person: Person) -> OwnData | None:
        """Return everything about a person, None if nothing is known of them."""
        async with self._transactions.read() as session:
            digest = person.hashed(self._secret)
            me = await session.scalar(select(PersonRow).where(PersonRow.hash == digest))
            acts = await _acts(session, digest)
            if me is None:
                return OwnData(person.platform, False, Preferences(), (), (), (), acts=acts) if acts else None
            scores = select(ScoreRow.name, ScoreRow.points, ScoreRow.rounds).where(ScoreRow.person_id == me.id)
            count = _faces_of(me.id).with_only_columns(func.count()).order_by(None)
            games = select(GameRow.asked_at, GameRow.emotion, GameRow.points).where(GameRow.person_id == me.id)
            given = select(LabelRow).where(LabelRow.person_id == me.id).order_by(LabelRow.id)
            return OwnData(
                me.platform,
                me.keeps_faces,
                preferences_in(me),
                await _faces(session, me.id, self._sealing),
                await _votes(session, me.id),
                tuple((aware(row.labelled_at), row.verdict) for row in await session.scalars(given)),
                tuple(Score(*row) for row in await session.execute(scores)),
                max(0, (await session.scalar(count) or 0) - MOST_FACES),
                tuple((aware(at), emotion, points) for at, emotion, points in await session.execute(games)),
                acts,
                me.consent_version,
                me.consent_days,
            )


async def _acts(session: AsyncSession, digest: str) -> tuple[tuple[datetime, str], ...]:
    promoted = (
        select(PromotionRow.at, PromotionRow.kind, ModelRow.version)
        .join(ModelRow, PromotionRow.model_id == ModelRow.id)
        .where(PromotionRow.by_hash == digest)
        .order_by(PromotionRow.id)
    )
    asked = select(RetrainingRow.started_at, RetrainingRow.depth).where(RetrainingRow.asked_by_hash == digest)
    return (
        *((aware(at), f"{kind} {version}") for at, kind, version in await session.execute(promoted)),
        *((aware(at), f"retrain {depth}") for at, depth in await session.execute(asked.order_by(RetrainingRow.id))),
    )


async def _faces(session: AsyncSession, me: int, sealing: CropSealing) -> tuple[OwnFace, ...]:
    rows = await rows_of(session, _faces_of(me).limit(MOST_FACES))
    first = rows[-1][0] if rows else 0
    numbers = _faces_of(me).where(ReadingRow.id >= first).with_only_columns(ReadingRow.id).order_by(None)
    taps: dict[int, list[OwnTap]] = defaultdict(list)
    owners = {row[0]: (row[6], row[6] if row[7] is None else row[7]) for row in rows}
    for tap in await session.scalars(select(TapRow).where(TapRow.reading_id.in_(numbers)).order_by(TapRow.id)):
        asker, sender = owners.get(tap.reading_id, (0, 0))
        by_me = (tap.person_id or asker) == me
        if by_me or sender == me:
            taps[tap.reading_id].append(_tap(tap, by_me=by_me))
    others = await _words_on(session, numbers)
    return await asyncio.to_thread(_own_faces, rows, me, taps, others, sealing)


def _faces_of(me: int) -> "Select[*tuple[Any, ...]]":
    """Return the query of faces of photos that a person sent or asked about, the newest first."""
    return (
        select(
            ReadingRow.id,
            cast(ReadingRow.probabilities, Text),
            cast(ReadingRow.suggestions, Text),
            ReadingRow.crop,
            PhotoRow.taken_at,
            PhotoRow.model,
            PhotoRow.person_id,
            PhotoRow.author_id,
        )
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .where(or_(PhotoRow.person_id == me, PhotoRow.author_id == me))
        .order_by(ReadingRow.id.desc())
    )


@dataclass(frozen=True)
class _Words:
    """What admins and versions of the model made of faces, by reading."""

    verdicts: dict[int, list[str]]
    versions: dict[int, list[str]]
    shadows: dict[int, list[tuple[str, tuple[float, ...]]]]


async def _words_on(session: AsyncSession, numbers: "Select[*tuple[Any, ...]]") -> _Words:
    words = _Words(defaultdict(list), defaultdict(list), defaultdict(list))
    labels = select(LabelRow.reading_id, LabelRow.verdict).order_by(LabelRow.id)
    for reading, verdict in await session.execute(labels.where(LabelRow.reading_id.in_(numbers))):
        words.verdicts[reading].append(verdict)
    learned = select(LessonRow.reading_id, ModelRow.version).join(ModelRow, LessonRow.model_id == ModelRow.id)
    for reading, version in await session.execute(learned.where(LessonRow.reading_id.in_(numbers))):
        words.versions[reading].append(version)
    tried = select(ShadowRow, ModelRow.version).join(ModelRow, ShadowRow.model_id == ModelRow.id)
    for shadow, version in await session.execute(tried.where(ShadowRow.reading_id.in_(numbers))):
        words.shadows[shadow.reading_id].append((version, tuple(shadow.probabilities)))
    return words


def _own_faces(
    rows: Sequence[Row[*tuple[Any, ...]]],
    me: int,
    taps: dict[int, list[OwnTap]],
    words: _Words,
    sealing: CropSealing,
) -> tuple[OwnFace, ...]:
    """Return the faces; of one that somebody else sent, nothing but what the person got and said themselves."""
    faces = []
    for reading, seven, suggestions, crop, at, model, asker, author in rows:
        is_mine = me == (asker if author is None else author)
        faces.append(
            OwnFace(
                aware(at),
                model,
                tuple(json.loads(seven)),
                tuple(json.loads(suggestions)),
                _unsealed(crop, sealing) if is_mine else None,
                tuple(taps.get(reading, ())),
                tuple(words.verdicts.get(reading, ())) if is_mine else (),
                tuple(words.versions.get(reading, ())) if is_mine else (),
                tuple(words.shadows.get(reading, ())) if is_mine else (),
            )
        )
    return tuple(faces)


def _unsealed(crop: bytes | None, sealing: CropSealing) -> bytes | None:
    with suppress(CropKeyError):
        return sealing.unseal(crop) if crop is not None else None
    return None


async def _votes(session: AsyncSession, me: int) -> tuple[OwnTap, ...]:
    """Return what a person said about the faces of photos that are not theirs, oldest first."""
    query = (
        select(TapRow)
        .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .where(TapRow.person_id == me, PhotoRow.author_id.is_distinct_from(me))
        .order_by(TapRow.id)
    )
    return tuple(_tap(tap, by_me=True) for tap in await session.scalars(query))


def _tap(row: TapRow, *, by_me: bool) -> OwnTap:
    return OwnTap(aware(row.tapped_at), row.emoji, row.emotion, by_me, TapOrigin(row.origin))
