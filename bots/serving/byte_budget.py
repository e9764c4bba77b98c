"""How many bytes of photos may be in memory at once: who wants more waits, in the order of arrival."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Held:
    """Some bytes of a budget. count: how many."""

    def __init__(self, budget: "ByteBudget", count: int) -> None:
        self._budget = budget
        self.count = count

    def settle(self, count: int) -> None:
        """Say how many bytes there are, once it is known; what was reserved beyond it goes to others."""
        self._budget._taken += count - self.count
        self.count = count
        self._budget._let_in()


class ByteBudget:
    """Lets bytes into memory until there are `most` of them; a single file may be as large as all of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """Return the bytes that are in use or reserved."""
        return self._taken

    @asynccontextmanager
    async def holding(self, count: int) -> AsyncIterator[Held]:
        """Reserve bytes in this context, after waiting until there is room for them."""
        count = min(count, self._most)
        await self._take(count)
        held = Held(self, count)
        try:
            yield held
        finally:
            held.settle(0)

    async def _take(self, count: int) -> None:
        if not self._waiting and self._taken + count <= self._most:
            self._taken += count
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # there was room just then
                self._taken -= count
            self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting:
            count, turn = self._waiting[0]
            if not turn.cancelled():
                if self._taken + count > self._most:
                    return
                self._taken += count
                turn.set_result(None)
            self._waiting.popleft()
