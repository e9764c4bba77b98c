"""Updates that come twice: one process handles each, and one that it may have lost is another's in a while."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from db import Claimed, Store
from db.retention import JOURNAL_KEPT
from tests.db.conftest import SECRET
from tests.rows import count_rows

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HELD = timedelta(seconds=25)
LATER = NOW + HELD + timedelta(seconds=1)


async def claim(
    store: Store, holder: str, numbers: Collection[int], lasting: Collection[int] = (), at: datetime = NOW, bot: int = 9
) -> Claimed:
    return await store.update_claims.claim(bot, numbers, lasting, holder, at, at + HELD)


def claimed(mine: Collection[int] = (), held: Collection[int] = ()) -> Claimed:
    return Claimed(frozenset(mine), frozenset(held))


async def test_an_update_is_of_the_process_that_was_first(store: Store) -> None:
    assert await claim(store, "a", [1, 2, 2**40], lasting=[2]) == claimed([1, 2, 2**40])
    assert await claim(store, "b", [1, 2, 3]) == claimed([3], held=[1])
    in_hand = await claim(store, "a", [1], at=NOW + timedelta(seconds=1))
    assert in_hand == claimed(held=[1])
    assert await claim(store, "b", []) == claimed()
    assert await claim(store, "b", [1, 2], bot=8) == claimed([1, 2])


async def test_what_may_be_lost_is_free_after_a_while_and_what_is_done_is_not(store: Store) -> None:
    await claim(store, "a", [1, 2], lasting=[2])
    assert await claim(store, "b", [1, 2], at=LATER) == claimed([1])


async def test_what_a_clock_has_claimed_that_was_put_back_by_a_day_is_free(store: Store) -> None:
    await claim(store, "a", [1, 2], lasting=[2], at=NOW + timedelta(days=1))
    assert await claim(store, "b", [1, 2]) == claimed([1])


async def test_what_a_process_gives_back_is_free_at_once(store: Store) -> None:
    await claim(store, "a", [1, 2, 4], lasting=[2, 4])
    await claim(store, "c", [3])
    await store.update_claims.give_back("a", 9, [4])
    assert await claim(store, "b", [1, 2, 3, 4]) == claimed([1, 4], held=[3])


async def test_who_asks_again_because_the_answer_was_lost_gets_the_same(store: Store) -> None:
    for _ in range(2):
        assert await claim(store, "a", [1, 2], lasting=[2]) == claimed([1, 2])
    assert await claim(store, "a", [1, 2], at=NOW + timedelta(seconds=1)) == claimed(held=[1])


async def test_of_many_processes_that_get_the_same_updates_each_gets_others(url: str) -> None:
    processes = [await Store.open(url, SECRET) for _ in range(3)]
    came = [claim(store, f"{place}.{run}", range(100)) for place, store in enumerate(processes) for run in range(3)]
    got = await asyncio.gather(*came)
    assert sorted(number for each in got for number in each.mine) == list(range(100))
    for store in processes:
        await store.close()


async def test_claims_go_when_no_update_can_come_again(store: Store) -> None:
    await claim(store, "a", [1, 2], lasting=[2])
    await store.retention.expire(NOW + JOURNAL_KEPT)
    assert await count_rows(store, "update_claims") == 2
    await store.retention.expire(NOW + JOURNAL_KEPT + timedelta(seconds=1))
    assert await count_rows(store, "update_claims") == 0
