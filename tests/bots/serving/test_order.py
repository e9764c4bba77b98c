"""What began in an order ends in it."""

import asyncio

from bots.serving.order import Order


async def test_who_is_ready_first_waits_for_who_came_first() -> None:
    order, ended = Order(), []
    may_end = {name: asyncio.Event() for name in ("first", "second")}

    async def go(name: str, key: str) -> None:
        async with order.of(key) as turn:
            await may_end[name].wait()
            await turn()
            ended.append((name, key))

    may_end["third"] = may_end["second"]
    tasks = [asyncio.create_task(go(*each)) for each in (("first", "a"), ("second", "a"), ("third", "b"))]
    may_end["second"].set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert ended == [("third", "b")]
    may_end["first"].set()
    await asyncio.gather(*tasks)
    assert ended[1:] == [("first", "a"), ("second", "a")]
    assert not order._last


async def test_who_gives_up_holds_nobody_up() -> None:
    order = Order()
    entered = asyncio.Event()

    async def stay() -> None:
        async with order.of("a"):
            entered.set()
            await asyncio.Event().wait()

    staying = asyncio.create_task(stay())
    await entered.wait()
    async with order.of("a") as turn:
        staying.cancel()
        await turn()
