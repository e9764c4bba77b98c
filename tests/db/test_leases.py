"""Leases: one holder at a time, who keeps them by renewing, and hands them over."""

import asyncio
from datetime import UTC, datetime, timedelta

from db import Store
from tests.db.conftest import SECRET
from tests.rows import select_rows

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HELD = timedelta(seconds=10)


async def take(store: Store, holder: str, at: datetime = NOW, name: str = "polling") -> bool:
    return await store.leases.take(name, holder, at, at + HELD)


async def test_a_lease_has_one_holder_until_it_runs_out(store: Store) -> None:
    assert await take(store, "a")
    assert not await take(store, "b")
    assert not await take(store, "b", NOW + HELD)
    assert await take(store, "b", NOW + HELD + timedelta(seconds=1))
    assert not await take(store, "a", NOW + HELD + timedelta(seconds=2))


async def test_who_renews_a_lease_keeps_it(store: Store) -> None:
    for seconds in (0, 8, 16):
        assert await take(store, "a", NOW + timedelta(seconds=seconds))
    assert not await take(store, "b", NOW + timedelta(seconds=20))


async def test_a_lease_that_was_given_back_is_free_at_once(store: Store) -> None:
    await take(store, "a")
    await store.leases.give_back("polling", "b")
    assert not await take(store, "b")
    await store.leases.give_back("polling", "a")
    assert await take(store, "b")


async def test_a_lease_of_a_clock_that_was_put_back_by_a_day_is_free(store: Store) -> None:
    assert await take(store, "a", NOW + timedelta(days=1))
    assert await store.leases.held("polling", NOW) == frozenset()
    assert await take(store, "b", NOW)
    assert not await take(store, "a", NOW - timedelta(minutes=4))  # clocks may be apart a little


async def test_leases_of_different_names_have_nothing_to_do_with_each_other(store: Store) -> None:
    assert await take(store, "a", name="shard 1")
    assert await take(store, "b", name="shard 2")
    assert await take(store, "b", name="shard%")
    assert await store.leases.held("shard ", NOW + HELD) == {"shard 1", "shard 2"}
    assert await store.leases.held("shard ", NOW + HELD + timedelta(seconds=1)) == frozenset()
    assert await store.leases.held("shard%", NOW) == {"shard%"}


async def test_leases_that_have_run_out_are_cleared_away_and_no_others(store: Store) -> None:
    assert await take(store, "a", name="worker 1")
    assert await take(store, "b", NOW + HELD, name="worker 2")
    assert await take(store, "c", name="other")
    await store.leases.clear_away("worker ", NOW + HELD + timedelta(seconds=1))
    assert await select_rows(store, "SELECT name FROM leases ORDER BY name") == [("other",), ("worker 2",)]


async def test_of_many_processes_that_ask_at_once_one_gets_it(url: str) -> None:
    processes = [await Store.open(url, SECRET) for _ in range(3)]
    for name in map(str, range(20)):
        taken = await asyncio.gather(*(take(store, f"{place}", name=name) for place, store in enumerate(processes)))
        assert sum(taken) == 1
    for store in processes:
        await store.close()
