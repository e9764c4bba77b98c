"""Delete what is older than it may be kept, and never by a clock that jumped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.consent import is_longer
from db.enums import Platform
from db.keeping import Keeping
from db.moments import aware
from db.people import put
from db.retrainings import note_erasure
from db.schema import (
    AnsweredMessageRow,
    ChatRow,
    ClockRow,
    OpenMessageRow,
    PersonRow,
    PhotoRow,
    ReadingRow,
    UpdateClaimRow,
)
from db.taps import change_tastes
from db.transactions import Transactions

JOURNAL_KEPT = timedelta(days=2)
"""For how long a message counts as answered (Telegram lets people edit theirs for two days), and one that nobody can
answer as open. Telegram brings no update again that is older than a day (https://core.telegram.org/bots/api#update).
"""
_BATCH = 500
"""Photos a transaction: others wait for some milliseconds at most."""
_NOT_IMPORTED = PhotoRow.chat_id.not_in(select(ChatRow.id).where(ChatRow.platform == Platform.IMPORT))
"""What admins imported is theirs, and stays until they delete it."""


@dataclass(frozen=True)
class Expired:
    """What was deleted: crops of faces whose readings stay, and whole photos with their readings."""

    crops: int
    photos: int


@dataclass(frozen=True)
class Clock:
    """What was seen of the clock. believed_at: the time at which something was last deleted by it. doubted_at: the time
    that it showed when it was first far from that."""

    believed_at: datetime | None = None
    doubted_at: datetime | None = None


class Retention:
    """Deletes what has been kept long enough."""

    def __init__(self, transactions: Transactions, keeping: Keeping) -> None:
        self._transactions = transactions
        self._keeping = keeping

    async def clock(self) -> Clock:
        """Return what was seen of the clock."""
        async with self._transactions.read() as session:
            row = await session.scalar(select(ClockRow))
            if row is None:
                return Clock()
            return Clock(row.believed_at and aware(row.believed_at), row.doubted_at and aware(row.doubted_at))

    async def believe(self, now: datetime) -> None:
        """Store that the clock is right."""
        async with self._transactions.write() as session:
            await put(session, ClockRow, {"id": 1}, {"believed_at": now.astimezone(UTC), "doubted_at": None})

    async def doubt(self, now: datetime) -> None:
        """Store that the clock may be wrong."""
        async with self._transactions.write() as session:
            await put(session, ClockRow, {"id": 1}, {"doubted_at": now.astimezone(UTC)})

    async def expire(self, now: datetime) -> Expired:
        """Delete what is too old at this time, some hundred photos a transaction, and let nothing of it stay readable
        in SQLite's write-ahead log.
        """
        photos = crops = 0
        if self._keeping.readings_days:
            is_old = PhotoRow.taken_at < now - timedelta(days=self._keeping.readings_days)
            photos = await self._in_batches(is_old, _delete_photos)
        for agreed_days, days in await self._crop_days():
            is_old = and_(PhotoRow.taken_at < now - timedelta(days=days), _with_crops(), _of_people(agreed_days))
            crops += await self._in_batches(is_old, _delete_crops)
        if await self._expire_journal(now - JOURNAL_KEPT) or photos or crops:
            await self._transactions.scrub()
        return Expired(crops, photos)

    async def _expire_journal(self, before: datetime) -> bool:
        """Delete what was noted of messages before a moment; return whether there was anything."""
        rows = (
            delete(OpenMessageRow).where(OpenMessageRow.since < before).returning(OpenMessageRow.id),
            delete(AnsweredMessageRow).where(AnsweredMessageRow.at < before).returning(AnsweredMessageRow.at),
            delete(UpdateClaimRow).where(UpdateClaimRow.at < before).returning(UpdateClaimRow.at),
        )
        async with self._transactions.write() as session:
            return any([(await session.scalars(each)).all() for each in rows])

    async def _crop_days(self) -> list[tuple[int, int]]:
        """Return pairs: the days that people agreed to, and the days that their crops are kept; none for ever."""
        async with self._transactions.read() as session:
            agreed = (await session.scalars(select(PersonRow.consent_days).distinct())).all()
        longest = self._keeping.longest_crop_days
        kept = ((days, days if is_longer(longest, days) else longest) for days in agreed)
        return [(days, limit) for days, limit in kept if limit]

    async def _in_batches(
        self, which: ColumnElement[bool], work: Callable[[AsyncSession, list[int]], Awaitable[int]]
    ) -> int:
        """Do work on the photos that a condition selects, until it selects none; return how much was done."""
        done = 0
        while True:
            async with self._transactions.write(alone=True) as session:
                query = select(PhotoRow.id).where(which, _NOT_IMPORTED).order_by(PhotoRow.id).limit(_BATCH)
                photos = list(await session.scalars(query))
                if not photos:
                    return done
                done += await work(session, photos)


def _with_crops() -> ColumnElement[bool]:
    return exists().where(ReadingRow.photo_id == PhotoRow.id, ReadingRow.crop.is_not(None))


def _of_people(agreed_days: int) -> ColumnElement[bool]:
    """Return the condition that somebody concerned by a photo agreed to so many days."""
    people = select(PersonRow.id).where(PersonRow.consent_days == agreed_days)
    return or_(PhotoRow.person_id.in_(people), PhotoRow.author_id.in_(people))


async def _delete_crops(session: AsyncSession, photos: list[int]) -> int:
    await note_erasure(session)
    kept = update(ReadingRow).where(ReadingRow.photo_id.in_(photos), ReadingRow.crop.is_not(None))
    return len((await session.scalars(kept.values(crop=None).returning(ReadingRow.id))).all())


async def _delete_photos(session: AsyncSession, photos: list[int]) -> int:
    concerned = select(PhotoRow.person_id, PhotoRow.chat_id).where(PhotoRow.id.in_(photos))
    rows = (await session.execute(concerned)).all()
    await note_erasure(session)
    await session.execute(delete(PhotoRow).where(PhotoRow.id.in_(photos)))
    await change_tastes(session, sorted({row[0] for row in rows}), sorted({row[1] for row in rows}))
    return len(photos)
