"""Cache the overview's figures, so that many open pages and many faces cost the bot little."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from bots.console.figures import Figures, Tally, beginning
from db import Store
from recognizer import EmojiMap

_FRESH_FOR_S = 4.0
_SHARE_OF_TIME = 0.05
"""Maximum share of the time spent on computing figures, however many faces there are."""


class FiguresCache:
    """Computes the figures once for all open pages, and again only after they had time to change."""

    def __init__(self, store: Store, emoji_map: Callable[[], EmojiMap]) -> None:
        """Set the sources. emoji_map: returns the current map."""
        self._store = store
        self._emoji_map = emoji_map
        self._lock = asyncio.Lock()
        self._figures: Figures | None = None
        self._fresh_until = 0.0

    async def figures(self) -> Figures:
        """Return the figures, at most a few seconds old. SQLAlchemy's errors are passed on."""
        async with self._lock:
            if self._figures is None or time.monotonic() > self._fresh_until:
                started, now = time.monotonic(), datetime.now().astimezone()
                tally = Tally(await asyncio.to_thread(self._emoji_map), now)
                async for faces in self._store.feedback.answered(beginning(now)):
                    await asyncio.to_thread(tally.add, faces)
                self._figures = tally.figures()
                ended = time.monotonic()
                self._fresh_until = ended + max(_FRESH_FOR_S, (ended - started) / _SHARE_OF_TIME)
            return self._figures
