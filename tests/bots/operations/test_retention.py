"""What is too old goes once a day, and a clock that leapt deletes nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from bots.operations import DailyRetention
from db import Chat, FaceReading, Person, Platform, Store
from db.schema import PhotoRow
from tests.faults import Faults
from tests.rows import count_rows, execute

ADA, CHAT = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "7")
FACE = FaceReading((0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0), ("😁",), bytes(2304))
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def daily(store: Store, clock: Clock) -> DailyRetention:
    """The job of a database whose clock was believed yesterday, with a crop of 50 days and one of 89.5."""
    await store.set_keeps_faces(ADA, True)
    for days_ago in (50, 89.5):
        photo = await store.add_photo(ADA, CHAT, "m", [FACE])
        async with store.transactions.write() as session:
            taken = update(PhotoRow).where(PhotoRow.id == photo.id).values(taken_at=NOW - timedelta(days=days_ago))
            await session.execute(taken)
    await store.retention.believe(NOW - timedelta(days=1))
    return DailyRetention(store, clock)


async def crops(store: Store) -> int:
    return await count_rows(store, "readings WHERE crop IS NOT NULL")


async def test_a_clock_a_day_ahead_or_behind_deletes_at_most_a_day_too_early_or_late(
    daily: DailyRetention, store: Store, clock: Clock
) -> None:
    clock.now = NOW - timedelta(days=1)
    assert await daily.expire()
    assert await crops(store) == 2
    clock.now = NOW + timedelta(days=1)
    assert await daily.expire()
    assert await crops(store) == 1
    clock.now = NOW
    assert await daily.expire()
    assert await crops(store) == 1


@pytest.mark.parametrize("years", [-50, 1, 11])
async def test_a_clock_that_leapt_far_deletes_nothing_until_it_is_right_again(
    daily: DailyRetention, store: Store, clock: Clock, years: int
) -> None:
    clock.now = NOW + timedelta(days=365 * years)
    for _ in range(3):  # restarts
        assert not await DailyRetention(store, clock).expire()
    assert await crops(store) == 2
    clock.now = NOW + timedelta(days=1)
    assert await daily.expire()
    assert await crops(store) == 1


async def test_after_a_long_time_off_it_deletes_once_the_clock_has_run_on_for_two_days(
    store: Store, daily: DailyRetention, clock: Clock
) -> None:
    clock.now = NOW + timedelta(days=30)
    done = []
    for _ in range(3):
        done.append(await DailyRetention(store, clock).expire())
        clock.now += timedelta(days=1)
    assert done == [False, False, True]
    assert await crops(store) == 1


async def test_the_first_time_it_only_looks_at_the_clock(store: Store, daily: DailyRetention, clock: Clock) -> None:
    await execute(store, "DELETE FROM clock")
    clock.now = NOW + timedelta(days=1)
    assert not await daily.expire()
    assert await crops(store) == 2


async def test_where_the_database_cannot_be_reached_it_is_logged_and_tried_again(
    store: Store, clock: Clock, faults: Faults
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise asyncio.CancelledError

    with capture_logs() as logs, faults.on(lambda _: OSError("gone")), pytest.raises(asyncio.CancelledError):
        await DailyRetention(store, clock, sleep).run()
    assert [each["event"] for each in logs] == ["retention_failed"] * 2
    assert waited == [60.0, 3600.0, 3600.0]
