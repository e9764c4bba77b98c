"""The journal as the adapters use it: what is answered is closed in the end, and what is not is taken again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bots.serving import journal as journals
from bots.serving.journal import HELD_FOR, Entry, Journal, LeftOpen
from db import Chat, Person, Platform, Store
from db.journal import Journal as JournalTable
from db.moments import aware
from db.schema import OpenMessageRow
from tests.faults import Faults
from tests.rows import count_rows, nothing_is_open
from tests.waiting import PATIENCE_S, until

ADA = Person(Platform.TELEGRAM, "1")
CHAT = Chat(Platform.TELEGRAM, "-5")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_hold(self) -> None:
        self.now += HELD_FOR + timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(store: Store, clock: Clock) -> Journal:
    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0.01)

    return Journal(store, clock=clock, sleep=sleep)


async def enter(journal: Journal, message: str = "7") -> Entry:
    entry = await journal.enter(ADA, CHAT, message, {})
    assert entry is not None
    return entry


@asynccontextmanager
async def running(journal: Journal) -> AsyncIterator[None]:
    task = asyncio.create_task(journal.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def is_held_until(store: Store, moment: datetime) -> None:
    """Wait until the one message that is open is held until then, by whoever has it."""
    async with asyncio.timeout(PATIENCE_S):
        while await _held_until(store) != moment:
            await asyncio.sleep(0.02)


async def _held_until(store: Store) -> datetime:
    async with store.transactions.read() as session:
        return aware((await session.scalars(select(OpenMessageRow.held_until))).one())


def break_once(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the next attempt to close fail."""
    close: Callable[..., Any] = JournalTable.close

    async def fail(*_arguments: Any) -> None:
        monkeypatch.setattr(JournalTable, "close", close)
        raise error

    monkeypatch.setattr(JournalTable, "close", fail)


@pytest.mark.parametrize(
    "error", [OperationalError("", {}, Exception()), OSError(), asyncio.CancelledError()], ids=repr
)
async def test_what_could_not_be_closed_at_once_is_closed_later(
    journal: Journal, store: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    entry = await enter(journal)
    break_once(monkeypatch, error)
    ends = await asyncio.gather(entry.close(), return_exceptions=True)
    assert isinstance(ends[0], asyncio.CancelledError | None)
    assert await count_rows(store, "open_messages") == 1
    async with running(journal):
        await nothing_is_open(store)
    assert await count_rows(store, "answered_messages") == 1


async def test_what_could_not_be_closed_at_once_is_closed_at_the_end(
    journal: Journal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await enter(journal)
    break_once(monkeypatch, OSError())
    await entry.close()
    await journal.release()
    assert await count_rows(store, "open_messages") == 0


@pytest.mark.parametrize("may_have_arrived", [False, True])
async def test_what_was_left_is_taken_again_and_known_as_sent_only_where_it_may_be(
    journal: Journal, store: Store, clock: Clock, may_have_arrived: bool
) -> None:
    async with await enter(journal) as entry:
        assert await entry.may_send()
        await entry.leave(may_have_arrived=may_have_arrived)
    assert await journal.left_open(Platform.TELEGRAM) == []
    clock.pass_hold()
    [left] = await journal.left_open(Platform.TELEGRAM)
    assert left.may_be_answered == may_have_arrived
    async with left.entry:
        assert await left.entry.may_send()
    assert await count_rows(store, "open_messages") == 0


async def test_a_photo_that_waits_for_its_chat_holds_up_none_that_others_left(
    journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MOST_TAKEN", 1)
    monkeypatch.setattr(journals, "LONGEST_BATCH_S", 0.01)
    for message in ("7", "8"):
        await (await enter(journal, message)).leave()
    clock.pass_hold()
    come: list[LeftOpen] = []
    both = asyncio.Event()

    async def answer(left: list[LeftOpen]) -> None:
        come.extend(left)
        if len(come) == 2:
            both.set()
        await asyncio.Event().wait()

    following = asyncio.create_task(journal.follow(Platform.TELEGRAM, answer))
    async with asyncio.timeout(PATIENCE_S):
        await both.wait()
    following.cancel()
    await asyncio.wait([following])
    assert following.cancelled()


async def test_who_follows_the_journal_goes_on_after_a_failure(journal: Journal, clock: Clock) -> None:
    come: list[LeftOpen] = []

    async def fail_once(left: list[LeftOpen]) -> None:
        come.extend(left)
        if len(come) == 1:
            raise ValueError

    await (await enter(journal, "7")).leave()
    clock.pass_hold()
    following = asyncio.create_task(journal.follow(Platform.TELEGRAM, fail_once))
    await until(lambda: len(come) == 1)
    await (await enter(journal, "8")).leave()
    clock.pass_hold()
    await until(lambda: len(come) == 2)
    following.cancel()
    await asyncio.wait([following])
    assert following.cancelled()


async def test_while_the_database_is_away_a_process_holds_on_and_others_take_nothing(
    store: Store, clock: Clock, faults: Faults
) -> None:
    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0.01)

    one, other = (Journal(store, clock=clock, sleep=sleep) for _ in range(2))
    await enter(one)
    async with running(one), running(other):
        with faults.no_database(), capture_logs() as logs:
            await until(lambda: len([each for each in logs if each["event"] == "journal_not_renewed"]) > 6)
            clock.pass_hold()
            await until(lambda: len([each for each in logs if each["event"] == "journal_not_renewed"]) > 12)
        assert await other.left_open(Platform.TELEGRAM) == []
        await is_held_until(store, clock.now + HELD_FOR)
        clock.now += HELD_FOR - timedelta(seconds=1)
        await is_held_until(store, clock.now + HELD_FOR)
        clock.now += timedelta(seconds=2)
        assert await other.left_open(Platform.TELEGRAM) == []


async def test_a_photo_that_the_database_cannot_take_at_once_is_written_down_when_it_is_back(
    url: str, clock: Clock
) -> None:
    faults = Faults()
    store = await Store.open(url, "a secret for tests", before_statement=faults)
    journal = Journal(store, clock=clock)
    with faults.no_database():
        entering = asyncio.create_task(enter(journal))
        await asyncio.sleep(0.6)
    entry = await entering
    assert entry.is_stored != store.transactions.is_sqlite
    with faults.no_database():
        sending = asyncio.create_task(entry.may_send())
        await asyncio.sleep(0.6)
    assert await sending
    await store.close()
