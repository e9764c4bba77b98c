"""Whose taste a suggestion follows: that of the person, the chat and everyone, computed from their taps.

The taps are the only thing that is stored. A computed table is remembered for as long as a number in the database says
that nobody in it tapped or was forgotten since, so that most photos cost one small query.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cachetools import TTLCache
from sqlalchemy.exc import SQLAlchemyError

from db import Chat, Person, Store, StoredChoice, TasteRevision
from recognizer import EmojiMap
from recognizer.taste import Choice, Table, taste, taste_of_everyone

REMEMBERED = timedelta(days=365)
"""Older taps have faded to a sixteenth and are left out."""
MOST_OWN, MOST_OF_CHAT, MOST_OF_ALL = 200, 500, 5000
EVERYONE_FOR = timedelta(minutes=10)
"""How long a table is used before it is computed anew, if nothing in it changes."""
_MOST_TABLES = 500
"""Tables of people in chats that are remembered, about 10 kB each."""

_DAY = timedelta(days=1)
_log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class _Computed:
    """A table, and what it was computed from."""

    table: Table
    emoji_map: EmojiMap
    everyone: Table
    revision: TasteRevision

    def is_of(self, emoji_map: EmojiMap, everyone: Table, revision: TasteRevision) -> bool:
        """Return whether the table would come out the same from these."""
        return self.emoji_map is emoji_map and self.everyone is everyone and self.revision == revision


class Tastes:
    """Computes P(emoji | emotion) for a person in a chat."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """clock: the time with its zone."""
        self._store = store
        self._clock = clock
        self._everyone: tuple[EmojiMap, Table, datetime] | None = None
        self._computed: TTLCache[tuple[Person, Chat], _Computed] = TTLCache(
            _MOST_TABLES, EVERYONE_FOR.total_seconds(), timer=lambda: clock().timestamp()
        )
        self._making = asyncio.Lock()
        self._forgotten = 0

    async def of(self, emoji_map: EmojiMap, person: Person, chat: Chat) -> Table:
        """Return P(emoji | emotion), float64 `(7, n)`; the map's own where the database cannot be asked."""
        try:
            everyone = await self._of_everyone(emoji_map)
            revision = await self._store.choices.revision(person, chat)
            known = self._computed.get((person, chat))
            if known is not None and known.is_of(emoji_map, everyone, revision):
                return known.table
            forgotten = self._forgotten
            table = await self._compute(emoji_map, everyone, person, chat)
        except (SQLAlchemyError, OSError):
            _log.exception("taste_not_known", platform=chat.platform)
            return emoji_map.likelihoods
        if forgotten == self._forgotten:
            self._computed[person, chat] = _Computed(table, emoji_map, everyone, revision)
        return table

    def forget(self) -> None:
        """Compute everything anew next time, because somebody's taps are gone."""
        self._everyone = None
        self._computed.clear()
        self._forgotten += 1

    async def _compute(self, emoji_map: EmojiMap, everyone: Table, person: Person, chat: Chat) -> Table:
        now = self._clock()
        of_chat = await self._store.choices.of_chat(chat, now - REMEMBERED, MOST_OF_CHAT)
        own = await self._store.choices.of_person(person, now - REMEMBERED, MOST_OWN)
        return await asyncio.to_thread(taste, emoji_map, everyone, _aged(of_chat, now), _aged(own, now))

    async def _of_everyone(self, emoji_map: EmojiMap) -> Table:
        """Return the table of everyone, computed anew from time to time and for another map."""
        async with self._making:
            now = self._clock()
            if self._everyone is not None and self._everyone[0] is emoji_map and now < self._everyone[2]:
                return self._everyone[1]
            forgotten = self._forgotten
            choices = _aged(await self._store.choices.of_everyone(now - REMEMBERED, MOST_OF_ALL), now)
            table = await asyncio.to_thread(taste_of_everyone, emoji_map, choices)
            if forgotten == self._forgotten:  # else somebody in the table is gone since
                self._everyone = emoji_map, table, now + EVERYONE_FOR
            return table


def _aged(choices: Sequence[StoredChoice], now: datetime) -> list[Choice]:
    return [Choice(each.emoji, each.probabilities, (now - each.tapped_at) / _DAY, each.person) for each in choices]
