"""What Telegram's apps show of the bot: its commands, and what it is, on its profile and before the first message."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.telegram.delivery import short
from bots.telegram.menus import publish_commands
from db import Platform

_log = structlog.get_logger()


async def publish(bot: Bot, admins: Iterable[str]) -> None:
    """Publish everything in all languages; log what Telegram refuses. admins: as in `menus.publish_commands`."""
    async with _tolerated("commands"):
        await publish_commands(bot, admins)
    for language in OWN_NAMES:
        async with _tolerated("description"):
            await _describe(bot, language)


async def _describe(bot: Bot, language: str) -> None:
    """Set what the bot is said to be in a language, where it says something else so far."""
    code, say = None if language == "en" else language, speak(language).say
    description, short_description = say(texts.TELEGRAM_DESCRIPTION), say(texts.TELEGRAM_SHORT_DESCRIPTION)
    if (await bot.get_my_description(code)).description != description:
        await bot.set_my_description(description, code)
    if (await bot.get_my_short_description(code)).short_description != short_description:
        await bot.set_my_short_description(short_description, code)


@asynccontextmanager
async def _tolerated(what: str) -> AsyncIterator[None]:
    """Log what Telegram refuses in this context, and go on after it."""
    try:
        yield
    except TelegramError as error:
        _log.warning("profile_not_published", platform=Platform.TELEGRAM, what=what, reason=short(error))
