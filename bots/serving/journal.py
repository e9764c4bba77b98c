"""Keep a journal of the photos that are being answered, and hand on what another process left unanswered.

Without the database photos are answered all the same; only nobody remembers them if the process ends.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import structlog
from cachetools import TTLCache
from sqlalchemy.exc import SQLAlchemyError

from bots.serving.patience import Patience
from bots.serving.supervision import Supervisor
from db import Address, Chat, KnownError, OpenMessage, Person, Platform, Store, utc_now

HELD_FOR = timedelta(seconds=12)
"""How long nobody takes over what a process no longer renews: several times `RENEWED_EVERY_S`, and short for people who
wait.
"""
RENEWED_EVERY_S = 4.0
LOOKED_EVERY_S = 3.0
"""Seconds between two looks for what others left."""
MOST_TAKEN = 20
"""Photos that are taken over at once."""
LONGEST_BATCH_S = 30.0
"""Seconds after which others are taken over, too: of those at hand, some wait for the turn of their chat."""
TOO_OLD = timedelta(hours=1)
"""Photos that waited longer are no longer answered, but apologised for."""

_log = structlog.get_logger()


class Entry:
    """A photo that this process answers; an asynchronous context manager, which closes it.

    It stays open where the context is left by a cancellation: the process ends, or what serves the platform begins
    anew, and whoever comes next takes it over. So it does after `leave`.
    """

    def __init__(
        self, journal: "Journal", number: int | None, forgettings: int | None = None, message_hash: str = ""
    ) -> None:
        """number: None for one that is not stored. forgettings, message_hash: as in `OpenMessage`."""
        self._journal = journal
        self._number = number
        self._message_hash = message_hash
        self.forgettings = forgettings
        self._is_sending = self._is_over = False

    @property
    def is_stored(self) -> bool:
        """Return whether it is there for whoever comes next."""
        return self._number is not None

    async def __aenter__(self) -> Self:
        """Enter."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, unless it was left."""
        if not isinstance(error, asyncio.CancelledError):
            await self.close()
        elif self._number is not None and not self._is_over:
            self._journal._left.add(self._number)

    async def may_send(self) -> bool:
        """Ask right before the answer is sent; return False if another process has taken over."""
        if self._number is not None and not self._is_sending:
            self._is_sending = await self._journal._begin_to_send(
                self._number, self.forgettings or 0, self._message_hash
            )
            return self._is_sending
        return True

    async def parts(self) -> Sequence[Address]:
        """Return what is gathered of it so far; raise SQLAlchemy's errors, and `OSError`, and leave it then."""
        assert self._number is not None
        return await self._or_leave(self._journal._parts(self._number))

    async def end_gathering(self) -> Sequence[Address]:
        """Let nothing more be added to it, and return what was. Raise as `parts` does."""
        assert self._number is not None
        return await self._or_leave(self._journal._end_gathering(self._number))

    async def _or_leave(self, answer: Awaitable[Sequence[Address]]) -> Sequence[Address]:
        try:
            return await answer
        except (SQLAlchemyError, OSError):
            await self.leave()
            raise

    async def drop(self) -> None:
        """Forget it: it asks for nothing."""
        if self._number is not None and not self._is_over:
            self._is_over = True
            await self._journal._drop(self._number)

    async def close(self) -> None:
        """Note that it is answered."""
        if self._number is not None and not self._is_over:
            self._is_over = True
            await self._journal._close(self._number)

    async def leave(self, *, may_have_arrived: bool = False) -> None:
        """Let it be taken again in a while, by this process or another.

        may_have_arrived: its answer was sent perhaps, so that who takes it makes sure first.
        """
        if self._number is None or self._is_over:
            return
        self._is_over = True
        self._journal._left.add(self._number)
        if self._is_sending and not may_have_arrived:
            await self._journal._put_off(self._number)


@dataclass(frozen=True)
class LeftOpen:
    """A photo that another process left unanswered, and that is this one's now.

    is_too_old: nobody expects an answer any more. may_be_answered: it ended while it sent the answer.
    """

    entry: Entry
    address: Address
    is_too_old: bool
    may_be_answered: bool


class FirstTimes:
    """Tells whether somebody is apologised to for the first time within an hour: one word is enough."""

    def __init__(self) -> None:
        self._times: TTLCache[Hashable, bool] = TTLCache(4096, TOO_OLD.total_seconds())

    def is_first(self, chat: Hashable) -> bool:
        """Return whether it is, and remember it."""
        is_first = chat not in self._times
        self._times[chat] = True
        return is_first

    def forget(self, chat: Hashable) -> None:
        """Let the next time be the first one: the word did not arrive."""
        self._times.pop(chat, None)


class Journal:
    """What is being answered, on all platforms."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """clock: returns the time with its zone. sleep: waits for the given seconds."""
        self._store = store
        self._clock, self._sleep = clock, sleep
        self._patience = Patience.with_store(store)
        self._blind_until: datetime | None = None
        self._holder = secrets.token_hex(16)
        self._left: set[int] = set()
        self._unclosed: set[int] = set()

    async def run(self) -> None:
        """Hold on to what is being answered, until cancelled; close what could not be closed at once."""
        while True:
            await self._close_the_unclosed()
            try:
                await self._store.journal.renew(self._holder, self._clock() + HELD_FOR, left=self._left)
            except (SQLAlchemyError, OSError):  # again soon, before others take over when the database is back
                _log.exception("journal_not_renewed")
                self._blind_until = self._clock() + HELD_FOR
            await self._sleep(RENEWED_EVERY_S)

    async def release(self) -> None:
        """Let others take over at once what is still open: this process ends."""
        await self._close_the_unclosed()
        try:
            await self._store.journal.renew(self._holder, datetime(1970, 1, 1, tzinfo=UTC))
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_released")

    async def enter(self, person: Person, chat: Chat, message: str, address: Address) -> Entry | None:
        """Note that a photo is being answered; None if it is so already, or was answered before.

        message: the platform's id of the message that asks, and what it asks for.
        """
        now = self._clock()
        try:
            opened = await self._patience.ask(
                lambda: self._store.journal.open(
                    person, chat, chat.message(message), address, self._holder, now, self._clock() + HELD_FOR
                )
            )
        except KnownError:
            return None
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written", platform=chat.platform)
            return self.untracked()
        return Entry(self, opened.id, opened.forgettings, opened.message_hash)

    async def add(self, chat: Chat, message: str, part: Address, most: int) -> bool:
        """Add a part to a message that some process gathers, unless it comes too late; return False if that failed.

        message: as in `enter`. most: parts of one message.
        """
        digest = self._store.journal.hash_of(chat.message(message))
        try:
            await self._patience.ask(lambda: self._store.journal.extend(digest, part, most))
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written", platform=chat.platform)
            return False
        return True

    async def find(self, chat: Chat, message: str) -> Address | None:
        """Return the address of a message that is being answered, an empty one for a message that was; None for others,
        and while the database is away.

        message: as in `enter`.
        """
        digest = self._store.journal.hash_of(chat.message(message))
        try:
            return await self._patience.ask(lambda: self._store.journal.find(digest))
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_read", platform=chat.platform)
            return None

    def untracked(self) -> Entry:
        """Return an entry for what is not worth remembering."""
        return Entry(self, None)

    async def left_open(self, platform: Platform) -> list[LeftOpen]:
        """Take over what others left on a platform, at most `MOST_TAKEN` of it, the oldest first.

        After the database was away nothing is taken for a while: others could not hold on to what they have either.
        """
        now = self._clock()
        if self._blind_until is not None and now < self._blind_until:
            return []
        try:
            taken = await self._store.journal.take(
                platform, self._holder, now, now + HELD_FOR, MOST_TAKEN, left=self._left
            )
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_read", platform=platform)
            self._blind_until = now + HELD_FOR
            return []
        self._left.difference_update(each.id for each in taken)
        return [self._left_open(each, now) for each in taken]

    def _left_open(self, left: OpenMessage, now: datetime) -> LeftOpen:
        entry = Entry(self, left.id, left.forgettings, left.message_hash)
        return LeftOpen(entry, left.address, now - left.since > TOO_OLD, left.may_be_answered)

    async def follow(self, platform: Platform, answer: Callable[[list[LeftOpen]], Coroutine[Any, Any, None]]) -> None:
        """Look for what was left on a platform until cancelled, and have it answered; begin anew if that fails."""
        await Supervisor().keep(f"The journal of {platform}", lambda: self._follow(platform, answer))

    async def _follow(self, platform: Platform, answer: Callable[[list[LeftOpen]], Coroutine[Any, Any, None]]) -> None:
        async with asyncio.TaskGroup() as batches:
            while True:
                while left := await self.left_open(platform):
                    _log.info("photos_taken_over", platform=platform, count=len(left))
                    batch = batches.create_task(answer(left))
                    await asyncio.wait({batch}, timeout=LONGEST_BATCH_S)
                await self._sleep(LOOKED_EVERY_S)

    async def _begin_to_send(self, number: int, forgettings: int, message_hash: str) -> bool:
        try:
            return await self._patience.ask(
                lambda: self._store.journal.begin_to_send(number, self._holder, forgettings, message_hash)
            )
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written")
            return True

    async def _parts(self, number: int) -> Sequence[Address]:
        return await self._patience.ask(lambda: self._store.journal.parts(number))

    async def _end_gathering(self, number: int) -> Sequence[Address]:
        return await self._patience.ask(lambda: self._store.journal.end_gathering(number, self._holder))

    async def _drop(self, number: int) -> None:
        try:
            await self._store.journal.drop(number, self._holder)
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written")
            self._left.add(number)

    async def _put_off(self, number: int) -> None:
        try:
            await self._store.journal.put_off(number, self._holder)
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written")

    async def _close(self, number: int) -> None:
        self._unclosed.add(number)  # until that is stored, even if this is cancelled
        try:
            await self._store.journal.close(number, self._holder, self._clock())
        except (SQLAlchemyError, OSError):
            _log.exception("journal_not_written")
        else:
            self._unclosed.discard(number)

    async def _close_the_unclosed(self) -> None:
        for number in tuple(self._unclosed):
            await self._close(number)
