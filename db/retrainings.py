"""Retrainings: one at a time, wherever they run, with their progress and result."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.actors import Actor, shown
from db.enums import Depth
from db.identity import Person
from db.moments import aware
from db.schema import ModelRow, RetrainingRow
from db.transactions import Transactions

LOST_AFTER = timedelta(seconds=90)
"""A retraining that has not reported for this long counts as dead."""

_TAKEN = "Getting ready on the machine that trains"


class State(StrEnum):
    """The state of a retraining. LOST: its process died without reporting it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @classmethod
    def of(cls, stored: str) -> "State":
        """Return the state stored under this name; FAILED for one that only a newer version of the software knows."""
        return cls(stored) if stored in tuple(cls) else cls.FAILED


class BusyError(Exception):
    """A retraining is running already."""


class ErasedError(Exception):
    """People deleted something that a retraining has learned from, so what it made must not be stored."""


class LostError(Exception):
    """This retraining no longer counts: it was considered dead, and another one may run."""


class QueueError(Exception):
    """Retrainings cannot be handed to other machines now; the message names the error."""


@dataclass(frozen=True)
class Retraining:
    """One retraining.

    asked_by: the name that admins are shown, empty for somebody who asked to be forgotten. progress: 0 to 1. step: the
    current one. message: how it ended. version: the version it made.
    """

    id: int
    depth: str
    asked_by: str
    started_at: datetime
    beat_at: datetime
    state: State
    step: str
    progress: float
    message: str
    version: str | None


class Retrainings:
    """Every retraining. Every method is one transaction."""

    def __init__(
        self, transactions: Transactions, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._transactions = transactions
        self._secret = secret
        self._clock = clock

    async def start(self, depth: Depth, asked_by: Actor) -> int:
        """Start a retraining in the database and return its number. Raise `BusyError` if one is running."""
        now = self._clock()
        dead = update(RetrainingRow).where(RetrainingRow.slot == 1, RetrainingRow.beat_at < now - LOST_AFTER)
        message = "Its process died; nothing was changed."
        row = RetrainingRow(
            slot=1,
            depth=depth.value,
            asked_by=asked_by.stored_name,
            asked_by_hash=asked_by.hashed(self._secret),
            started_at=now,
            beat_at=now,
            state=State.RUNNING.value,
            step="",
            progress=0.0,
            cancel=False,
            message="",
        )
        try:
            async with self._transactions.write() as session:
                await session.execute(dead.values(slot=None, state=State.LOST.value, message=message))
                session.add(row)
        except IntegrityError as error:
            raise BusyError("A retraining is running already.") from error
        return row.id

    async def take(self, number: int) -> Depth:
        """Begin a retraining that was handed to another machine, and return its depth.

        Raise `LostError` if it has ended, counts as dead, or was begun before: it never runs twice.
        """
        now = self._clock()
        waits = RetrainingRow.slot == 1, RetrainingRow.step == "", RetrainingRow.beat_at >= now - LOST_AFTER
        taken = update(RetrainingRow).where(RetrainingRow.id == number, *waits)
        async with self._transactions.write() as session:
            depth = await session.scalar(taken.values(beat_at=now, step=_TAKEN).returning(RetrainingRow.depth))
        if depth is None:
            raise LostError("This retraining has ended, was taken for dead, or runs already.")
        return Depth(depth)

    async def erasures(self, number: int) -> int:
        """Return how often something that a retraining may have learned from was deleted since it started."""
        query = select(RetrainingRow.erasures).where(RetrainingRow.id == number)
        async with self._transactions.read() as session:
            return await session.scalar(query) or 0

    async def beat(self, number: int, step: str, progress: float) -> bool:
        """Report that a retraining runs, and its progress; return whether it was asked to stop. Raise `LostError`."""
        mine = update(RetrainingRow).where(RetrainingRow.id == number, RetrainingRow.slot == 1)
        told = mine.values(beat_at=self._clock(), step=step[:200], progress=progress).returning(RetrainingRow.cancel)
        async with self._transactions.write() as session:
            cancel = await session.scalar(told)
        if cancel is None:
            raise LostError("This retraining was taken for dead.")
        return cancel

    async def ask_to_stop(self) -> bool:
        """Ask the running retraining to stop; return whether one is running."""
        running = update(RetrainingRow).where(RetrainingRow.slot == 1).values(cancel=True).returning(RetrainingRow.id)
        async with self._transactions.write() as session:
            return await session.scalar(running) is not None

    async def finish(self, number: int, state: State, message: str, version: str | None = None) -> None:
        """Store the result of a retraining, so that another one can start."""
        async with self._transactions.write() as session:
            model = await session.scalar(select(ModelRow.id).where(ModelRow.version == version))
            ended = update(RetrainingRow).where(RetrainingRow.id == number, RetrainingRow.slot == 1)
            await session.execute(
                ended.values(slot=None, state=state.value, message=message, model_id=model, beat_at=self._clock())
            )

    async def was_asked_by(self, number: int, person: Person) -> bool:
        """Return whether this person asked for the retraining."""
        query = select(RetrainingRow.asked_by_hash).where(RetrainingRow.id == number)
        async with self._transactions.read() as session:
            return await session.scalar(query) == person.hashed(self._secret)

    async def running(self) -> Retraining | None:
        """Return the retraining that is running now; dead ones do not count."""
        alive = RetrainingRow.beat_at >= self._clock() - LOST_AFTER
        return await self._one(_retrainings().where(RetrainingRow.slot == 1, alive))

    async def latest(self) -> Retraining | None:
        """Return the one that was started last."""
        return await self._one(_retrainings().order_by(RetrainingRow.id.desc()).limit(1))

    async def find(self, number: int) -> Retraining | None:
        """Return the retraining with this number."""
        return await self._one(_retrainings().where(RetrainingRow.id == number))

    async def _one(self, query: "Select[*tuple[Any, ...]]") -> Retraining | None:
        async with self._transactions.read() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            return None
        row, version = found
        is_lost = row.slot == 1 and aware(row.beat_at) < self._clock() - LOST_AFTER
        return Retraining(
            row.id,
            row.depth,
            shown(row.asked_by),
            aware(row.started_at),
            aware(row.beat_at),
            State.LOST if is_lost else State.of(row.state),
            row.step,
            row.progress,
            row.message,
            version,
        )


def _retrainings() -> "Select[*tuple[Any, ...]]":
    return select(RetrainingRow, ModelRow.version).outerjoin(ModelRow, RetrainingRow.model_id == ModelRow.id)


async def end_well(session: AsyncSession, number: int, model_id: int, message: str, erasures: int) -> None:
    """Store, in the transaction that stores its version, that a retraining is done.

    erasures: as `Retrainings.erasures` returned before it gathered what to learn from. Raise `LostError`, or
    `ErasedError` if something was deleted since.
    """
    ended = update(RetrainingRow).where(RetrainingRow.id == number, RetrainingRow.slot == 1)
    values = {"slot": None, "state": State.DONE.value, "message": message, "model_id": model_id, "progress": 1.0}
    now = await session.scalar(ended.values(**values).returning(RetrainingRow.erasures))
    if now is None:
        raise LostError("This retraining was taken for dead.")
    if now != erasures:
        raise ErasedError("People deleted faces or taps that this retraining learned from.")


async def note_erasure(session: AsyncSession) -> None:
    """Store, in the transaction that deletes what may be learned from, that a running retraining has to begin anew."""
    running = update(RetrainingRow).where(RetrainingRow.slot == 1)
    await session.execute(running.values(erasures=RetrainingRow.erasures + 1))
