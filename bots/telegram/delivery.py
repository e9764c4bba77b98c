"""Bring calls to Telegram through a bad connection, and to where a group has moved.

What was refused with a server's error, or whose connection broke, is repeated after pauses. A message for which only
the confirmation timed out is not: Telegram has taken it, nobody can ask whether it arrived, and an answer that comes
twice is worse than one that hardly ever gets lost. An edit or a deletion is the same the second time, so it is repeated
then, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import structlog
from cachetools import LRUCache
from telegram.error import BadRequest, ChatMigrated, NetworkError, RetryAfter, TelegramError, TimedOut

from db import Platform

PAUSES_S = (0.5, 2.0, 5.0)
"""Pauses before each further attempt."""
MOST_MOVES = 1024
"""Groups whose move is remembered, the last ones."""

_NOT_SENT = (httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteTimeout)
_Result = TypeVar("_Result")
_log = structlog.get_logger()


class Delivery:
    """Makes calls that belong to a chat. Raises the `TelegramError` of the last attempt."""

    def __init__(self, on_move: Callable[[int, int], Awaitable[None]]) -> None:
        """Set what is called with the old and the new number of each group that became a supergroup."""
        self._on_move = on_move
        self._moved: LRUCache[int, int] = LRUCache(MOST_MOVES)

    def home_of(self, chat: int) -> int:
        """Return the number under which a chat can be reached now."""
        return self._moved.get(chat, chat)

    async def note_move(self, old: int, new: int) -> None:
        """Remember that a group became a supergroup; Telegram tells so up to three times."""
        if self._moved.get(old) != new:
            self._moved[old] = new
            _log.info("chat_moved", platform=Platform.TELEGRAM)
            await self._on_move(old, new)

    async def settle(self, chat: int) -> None:
        """Let what was stored under a chat's old number since it moved follow it."""
        if (new := self.home_of(chat)) != chat:
            await self._on_move(chat, new)

    async def send(self, chat: int, call: Callable[[int], Awaitable[_Result]]) -> _Result:
        """Make a call that must not be made twice. call: gets the number of the chat."""
        return await self._attempt(chat, call, _was_not_taken)

    async def change(self, chat: int, call: Callable[[int], Awaitable[_Result]]) -> _Result:
        """Make a call that may be made twice. call: gets the number of the chat."""
        return await self._attempt(chat, call, _is_passing)

    async def _attempt(
        self,
        chat: int,
        call: Callable[[int], Awaitable[_Result]],
        may_repeat: Callable[[TelegramError], bool],
    ) -> _Result:
        for pause_s in PAUSES_S:
            try:
                return await call(self.home_of(chat))
            except ChatMigrated as error:
                await self.note_move(self.home_of(chat), error.new_chat_id)
                self._moved[chat] = error.new_chat_id
            except TelegramError as error:
                if not may_repeat(error):
                    raise
                _log.info("telegram_call_repeated", platform=Platform.TELEGRAM, reason=short(error), pause_s=pause_s)
                await asyncio.sleep(pause_s)
        return await call(self.home_of(chat))


def short(error: TelegramError) -> str:
    """Return an error for the log, in one line without what the server sent."""
    return f"{type(error).__name__}: {error.message.splitlines()[0][:80] if error.message else ''}"


def is_uncertain(error: TelegramError) -> bool:
    """Check whether a message may have arrived although the call failed."""
    if isinstance(error, TimedOut):
        return not isinstance(error.__cause__, _NOT_SENT)
    return isinstance(error, NetworkError) and "timeout" in error.message.lower()


def is_out_of_reach(error: TelegramError) -> bool:
    """Check whether a message certainly has not arrived, and may arrive when it is sent another time."""
    return _was_not_taken(error) or isinstance(error, RetryAfter)


def _is_passing(error: TelegramError) -> bool:
    """Check whether an error is the connection's or the server's, not the call's."""
    return isinstance(error, NetworkError) and not isinstance(error, BadRequest)


def _was_not_taken(error: TelegramError) -> bool:
    return _is_passing(error) and not is_uncertain(error)
