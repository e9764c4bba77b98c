"""Bytes in memory are bounded, whoever wants them and however they give up."""

import asyncio

import pytest

from bots.serving.byte_budget import ByteBudget


async def test_who_wants_more_than_is_left_waits_and_so_does_everybody_after() -> None:
    budget, seen = ByteBudget(10), []

    async def hold(name: str, count: int) -> None:
        async with budget.holding(count):
            seen.append(name)
            assert budget.taken <= 10

    async with budget.holding(6):
        tasks = [asyncio.create_task(hold(name, count)) for name, count in (("large", 8), ("small", 1))]
        await asyncio.sleep(0)
        assert (seen, budget.taken) == ([], 6)
    await asyncio.gather(*tasks)
    assert (seen, budget.taken) == (["large", "small"], 0)


async def test_what_a_file_does_not_need_goes_to_others() -> None:
    budget = ByteBudget(10)
    async with budget.holding(10) as held:
        other = asyncio.create_task(budget.holding(7).__aenter__())
        await asyncio.sleep(0)
        assert not other.done()
        held.settle(3)
        await other
        assert budget.taken == 10


async def test_a_file_that_is_larger_than_the_whole_passes_alone() -> None:
    budget = ByteBudget(10)
    async with budget.holding(50):
        assert budget.taken == 10


@pytest.mark.parametrize("had_room", [False, True])
async def test_who_gives_up_takes_nothing_along(had_room: bool) -> None:
    budget = ByteBudget(10)
    async with budget.holding(10) as held:
        leaving = asyncio.create_task(budget.holding(5).__aenter__())
        staying = asyncio.create_task(budget.holding(10).__aenter__())
        await asyncio.sleep(0)
        if had_room:
            held.settle(0)
        leaving.cancel()
        held.settle(0)
        await staying
        assert budget.taken == 10
