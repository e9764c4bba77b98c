"""Collect the photos of an album: Telegram sends them one by one and does not mark the last one."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

QUIET_S = 1.0
"""Seconds without another photo after which an album is taken for complete."""

Item = TypeVar("Item")


class Gatherer(Generic[Item]):
    """Collects the items of a key until none has arrived for `quiet_s` seconds, then passes them on as one list."""

    def __init__(self, quiet_s: float, hand_over: Callable[[list[Item]], Awaitable[None]]) -> None:
        self._quiet_s = quiet_s
        self._hand_over = hand_over
        self._gathered: dict[Hashable, list[Item]] = {}

    async def add(self, key: Hashable, item: Item) -> None:
        """Add an item. The call that adds a key's first item waits for the others and passes them on."""
        if key in self._gathered:
            self._gathered[key].append(item)
            return
        items = self._gathered[key] = [item]
        seen = 0
        while seen < len(items):
            seen = len(items)
            await asyncio.sleep(self._quiet_s)
        del self._gathered[key]
        await self._hand_over(items)
