"""Collect the messages of an album: Telegram sends them one by one and does not mark the last one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import TTLCache

QUIET_S = 1.5
"""Seconds without another message after which an album is taken for complete: longer than `updates.LOOK_AGAIN_S`, in
which none comes.
"""
LONGEST_S = 10.0
"""Seconds after which an album is handed over whatever else may come."""
MOST_ITEMS = 10
"""Messages of an album (https://core.telegram.org/bots/api#sendmediagroup)."""
REMEMBERED_S = 300.0
"""Seconds for which an album's late messages count as part of what was handed over."""

Item = TypeVar("Item")


class Gatherer(Generic[Item]):
    """Collects the items of a key until none has arrived for `quiet_s` seconds, then passes them on as one list.

    The wait has an end and the list a length. What comes for the same key afterwards is left out: an album is answered
    once.
    """

    def __init__(
        self,
        quiet_s: float,
        hand_over: Callable[[list[Item]], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the seconds of quiet and what receives the items. clock: returns seconds."""
        self._quiet_s = quiet_s
        self._hand_over = hand_over
        self._clock = clock
        self._gathered: dict[Hashable, list[Item]] = {}
        self._latest: dict[Hashable, float] = {}
        self._done: TTLCache[Hashable, bool] = TTLCache(4096, REMEMBERED_S, clock)

    async def add(self, key: Hashable, item: Item) -> bool:
        """Add an item; return whether another call passes it on: the one that adds a key's first item waits for the
        others and passes them all on.
        """
        gathered = self._gathered.get(key, [])
        if key in self._done or len(gathered) >= MOST_ITEMS:
            return False
        began = self._latest[key] = self._clock()
        gathered.append(item)
        if key in self._gathered:
            return True
        self._gathered[key] = gathered
        try:
            left_s = self._quiet_s
            while left_s > 0 and len(gathered) < MOST_ITEMS:
                await asyncio.sleep(left_s)
                left_s = self._left_s(key, began)
        finally:  # cancelled, it must not keep what comes again from being gathered
            del self._gathered[key], self._latest[key]
        self._done[key] = True
        await self._hand_over(gathered)
        return False

    def _left_s(self, key: Hashable, began: float) -> float:
        """Return the seconds until an album is complete if nothing more comes."""
        return min(self._latest[key] + self._quiet_s, began + LONGEST_S) - self._clock()
