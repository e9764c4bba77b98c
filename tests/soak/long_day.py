"""A long day: what the program's memory is after many photos, beside what it was after some."""

import asyncio

import httpx

from tests.bench.memory import family_mb
from tests.soak.finding import Extent, Finding
from tests.soak.visitors import Visitor, portraits, running

PHOTOS = 20_000
FIRST = 1_000
MOST_GROWTH = 0.1
_AT_ONCE = 6
_A_VISITOR_SENDS = 50


async def run(extent: Extent) -> list[Finding]:
    """Return how much the program's memory grows."""
    photos, first, all_of_them = portraits(40), extent.of(FIRST), extent.of(PHOTOS)
    async with running(WORKERS="2") as bot, httpx.AsyncClient(base_url=bot.url, timeout=60) as client:
        await _send(client, photos, first)
        before = family_mb(bot.process.pid)
        await _send(client, photos, all_of_them - first)
        after = family_mb(bot.process.pid)
    growth = after / before - 1
    figure = f"{growth:+.1%} ({before:.0f} to {after:.0f} MB)"
    what = f"memory after {all_of_them:,} photos, against that after {first:,}"
    return [Finding(what, figure, f"at most {MOST_GROWTH:+.0%}", growth <= MOST_GROWTH)]


async def _send(client: httpx.AsyncClient, photos: list[bytes], count: int) -> None:
    """Send so many photos, each visitor some of them before another one comes."""
    left = iter(range(count))

    async def visit() -> None:
        visitor = Visitor(client)
        for number, place in enumerate(left, start=1):
            assert await visitor.send(photos[place % len(photos)])
            if number % _A_VISITOR_SENDS == 0:
                visitor = Visitor(client)

    await asyncio.gather(*(visit() for _ in range(_AT_ONCE)))
