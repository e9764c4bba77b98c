"""Let what changes one thing happen one after the other, in the order in which it came, without holding up the rest."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """A queue for each key, which exists only while somebody is in it."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._inside: dict[Hashable, int] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Wait until everybody who came before with the same key has left the context."""
        lock = self._locks.setdefault(key, asyncio.Lock())  # wakes its waiters in the order of their arrival
        self._inside[key] = self._inside.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._inside[key] -= 1
            if not self._inside[key]:
                del self._locks[key], self._inside[key]
