"""Work that one of several processes does: the next one takes over where it ends, dies or loses its turn."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots.serving.lease import HELD_FOR, Lease
from db import Store
from tests.faults import Faults
from tests.waiting import until


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_hold(self) -> None:
        self.now += HELD_FOR + timedelta(seconds=1)


class Working:
    """Work that notes who does it, and goes on until it is cancelled, which it may put off."""

    def __init__(self) -> None:
        self.done_by: list[str] = []
        self.is_on = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def do(self, who: str) -> None:
        self.done_by.append(who)
        self.is_on = True
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.is_on = False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def working() -> Working:
    return Working()


@pytest.fixture
def lease(store: Store, clock: Clock) -> Callable[[str], Lease]:
    return lambda who: Lease(store.leases, who, "work", clock=clock, renewed_every_s=0.01, looked_every_s=0.01)


@asynccontextmanager
async def running(lease: Lease, work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(lease.while_held(work))
    yield task
    task.cancel()
    await asyncio.wait({task})


async def test_one_process_works_and_the_next_follows_when_it_ends(
    lease: Callable[[str], Lease], working: Working
) -> None:
    async with running(lease("a"), partial(working.do, "a")) as first:
        await until(lambda: working.is_on)
        async with running(lease("b"), partial(working.do, "b")):
            await asyncio.sleep(0.1)
            assert working.done_by == ["a"]
            first.cancel()
            await until(lambda: working.done_by == ["a", "b"])


async def test_the_next_takes_over_only_when_the_work_before_has_ended(
    lease: Callable[[str], Lease], working: Working
) -> None:
    working.may_end.clear()
    async with (
        running(lease("a"), partial(working.do, "a")) as first,
        running(lease("b"), partial(working.do, "b")),
    ):
        await until(lambda: working.is_on)
        first.cancel()
        await asyncio.sleep(0.1)
        assert working.done_by == ["a"]
        working.may_end.set()
        await until(lambda: working.done_by == ["a", "b"])


async def test_what_a_dead_process_held_is_taken_when_its_time_is_over(
    store: Store, lease: Callable[[str], Lease], working: Working, clock: Clock
) -> None:
    assert await lease("dead").is_taken()
    async with running(lease("b"), partial(working.do, "b")):
        await asyncio.sleep(0.1)
        assert working.done_by == []
        clock.pass_hold()
        await until(lambda: working.done_by == ["b"])


async def test_who_was_taken_for_dead_stops_and_waits_again(
    store: Store, lease: Callable[[str], Lease], working: Working, clock: Clock
) -> None:
    with capture_logs() as logs:
        async with running(lease("a"), partial(working.do, "a")):
            await until(lambda: working.is_on)
            assert await store.leases.take("work", "b", clock.now + 2 * HELD_FOR, clock.now + 3 * HELD_FOR)
            await until(lambda: not working.is_on)
            await lease("b").give_back()
            await until(lambda: working.done_by == ["a", "a"])
    assert "lease_lost" in [each["event"] for each in logs]


async def test_without_the_database_who_works_goes_on_and_who_waits_waits(
    lease: Callable[[str], Lease], working: Working, faults: Faults, clock: Clock
) -> None:
    async with (
        running(lease("a"), partial(working.do, "a")),
        running(lease("b"), partial(working.do, "b")),
    ):
        await until(lambda: working.is_on)
        with faults.no_database(), capture_logs() as logs:
            await until(lambda: len(logs) > 10)
            assert (working.done_by, working.is_on) == (["a"], True)
        await asyncio.sleep(0.1)
        assert (working.done_by, working.is_on) == (["a"], True)


async def test_what_the_work_raises_is_raised_and_the_next_may_try(lease: Callable[[str], Lease]) -> None:
    async def fail() -> None:
        raise ValueError("unforeseen")

    for who in ("a", "b"):
        with pytest.raises(ValueError, match="unforeseen"):
            await asyncio.wait_for(lease(who).while_held(fail), 60)


async def test_a_second_cancellation_reaches_the_work_and_the_next_may_begin(
    lease: Callable[[str], Lease], working: Working
) -> None:
    working.may_end.clear()
    async with running(lease("a"), partial(working.do, "a")) as task:
        await until(lambda: working.is_on)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        await asyncio.wait({task}, timeout=60)
        assert task.cancelled()
    assert await lease("b").is_taken()
