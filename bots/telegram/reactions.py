"""Set the bot's reaction on messages: a decoration that never holds up anything."""

import asyncio

import structlog
from cachetools import LRUCache
from telegram import Bot, ReactionTypeCustomEmoji, ReactionTypeEmoji
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bots.conversation.emoji_variants import plain
from bots.custom_emoji import CustomEmoji, in_text
from bots.serving.supervision import BackgroundTasks
from bots.serving.turns import Turns
from bots.telegram.custom_emoji import CustomEmojiFacts
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

_Forms = tuple[ReactionTypeEmoji | ReactionTypeCustomEmoji, ...]
_log = structlog.get_logger()


def reaction_for(emoji: str) -> str | None:
    """Return the emoji in Telegram's spelling of reactions, without skin tone and presentation if necessary; None if it
    is no reaction.
    """
    spellings = (without_selector(each) for each in (emoji, plain(emoji)))
    return next((each for each in spellings if each in ALLOWED_REACTIONS), None)


class Reactions:
    """Sets reactions, those of a message in their order; where that fails for now, once more in the background, unless
    a newer one is wanted by then.
    """

    def __init__(self, delivery: Delivery, background: BackgroundTasks, facts: CustomEmojiFacts) -> None:
        """Set the parts. background: runs the second attempts. facts: which custom emoji a chat allows."""
        self._delivery = delivery
        self._background = background
        self._facts = facts
        self._turns = Turns()
        self._wanted: LRUCache[tuple[int, int], _Forms] = LRUCache(1024)
        self._later = 0

    async def set(self, bot: Bot, chat: int, message: int, emoji: str | None) -> None:
        """React to a message if it is allowed; a chat may allow fewer reactions than Telegram.

        emoji: None to keep the reaction that is there. One that is no reaction takes away what was set before, which
        would say something else.
        """
        if emoji is None:
            return
        async with self._turns.of((chat, message)):
            forms = await self._forms(bot, chat, emoji)
            if not forms and not self._wanted.get((chat, message)):
                return
            self._wanted[chat, message] = forms
            pause_s = await self._try(bot, chat, message, forms)
        if pause_s is not None and pause_s <= LONGEST_PAUSE_S and self._later < MOST_LATER:
            self._background.start("reaction", self._try_later(bot, chat, message, forms, pause_s))

    async def _forms(self, bot: Bot, chat: int, emoji: str) -> _Forms:
        """Return the reactions that stand for an emoji, the best one first: a custom one, then a standard one."""
        custom, standard = CustomEmoji.parse(emoji), reaction_for(in_text(emoji))
        forms: _Forms = (ReactionTypeEmoji(standard),) if standard is not None else ()
        if custom is not None and await self._facts.may_react(bot, self._delivery.home_of(chat), custom):
            return (ReactionTypeCustomEmoji(str(custom.id)), *forms)
        return forms

    async def _try(self, bot: Bot, chat: int, message: int, forms: _Forms) -> float | None:
        """Return the pause in seconds before another attempt; None if none is needed or none would help."""
        where = self._delivery.home_of(chat)
        for form in forms or ((),):
            try:
                await bot.set_message_reaction(where, message, form)
            except RetryAfter as error:
                return seconds_of(error)
            except (BadRequest, Forbidden) as error:
                _log.info("reaction_refused", platform=Platform.TELEGRAM, reason=short(error))
            except TelegramError as error:
                _log.info("reaction_missed", platform=Platform.TELEGRAM, reason=short(error))
                return LATER_S
            else:
                return None
        return None

    async def _try_later(self, bot: Bot, chat: int, message: int, forms: _Forms, pause_s: float) -> None:
        self._later += 1
        try:
            await asyncio.sleep(pause_s)
        finally:
            self._later -= 1
        async with self._turns.of((chat, message)):
            if self._wanted.get((chat, message)) == forms:
                await self._try(bot, chat, message, forms)
