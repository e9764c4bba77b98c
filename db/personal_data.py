"""Everything that is stored about one person, for them to see."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.enums import TapOrigin
from db.games import Score
from db.identity import Person
from db.moments import aware
from db.schema import LabelRow, LessonRow, ModelRow, PersonRow, PhotoRow, ReadingRow, ScoreRow, ShadowRow, TapRow
from db.transactions import Transactions


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
    """

    platform: str
    keeps_faces: bool
    language: str | None
    skin_tone: str | None
    presentation: str | None
    faces: tuple[OwnFace, ...]
    votes: tuple[OwnTap, ...]
    labels: tuple[tuple[datetime, str], ...]
    scores: tuple[Score, ...] = ()


class PersonalData:
    """Reads what is stored about people. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def of(self, person: Person) -> OwnData | None:
        """Return everything about a person, None if nothing is known of them."""
        async with self._transactions.read() as session:
            me = await session.scalar(select(PersonRow).where(PersonRow.hash == person.hashed(self._secret)))
            if me is None:
                return None
            scores = select(ScoreRow.name, ScoreRow.points, ScoreRow.rounds).where(ScoreRow.person_id == me.id)
            given = select(LabelRow).where(LabelRow.person_id == me.id).order_by(LabelRow.id)
            return OwnData(
                me.platform,
                me.keeps_faces,
                me.language,
                me.skin_tone,
                me.presentation,
                await _faces(session, me.id),
                await _votes(session, me.id),
                tuple((aware(row.labelled_at), row.verdict) for row in await session.scalars(given)),
                tuple(Score(*row) for row in await session.execute(scores)),
            )


async def _faces(session: AsyncSession, me: int) -> tuple[OwnFace, ...]:
    mine = or_(PhotoRow.person_id == me, PhotoRow.author_id == me)
    query = (
        select(ReadingRow, PhotoRow)
        .join(PhotoRow, ReadingRow.photo_id == PhotoRow.id)
        .where(mine)
        .order_by(ReadingRow.id.desc())
    )
    rows = (await session.execute(query)).all()
    numbers = select(ReadingRow.id).join(PhotoRow, ReadingRow.photo_id == PhotoRow.id).where(mine)
    taps: dict[int, list[OwnTap]] = defaultdict(list)
    asked_by = {reading.id: photo.person_id for reading, photo in rows}
    for tap in await session.scalars(select(TapRow).where(TapRow.reading_id.in_(numbers)).order_by(TapRow.id)):
        by_me = (tap.person_id or asked_by[tap.reading_id]) == me
        taps[tap.reading_id].append(_tap(tap, by_me=by_me))
    verdicts: dict[int, list[str]] = defaultdict(list)
    for label in await session.scalars(select(LabelRow).where(LabelRow.reading_id.in_(numbers)).order_by(LabelRow.id)):
        verdicts[label.reading_id].append(label.verdict)
    learned = select(LessonRow.reading_id, ModelRow.version).join(ModelRow, LessonRow.model_id == ModelRow.id)
    versions: dict[int, list[str]] = defaultdict(list)
    for reading_id, version in await session.execute(learned.where(LessonRow.reading_id.in_(numbers))):
        versions[reading_id].append(version)
    tried = select(ShadowRow, ModelRow.version).join(ModelRow, ShadowRow.model_id == ModelRow.id)
    shadows: dict[int, list[tuple[str, tuple[float, ...]]]] = defaultdict(list)
    for shadow, version in await session.execute(tried.where(ShadowRow.reading_id.in_(numbers))):
        shadows[shadow.reading_id].append((version, tuple(shadow.probabilities)))
    return tuple(
        OwnFace(
            aware(photo.taken_at),
            photo.model,
            tuple(reading.probabilities),
            tuple(reading.suggestions),
            reading.crop,
            tuple(taps[reading.id]),
            tuple(verdicts[reading.id]),
            tuple(versions[reading.id]),
            tuple(shadows[reading.id]),
        )
        for reading, photo in rows
    )


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
