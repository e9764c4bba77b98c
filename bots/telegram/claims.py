"""Tell which updates are this process's to answer, where several serve one bot, or Telegram brings one twice."""

from collections.abc import Callable, Sequence
from datetime import datetime
from secrets import token_hex

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Update

from bots.serving.lease import HELD_FOR
from bots.serving.patience import Patience
from bots.telegram.admitting import is_about_a_file
from db import Claimed, Platform, Store, utc_now

_log = structlog.get_logger()


class Claims:
    """The updates of one bot that this process takes.

    One that may ask about a photo is taken for a while, in which it comes into the journal; all others for good, unless
    this process ends before it gets to them.
    """

    def __init__(self, store: Store, token: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        """token: the bot's, which begins with its number unless Telegram will refuse it. clock: returns the time, with
        its zone.
        """
        self._store = store
        number = token.partition(":")[0]
        self._bot = int(number) if number.isascii() and number.isdigit() else 0
        self._clock = clock
        self._holder = token_hex(16)
        self._unanswered: set[int] = set()
        self._patience = Patience.with_store(store)

    async def claim(self, updates: Sequence[Update]) -> Claimed:
        """Take what nobody else has; all of it where the database cannot be reached."""
        numbers = [update.update_id for update in updates]
        lasting = [update.update_id for update in updates if not is_about_a_file(update)]

        now = self._clock()

        async def ask() -> Claimed:
            until = self._clock() + HELD_FOR
            return await self._store.update_claims.claim(self._bot, numbers, lasting, self._holder, now, until)

        try:
            claimed = await self._patience.ask(ask)
        except (SQLAlchemyError, OSError):
            _log.exception("updates_not_claimed", platform=Platform.TELEGRAM)
            return Claimed(frozenset(numbers), frozenset())
        self._unanswered |= claimed.mine & set(lasting)
        return claimed

    def settle(self, number: int) -> None:
        """Note that an update is answered, or about to be."""
        self._unanswered.discard(number)

    async def give_back(self) -> None:
        """Let others have at once what is neither answered nor in the journal: this process ends, or begins anew."""
        try:
            await self._store.update_claims.give_back(self._holder, self._bot, self._unanswered)
            self._unanswered.clear()
        except (SQLAlchemyError, OSError):
            _log.exception("updates_not_given_back", platform=Platform.TELEGRAM)
