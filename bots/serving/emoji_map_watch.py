"""Load an emoji map that was edited while the bot runs; if the new one has a mistake, the previous one stays."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from recognizer import EmojiMap, EmojiMapError, Recognizer

LOOK_EVERY_S = 1.0
Check = Callable[[EmojiMap], None]
_log = structlog.get_logger()


class EmojiMapWatch:
    """Reads the map anew when its file has changed. It may be asked from several threads at once."""

    def __init__(self, recognizer: Recognizer, check: Check | None = None) -> None:
        """check: what a new map must pass besides its own rules; raises `EmojiMapError` if it does not."""
        self._recognizer = recognizer
        self._check = check
        self._one_at_a_time = threading.Lock()
        self._seen = _stamp(recognizer.emoji_map.path)

    async def run(self) -> None:
        """Look at the file every `LOOK_EVERY_S` seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> EmojiMap:
        """Return the current map. A mistake in a new one is logged once, with its line."""
        with self._one_at_a_time:
            path = self._recognizer.emoji_map.path
            stamp = _stamp(path)
            if stamp != self._seen:
                self._seen = stamp
                self._load(path)
            return self._recognizer.emoji_map

    def _load(self, path: Path) -> None:
        try:
            fresh = EmojiMap.load(path)
            if self._check is not None:
                self._check(fresh)
        except EmojiMapError as error:
            _log.error("emoji_map_kept", reason=str(error))
        else:
            self._recognizer.emoji_map = fresh
            _log.info("emoji_map_reloaded", emoji=len(fresh.emoji))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size
