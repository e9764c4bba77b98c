"""Let what began in an order end in it, while all of it goes on at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager

Turn = Callable[[], Awaitable[None]]


class Order:
    """A line for each key, which exists only while somebody is in it."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Event] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[Turn]:
        """Enter the line; what the context is given waits until everybody who came before has left it."""
        before, mine = self._last.get(key), asyncio.Event()
        self._last[key] = mine

        async def turn() -> None:
            if before is not None:
                await before.wait()

        try:
            yield turn
        finally:
            mine.set()
            if self._last.get(key) is mine:
                del self._last[key]
