"""Show custom emoji on buttons where Telegram lets the bot: its owner needs Telegram Premium, or it a bought name."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest

from bots.telegram.delivery import short
from db import Platform

REMEMBERED_S = 3600.0
"""Seconds for which it is remembered that Telegram refuses icons."""
_Result = TypeVar("_Result")
_log = structlog.get_logger()


class Icons:
    """Sends keyboards with their icons, and without them where Telegram refuses; for some time no more are tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Suppose that icons are allowed. clock: returns seconds."""
        self._clock = clock
        self._refused_until = 0.0

    async def show(
        self, keys: InlineKeyboardMarkup | None, send: Callable[[InlineKeyboardMarkup | None], Awaitable[_Result]]
    ) -> _Result:
        """Send a message with this keyboard. Raise the `TelegramError` that does not come from its icons.

        send: sends or edits the message with the keyboard that it gets. Telegram does not say what it is that it
        refuses, so it was the icons if the message is taken without them.
        """
        if keys is None or not _has_icons(keys):
            return await send(keys)
        if self._clock() < self._refused_until:
            return await send(_without_icons(keys))
        try:
            return await send(keys)
        except BadRequest as error:
            if "not modified" in error.message.lower():
                raise
            result = await send(_without_icons(keys))
            self._refused_until = self._clock() + REMEMBERED_S
            _log.info("icons_refused", platform=Platform.TELEGRAM, reason=short(error))
            return result


def _has_icons(keys: InlineKeyboardMarkup) -> bool:
    return any(key.icon_custom_emoji_id for row in keys.inline_keyboard for key in row)


def _without_icons(keys: InlineKeyboardMarkup) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(key.text, callback_data=key.callback_data) for key in row]
            for row in keys.inline_keyboard
        ]
    )
