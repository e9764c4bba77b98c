"""The bounds of the HTTP client."""

import asyncio

from bots.discord.transport import Pace
from bots.serving.rate_limits import RateLimit


async def test_no_more_calls_go_in_a_window_than_the_limit_and_each_in_its_turn() -> None:
    now, gone = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = Pace(RateLimit(3, 1.0), clock=lambda: now, sleep=sleep)

    async def call(number: int) -> None:
        await pace.wait()
        gone.append((number, now))

    await asyncio.gather(*(call(number) for number in range(8)))
    assert [number for number, _ in gone] == list(range(8))
    assert [at for _, at in gone] == [0, 0, 0, 1, 1, 1, 2, 2]
    now += 5
    await call(8)
    assert gone[-1] == (8, 7.0)
