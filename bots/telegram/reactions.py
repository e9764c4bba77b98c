"""Set the bot's reaction on messages: a decoration that never holds up anything."""

import asyncio

import structlog
from cachetools import LRUCache
from telegram import Bot, ReactionTypeEmoji
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bots.conversation.emoji_variants import plain
from bots.serving.supervision import BackgroundTasks
from bots.telegram.delivery import Delivery, short
from bots.telegram.rate_limiter import seconds_of
from db import Platform
from recognizer.emoji_map import without_selector

ALLOWED_REACTIONS = frozenset(without_selector(emoji.value) for emoji in ReactionEmoji)
"""The emoji that a bot may react with, in Telegram's spelling (https://core.telegram.org/bots/api#reactiontypeemoji)."""
LATER_S = 2.0
"""Pause before the second attempt after a bad connection."""
LONGEST_PAUSE_S = 60.0
"""A reaction that Telegram wants later than that is dropped."""
MOST_LATER = 100
"""Reactions that may wait for their second attempt; further ones are dropped."""

_log = structlog.get_logger()


def reaction_for(emoji: str) -> str | None:
    """Return the emoji in Telegram's spelling of reactions, without skin tone and presentation if necessary; None if it
    is no reaction.
    """
    spellings = (without_selector(each) for each in (emoji, plain(emoji)))
    return next((each for each in spellings if each in ALLOWED_REACTIONS), None)


class Reactions:
    """Sets reactions; where that fails for now, once more in the background, unless a newer one is wanted by then."""

    def __init__(self, delivery: Delivery, background: BackgroundTasks) -> None:
        """Set the parts. background: runs the second attempts."""
        self._delivery = delivery
        self._background = background
        self._wanted: LRUCache[tuple[int, int], str] = LRUCache(1024)
        self._later = 0

    async def set(self, bot: Bot, chat: int, message: int, emoji: str | None) -> None:
        """React to a message if it is allowed; a chat may allow fewer reactions than Telegram."""
        reaction = reaction_for(emoji) if emoji is not None else None
        if reaction is None:
            return
        self._wanted[chat, message] = reaction
        pause_s = await self._try(bot, chat, message, reaction)
        if pause_s is not None and pause_s <= LONGEST_PAUSE_S and self._later < MOST_LATER:
            self._background.start("reaction", self._try_later(bot, chat, message, reaction, pause_s))

    async def _try(self, bot: Bot, chat: int, message: int, reaction: str) -> float | None:
        """Return the pause in seconds before another attempt; None if none is needed or none would help."""
        where = self._delivery.home_of(chat)
        try:
            await bot.set_message_reaction(where, message, ReactionTypeEmoji(reaction))
        except RetryAfter as error:
            return seconds_of(error)
        except (BadRequest, Forbidden) as error:
            _log.info("reaction_refused", platform=Platform.TELEGRAM, reason=short(error))
        except TelegramError as error:
            _log.info("reaction_missed", platform=Platform.TELEGRAM, reason=short(error))
            return LATER_S
        return None

    async def _try_later(self, bot: Bot, chat: int, message: int, reaction: str, pause_s: float) -> None:
        self._later += 1
        try:
            await asyncio.sleep(pause_s)
        finally:
            self._later -= 1
        if self._wanted.get((chat, message)) == reaction:
            await self._try(bot, chat, message, reaction)
