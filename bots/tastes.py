"""Whose taste a suggestion follows: the taps of the person, the chat and everyone, fresh from the database."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Chat, Person, Store, StoredChoice
from recognizer import EmojiMap
from recognizer.taste import Choice, Table, taste

REMEMBERED = timedelta(days=365)
"""Older taps have faded to a sixteenth and are left alone."""
MOST_OWN, MOST_OF_CHAT, MOST_OF_ALL = 200, 500, 5000
EVERYONE_FOR = timedelta(minutes=10)
"""How long the taps of everyone are remembered before they are asked for again; a person's and a chat's never are."""

_DAY = timedelta(days=1)
_log = structlog.get_logger()


class Tastes:
    """Gives the table of P(emoji | emotion) for a person in a chat."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._everyone: tuple[StoredChoice, ...] = ()
        self._everyone_until: datetime | None = None

    async def of(self, emoji_map: EmojiMap, person: Person, chat: Chat) -> Table:
        """P(emoji | emotion), float64 `(7, n)`; the map's own where the database cannot be asked."""
        now = self._clock()
        since = now - REMEMBERED
        try:
            if self._everyone_until is None or now >= self._everyone_until:
                self._everyone = await self._store.choices(since, MOST_OF_ALL)
                self._everyone_until = now + EVERYONE_FOR
            of_chat = await self._store.choices(since, MOST_OF_CHAT, chat=chat)
            own = await self._store.choices(since, MOST_OWN, person=person)
        except (SQLAlchemyError, OSError):
            _log.exception("taste_not_known", platform=chat.platform)
            return emoji_map.likelihoods
        return taste(emoji_map, *(_aged(choices, now) for choices in (self._everyone, of_chat, own)))

    def forget(self) -> None:
        """Ask anew for the taps of everyone next time, because somebody's are gone."""
        self._everyone_until = None


def _aged(choices: Sequence[StoredChoice], now: datetime) -> list[Choice]:
    return [Choice(each.emoji, each.probabilities, (now - each.tapped_at) / _DAY, each.person) for each in choices]
