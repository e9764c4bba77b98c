"""Whose taste a suggestion follows: that of the person, the chat and everyone, computed from their taps.

The taps are the only thing that is stored. A computed table is remembered for as long as a number in the database says
that nobody in it tapped or was forgotten since, so that most photos cost one small query.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import structlog
from cachetools import TTLCache
from sqlalchemy.exc import SQLAlchemyError

from bots.serving.supervision import BackgroundTasks
from db import Chat, Person, Store, StoredChoice, TasteRevision
from recognizer import EmojiMap
from recognizer.taste import Choice, Table, taste, taste_of_everyone

REMEMBERED = timedelta(days=365)
"""Older taps have faded to a sixteenth and are left out."""
MOST_OWN, MOST_OF_CHAT, MOST_OF_ALL = 200, 500, 5000
EVERYONE_FOR = timedelta(minutes=10)
"""How long a table is used before it is computed anew, if nothing in it changes."""
_MOST_TABLES, _MOST_KNOWN = 500, 100
"""How many tables (about 10 kB each) and choices of a person or chat (up to 200 kB) are remembered."""

_REACTION_WEIGHT = 0.4
"""What a reaction on a message counts, beside a button; as in `recognizer.labels.WEIGHTS`."""
_DAY = timedelta(days=1)
_log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class _Known:
    """The choices of a person or a chat, and the revision of their taps when these were read."""

    revision: int
    choices: list[Choice]


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
        lifetime, timer = EVERYONE_FOR.total_seconds(), lambda: clock().timestamp()
        self._known: TTLCache[Person | Chat, _Known] = TTLCache(_MOST_KNOWN, lifetime, timer)
        self._computed: TTLCache[tuple[Person, Chat], _Computed] = TTLCache(_MOST_TABLES, lifetime, timer)
        self._making = asyncio.Lock()
        self._forgotten = 0
        self._preparing = BackgroundTasks()

    async def of(self, emoji_map: EmojiMap, person: Person, chat: Chat, revision: TasteRevision | None = None) -> Table:
        """Return P(emoji | emotion), float64 `(7, n)`; the map's own where the database cannot be asked.

        revision: of the taps of the person and the chat, None to ask for it.
        """
        try:
            everyone = await self._of_everyone(emoji_map.base or emoji_map)
            revision = revision or await self._store.choices.revision(person, chat)
            known = self._computed.get((person, chat))
            if known is not None and known.is_of(emoji_map, everyone, revision):
                return known.table
            forgotten, now = self._forgotten, self._clock()
            of_chat = await self._choices_of(chat, revision.chat, now)
            own = await self._choices_of(person, revision.person, now)
        except (SQLAlchemyError, OSError):
            _log.exception("taste_not_known", platform=chat.platform)
            return emoji_map.likelihoods
        table = await asyncio.to_thread(taste, emoji_map, _widened(everyone, emoji_map), of_chat, own)
        if forgotten == self._forgotten:
            self._computed[person, chat] = _Computed(table, emoji_map, everyone, revision)
        return table

    def prepare(self, emoji_map: EmojiMap, person: Person, chat: Chat, revision: TasteRevision | None = None) -> None:
        """Compute a table in the background, because a tap has changed it and a photo will need it. The rest is as in
        `of`.
        """
        self._preparing.start("taste", self._prepare(emoji_map, person, chat, revision))

    def forget(self) -> None:
        """Read everything anew next time, because somebody's taps are gone."""
        self._everyone = None
        self._known.clear()
        self._computed.clear()
        self._forgotten += 1

    async def close(self) -> None:
        """Wait for what is computed in the background."""
        await self._preparing.finish()

    async def _prepare(self, emoji_map: EmojiMap, person: Person, chat: Chat, revision: TasteRevision | None) -> None:
        await self.of(emoji_map, person, chat, revision)

    async def _choices_of(self, whose: Person | Chat, revision: int, now: datetime) -> list[Choice]:
        """Return the newest choices of a person or in a chat, from the database only if they changed."""
        known = self._known.get(whose)
        if known is not None and known.revision == revision:
            return known.choices
        forgotten, since = self._forgotten, now - REMEMBERED
        if isinstance(whose, Chat):
            stored = await self._store.choices.of_chat(whose, since, MOST_OF_CHAT)
        else:
            stored = await self._store.choices.of_person(whose, since, MOST_OWN)
        choices = _aged(stored, now)
        if forgotten == self._forgotten:
            self._known[whose] = _Known(revision, choices)
        return choices

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


def _widened(everyone: Table, emoji_map: EmojiMap) -> Table:
    """Return the table of everyone for a map with more emoji, which only one chat has: they get the map's own share."""
    added = emoji_map.likelihoods[:, everyone.shape[1] :]
    return np.hstack([everyone * (1 - added.sum(axis=1, keepdims=True)), added])


def _aged(choices: Sequence[StoredChoice], now: datetime) -> list[Choice]:
    return [
        Choice(
            each.emoji,
            each.probabilities,
            (now - each.tapped_at) / _DAY,
            each.person,
            _REACTION_WEIGHT if each.by_reaction else 1.0,
        )
        for each in choices
    ]
