"""Keep Telegram's limits on messages without holding up other chats, and wait where Telegram asks for it.

A message waits for the turn of its chat and then for the overall one. Edits, questions to Telegram and deletions are no
messages and wait only while Telegram has asked for a pause; answers to taps and to inline queries, and decorations with
what is asked for them never wait.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from telegram.error import RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bots.serving.rate_limits import TELEGRAM_CHAT, TELEGRAM_GROUP, TELEGRAM_OVERALL, RateLimit
from db import Platform

MOST_REPEATS = 3
"""How often a call is repeated that Telegram refused for being one too many."""
LONGEST_PAUSE_S = 300.0
"""A call that Telegram wants later than that is given up."""
MOST_WAITING = 40
"""Messages that may wait for the turn of one chat, two minutes' worth in a group; further ones are given up, so that
no chat occupies the whole bot. Answers to photos wait beyond it: `bots.serving.admission` bounds how many there are.
"""
CHATS_FOR_GLOBAL_PAUSE = 3
"""If so many chats are paused at once, the limit that was hit is the bot's own, and everything pauses."""
_AT_ONCE = frozenset(
    {"answerCallbackQuery", "answerInlineQuery", "getChat", "getStickerSet", "setMessageReaction", "sendChatAction"}
)
"""Calls that are worth nothing later; of those, the set of stickers is what an inline query is answered with, and the
chat is asked for before a reaction, which must not hold up what is said after it.
"""
_TIDY_ABOVE = 256

Result = bool | dict[str, Any] | list[dict[str, Any]]
Call = Callable[..., Coroutine[Any, Any, Result]]
ChatKey = int | str
MaySend = Callable[[], Awaitable[bool]]
_log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """How many messages Telegram takes: in all, for each chat, and for each group besides."""

    overall: RateLimit = TELEGRAM_OVERALL
    chat: RateLimit = TELEGRAM_CHAT
    group: RateLimit = TELEGRAM_GROUP


def seconds_of(error: RetryAfter) -> float:
    """Return how many seconds Telegram asks to wait; the public attribute is about to change its type."""
    return error._retry_after.total_seconds()


class TakenOverError(TelegramError):
    """A message is no longer this process's to send."""

    def __init__(self) -> None:
        super().__init__("taken over by another process")


class RateLimiter(BaseRateLimiter[MaySend]):
    """Lets each request to Telegram wait as long as its limits ask for."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Set the limits, those of the table if None. clock: returns seconds. sleep: waits for the given seconds."""
        self._limits = limits or Limits()
        self._clock, self._sleep = clock, sleep
        self._overall = _Window(self._limits.overall, clock, sleep)
        self._chats: dict[ChatKey, _Chat] = {}
        self._tidy_at = _TIDY_ABOVE
        self._paused: dict[ChatKey, float] = {}
        self._all_paused_until = 0.0

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""

    async def process_request(  # noqa: PLR0913, PLR0917  # the library's signature
        self,
        callback: Call,
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: MaySend | None,
    ) -> Result:
        """Make the request when its turn has come.

        rate_limit_args: asked by then whether it is still to be made; what has it waits however many others do. Raise
        `RetryAfter` if Telegram keeps refusing it or for too long, `TakenOverError` if it is not to be made.
        """
        if endpoint in _AT_ONCE:
            return await callback(*args, **kwargs)
        chat = _key(data.get("chat_id", data.get("user_id"))) or endpoint  # a pause for what has no chat is its own
        for repeats_left in range(MOST_REPEATS, -1, -1):
            await self._wait(endpoint, chat, math.inf if rate_limit_args is not None else MOST_WAITING)
            if rate_limit_args is not None and not await rate_limit_args():
                raise TakenOverError
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                pause_s = seconds_of(error)
                _log.info("telegram_asks_to_wait", platform=Platform.TELEGRAM, call=endpoint, pause_s=pause_s)
                self._pause(chat, pause_s)
                if not repeats_left or pause_s > LONGEST_PAUSE_S:
                    raise
        raise AssertionError  # the last repeat returned or raised

    async def _wait(self, endpoint: str, chat: ChatKey, most_waiting: float) -> None:
        if not _is_message(endpoint):
            await self._wait_for_pause(chat)
            return
        queue = self._chat(chat)
        if queue.waiting >= most_waiting:
            raise RetryAfter(round(self._limits.group.seconds))
        queue.waiting += 1
        try:
            async with queue.lock:  # wakes its waiters in the order of their arrival
                await self._wait_for_pause(chat)
                for window in queue.windows:
                    await window.wait()
                await self._overall.wait()
        finally:
            queue.waiting -= 1

    async def _wait_for_pause(self, chat: ChatKey) -> None:
        while (pause_s := max(self._paused.get(chat, 0.0), self._all_paused_until) - self._clock()) > 0:
            await self._sleep(pause_s)

    def _pause(self, chat: ChatKey, pause_s: float) -> None:
        now = self._clock()
        until = now + min(pause_s, LONGEST_PAUSE_S)
        self._paused = {each: end for each, end in self._paused.items() if end > now}
        self._paused[chat] = max(until, self._paused.get(chat, 0.0))
        if len(self._paused) >= CHATS_FOR_GLOBAL_PAUSE:
            self._all_paused_until = max(until, self._all_paused_until)

    def _chat(self, chat: ChatKey) -> "_Chat":
        if chat not in self._chats:
            if len(self._chats) >= self._tidy_at:
                self._chats = {key: queue for key, queue in self._chats.items() if queue.is_busy}
                self._tidy_at = max(_TIDY_ABOVE, 2 * len(self._chats))
            limits = (self._limits.chat, self._limits.group) if _is_group(chat) else (self._limits.chat,)
            self._chats[chat] = _Chat([_Window(limit, self._clock, self._sleep) for limit in limits])
        return self._chats[chat]


class _Window:
    """Lets one caller after the other pass, at most `calls` in any `seconds`."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._limit, self._clock, self._sleep = limit, clock, sleep
        self._passed: deque[float] = deque(maxlen=limit.calls)
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        async with self._lock:
            while len(self._passed) == self._limit.calls:
                wait_s = self._passed[0] + self._limit.seconds - self._clock()
                if wait_s <= 0:
                    break
                await self._sleep(wait_s)
            self._passed.append(self._clock())

    @property
    def is_busy(self) -> bool:
        return bool(self._passed) and self._passed[-1] + self._limit.seconds > self._clock()


class _Chat:
    """The messages that wait for the turn of one chat."""

    def __init__(self, windows: list[_Window]) -> None:
        self.windows = windows
        self.lock = asyncio.Lock()
        self.waiting = 0

    @property
    def is_busy(self) -> bool:
        return self.waiting > 0 or any(window.is_busy for window in self.windows)


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(("send", "copy", "forward"))


def _key(chat: Any) -> ChatKey | None:
    """Return the chat of a request in one spelling: numbers may come as words. None if it has none."""
    try:
        return int(chat)
    except (TypeError, ValueError):
        return str(chat) if chat is not None else None


def _is_group(chat: ChatKey) -> bool:
    """Check whether the limit of groups holds: names belong to supergroups and channels only."""
    return isinstance(chat, str) or chat < 0
