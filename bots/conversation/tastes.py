"""Load the preferences that rank suggestions: taps of the person, the chat and everyone, from the database."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Chat, Person, Store, StoredChoice
from recognizer import EmojiMap
from recognizer.taste import Choice, Table, taste, taste_of_everyone

REMEMBERED = timedelta(days=365)
"""Maximum age of a tap; older ones would count for less than a sixteenth."""
MOST_OWN, MOST_OF_CHAT, MOST_OF_ALL = 200, 500, 5000
EVERYONE_FOR = timedelta(minutes=10)
"""How long the table of everyone is cached; those of a person and a chat are never cached."""

_DAY = timedelta(days=1)
_log = structlog.get_logger()


class Tastes:
    """Computes the table of P(emoji | emotion) for a person in a chat."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._everyone: tuple[EmojiMap, Table, datetime] | None = None
        self._making = asyncio.Lock()
        self._forgotten = 0

    async def of(self, emoji_map: EmojiMap, person: Person, chat: Chat) -> Table:
        """Return P(emoji | emotion), float64 `(7, n)`; the map's own if the database is unavailable."""
        now = self._clock()
        since = now - REMEMBERED
        try:
            everyone = await self._of_everyone(emoji_map, now)
            of_chat = await self._store.choices(since, MOST_OF_CHAT, chat=chat)
            own = await self._store.choices(since, MOST_OWN, person=person)
        except (SQLAlchemyError, OSError):
            _log.exception("taste_not_known", platform=chat.platform)
            return emoji_map.likelihoods
        return await asyncio.to_thread(taste, emoji_map, everyone, _aged(of_chat, now), _aged(own, now))

    def forget(self) -> None:
        """Drop the cached table of everyone, because someone's taps were deleted."""
        self._everyone = None
        self._forgotten += 1

    async def _of_everyone(self, emoji_map: EmojiMap, now: datetime) -> Table:
        """Return the table of everyone, recomputed from time to time and for another map."""
        async with self._making:
            if self._everyone is not None and self._everyone[0] is emoji_map and now < self._everyone[2]:
                return self._everyone[1]
            forgotten = self._forgotten
            choices = _aged(await self._store.choices(now - REMEMBERED, MOST_OF_ALL), now)
            table = await asyncio.to_thread(taste_of_everyone, emoji_map, choices)
            if forgotten == self._forgotten:  # otherwise someone in the table was deleted meanwhile
                self._everyone = emoji_map, table, now + EVERYONE_FOR
            return table


def _aged(choices: Sequence[StoredChoice], now: datetime) -> list[Choice]:
    return [Choice(each.emoji, each.probabilities, (now - each.tapped_at) / _DAY, each.person) for each in choices]
