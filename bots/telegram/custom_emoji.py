"""Custom emoji in Telegram's terms: in a message's text, in people's reactions, and as reactions of the bot."""

import time
from collections.abc import Callable, Sequence

import structlog
from cachetools import LRUCache, TTLCache
from telegram import Bot, Message, MessageEntity, ReactionType, ReactionTypeCustomEmoji, ReactionTypeEmoji
from telegram.error import TelegramError

from bots.custom_emoji import CustomEmoji
from bots.telegram.delivery import short
from db import Platform

REMEMBERED_S = 300.0
"""Seconds for which it is remembered which reactions a chat allows."""
MOST_CHATS = 4096
MOST_EMOJI = 4096
_log = structlog.get_logger()


def text_of(message: Message) -> str:
    """Return a message's text with each custom emoji, between spaces, as `bots.custom_emoji` writes it.

    Nothing that somebody typed can look like one. Spaces are single ones.
    """
    units = (message.text or "").encode("utf-16-le")  # in which entities count
    parts, at = [], 0
    for entity, shown in sorted(_custom_in(message).items(), key=lambda each: each[0].offset):
        parts += [_typed(units[2 * at : 2 * entity.offset]), _written(entity.custom_emoji_id, shown) or shown]
        at = entity.offset + entity.length
    return " ".join(" ".join((*parts, _typed(units[2 * at :]))).split())


class CustomEmojiFacts:
    """What Telegram says of custom emoji; asked for when needed, and remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet. clock: returns seconds."""
        self._allowed: TTLCache[int, frozenset[str]] = TTLCache(MOST_CHATS, REMEMBERED_S, clock)
        self._stands_for: LRUCache[str, str] = LRUCache(MOST_EMOJI)

    async def may_react(self, bot: Bot, chat: int, emoji: CustomEmoji) -> bool:
        """Return whether a chat's administrators have explicitly allowed an emoji as a reaction.

        Where they allow all, or in private chats, Telegram lists none, and bots may react with its standard ones only
        (https://core.telegram.org/bots/api#setmessagereaction). False, too, if Telegram does not tell.
        """
        if chat not in self._allowed:
            try:
                told = (await bot.get_chat(chat)).available_reactions or ()
            except Exception as error:  # also of the library, which wants to understand all that is told of a chat
                _log.info("reactions_not_known", platform=Platform.TELEGRAM, reason=type(error).__name__)
                return False
            listed = (each.custom_emoji_id for each in told if isinstance(each, ReactionTypeCustomEmoji))
            self._allowed[chat] = frozenset(listed)
        return str(emoji.id) in self._allowed[chat]

    async def emoji_of(self, bot: Bot, reactions: Sequence[ReactionType]) -> tuple[str, ...]:
        """Return a person's reactions, custom ones as `bots.custom_emoji` writes them.

        Telegram names those by their number only, and is asked what they stand for; what it does not know is left out,
        as are paid reactions.
        """
        numbers = [each.custom_emoji_id for each in reactions if isinstance(each, ReactionTypeCustomEmoji)]
        if unknown := [number for number in numbers if number not in self._stands_for]:
            await self._look_up(bot, unknown)
        found = (self._emoji(each) for each in reactions)
        return tuple(each for each in found if each is not None)

    async def _look_up(self, bot: Bot, numbers: Sequence[str]) -> None:
        try:
            stickers = await bot.get_custom_emoji_stickers(numbers)
        except TelegramError as error:
            _log.info("custom_emoji_not_known", platform=Platform.TELEGRAM, reason=short(error))
            return
        known = {each.custom_emoji_id: each.emoji for each in stickers}
        self._stands_for.update({number: emoji for number, emoji in known.items() if number and emoji})

    def _emoji(self, reaction: ReactionType) -> str | None:
        if isinstance(reaction, ReactionTypeEmoji):
            return reaction.emoji
        if isinstance(reaction, ReactionTypeCustomEmoji):
            number = reaction.custom_emoji_id
            return _written(number, self._stands_for.get(number, ""))
        return None


def _custom_in(message: Message) -> dict[MessageEntity, str]:
    return message.parse_entities([MessageEntity.CUSTOM_EMOJI]) if message.text is not None else {}


def _written(number: str | None, stands_for: str) -> str | None:
    """Return a custom emoji as text; None if there is something about it that a text cannot keep."""
    found = CustomEmoji.parse(f"<{stands_for}:{number}>")
    return str(found) if found is not None and found.fallback else None


def _typed(units: bytes) -> str:
    """Return what somebody typed, without what begins a custom emoji in a text."""
    return units.decode("utf-16-le", "replace").replace("<", " ")
