"""Take updates that Telegram posts to an address of the bot's, in any number of processes behind one proxy.

An update is acknowledged when it is settled, and else sent again by Telegram, perhaps to another process. Telegram
sends the updates of one chat one after the other, each when the one before is acknowledged
(https://github.com/tdlib/telegram-bot-api, WebhookActor.cpp). The address stays set at the end: others may serve it,
and if none does, Telegram keeps the updates for a day.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from telegram import Bot, Update
from telegram.error import InvalidToken, TelegramError
from telegram.request import BaseRequest, HTTPXRequest

from bots.serving.post_route import PostRoute
from bots.telegram.claims import Claims
from bots.telegram.delivery import short
from bots.telegram.source import UPDATES, AnyApplication, end_of, lasting_tasks
from bots.telegram.updates import has_number, readable
from db import Platform

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (a header's name)
MOST_UPDATE_BYTES = 1024 * 1024
"""The limit for an update: one with the longest text in the most expensive spelling, that replies to another such, has
a quarter.
"""
MOST_CONNECTIONS = 40
"""Updates that Telegram sends at once: its default, and fewer than the web server takes from one proxy."""
LONGEST_UNSETTLED_S = 20.0
"""Seconds after which Telegram is asked to send an update again, which has not been settled until then."""
LOOKED_AFTER_EVERY_S = 60.0
_DONE, _MALFORMED, _REFUSED, _NOT_NOW = 200, 400, 403, 503

_log = structlog.get_logger()


class Webhook:
    """The source of updates that several processes may share."""

    brings_one_by_one: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        secret: str,
        route: PostRoute,
        claims: Claims,
        *,
        looked_after_every_s: float = LOOKED_AFTER_EVERY_S,
    ) -> None:
        """url: the address that Telegram posts to. secret: what Telegram sends with each update. route: where that
        arrives. claims: tells which updates are this process's. looked_after_every_s: after how many seconds Telegram
        is asked whether it still knows the address, and gets through.
        """
        self._url = url
        self._secret = secret.encode()
        self._route = route
        self._claims = claims
        self._looked_after_every_s = looked_after_every_s
        self._unsettled: dict[int, asyncio.Future[bool]] = {}

    async def while_due(self, serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Serve: it is everybody's turn."""
        await serve()

    def request(self) -> BaseRequest:
        """Return what fetches no updates."""
        return HTTPXRequest()

    def begin(self) -> None:
        """Forget what an earlier run had in hand."""
        for waiting in self._unsettled.values():
            if not waiting.done():
                waiting.set_result(False)

    def settle(self, number: int) -> None:
        """Acknowledge an update."""
        self._claims.settle(number)
        waiting = self._unsettled.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(True)

    @asynccontextmanager
    async def open(self, application: AnyApplication) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Take updates until the context is left. Raise `TelegramError`."""
        with self._route.answered_by(partial(self._receive, application)):
            await self._register(application.bot)
            yield partial(self._look_after, application.bot)

    async def give_up(self) -> None:
        """Let others have what came and was not settled; Telegram sends it again."""
        self.begin()
        await self._claims.give_back()

    async def _receive(self, application: AnyApplication, request: Request) -> Response:
        """Answer a request: 200 for an update that is settled, here or elsewhere; 503 for one that is to come again;
        403 without the secret; 400 for what is no update.
        """
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret):
            return _refused(_REFUSED)
        try:
            sent = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _refused(_MALFORMED)
        if not has_number(sent):
            return _refused(_MALFORMED)
        update = Update.de_json(readable(sent) or {}, application.bot)
        return _answer(_DONE if await self._take(update, application) else _NOT_NOW)

    async def _take(self, update: Update, application: AnyApplication) -> bool:
        """Hand an update on and wait until it is settled; return whether Telegram may forget it."""
        number = update.update_id
        if number in self._unsettled:
            return False
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unsettled[number] = waiting
        try:
            claimed = await self._claims.claim([update])
            if number not in claimed.mine:
                return number not in claimed.held
            await application.update_queue.put(update)
            async with asyncio.timeout(LONGEST_UNSETTLED_S):
                return await waiting
        except TimeoutError:
            return False
        finally:
            del self._unsettled[number]

    async def _register(self, bot: Bot) -> None:
        await bot.set_webhook(
            self._url,
            allowed_updates=UPDATES,
            max_connections=MOST_CONNECTIONS,
            secret_token=self._secret.decode(),
        )
        _log.info("webhook_set", platform=Platform.TELEGRAM)

    async def _look_after(self, bot: Bot) -> None:
        """See to it that Telegram knows the address, until the library no longer hands updates on, or the token is
        refused; raise why.
        """
        lasting, told = lasting_tasks(), None
        while True:
            await end_of(lasting, self._looked_after_every_s)
            try:
                seen = await bot.get_webhook_info()
                if seen.url != self._url:
                    _log.warning("webhook_replaced", platform=Platform.TELEGRAM)
                    await self._register(bot)
                elif seen.last_error_date is not None and seen.last_error_date != told:
                    told, waiting = seen.last_error_date, seen.pending_update_count
                    reason = seen.last_error_message or ""
                    _log.warning("webhook_troubled", platform=Platform.TELEGRAM, reason=reason, waiting=waiting)
            except InvalidToken:
                raise
            except TelegramError as error:
                _log.warning("webhook_not_looked_after", platform=Platform.TELEGRAM, reason=short(error))


def _refused(status: int) -> Response:
    _log.debug("request_refused", platform=Platform.TELEGRAM, code=str(status))  # counted, but no line
    return _answer(status)


def _answer(status: int) -> Response:
    return PlainTextResponse("", status, {"Retry-After": "1"} if status == _NOT_NOW else None)
