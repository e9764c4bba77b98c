"""What changes one thing happens in order; what changes another does not wait for it."""

import asyncio

from bots.serving.turns import Turns


async def test_turns_with_the_same_key_come_in_the_order_of_their_arrival() -> None:
    turns, seen = Turns(), []

    async def take(number: int) -> None:
        async with turns.of("photo"):
            seen.append(f"{number} begins")
            await asyncio.sleep(0.01 / (number + 1))
            seen.append(f"{number} ends")

    await asyncio.gather(*(take(number) for number in range(4)))
    assert seen == [f"{number} {verb}" for number in range(4) for verb in ("begins", "ends")]


async def test_other_keys_do_not_wait() -> None:
    turns = Turns()
    async with turns.of("one"), asyncio.timeout(5), turns.of("another"):
        pass


async def test_a_turn_that_fails_or_is_given_up_lets_the_next_one_in_and_nothing_is_left() -> None:
    turns, held = Turns(), asyncio.Event()

    async def hold() -> None:
        async with turns.of("photo"):
            held.set()
            await asyncio.sleep(60)

    async def wait() -> None:
        async with turns.of("photo"):
            raise AssertionError("nobody should get here")

    holder = asyncio.create_task(hold())
    await held.wait()
    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiter.cancel()
    holder.cancel()
    await asyncio.wait([holder, waiter])
    async with asyncio.timeout(5), turns.of("photo"):
        pass
    assert not turns._locks
    assert not turns._inside
