"""Whether Telegram shows the bot all photos of a chat, or only those with which somebody turns to it."""

import time
from collections.abc import Callable

from cachetools import TTLCache
from telegram import Bot
from telegram import Chat as TelegramChat
from telegram.constants import ChatType

from bots.telegram import identity

REMEMBERED_S = 600.0
"""Seconds for which it is remembered whether the bot administers a group."""


class Sight:
    """Tells where the bot sees everything: in private chats and channels, in groups that it administers, and in all
    groups if its owner has switched off its privacy mode.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet. clock: returns seconds."""
        self._administers: TTLCache[int, bool] = TTLCache(4096, REMEMBERED_S, clock)

    async def sees_all_photos(self, chat: TelegramChat, bot: Bot) -> bool:
        """Return whether a photo in this chat reaches the bot though nobody turns to it."""
        if chat.type in (ChatType.PRIVATE, ChatType.CHANNEL) or bot.can_read_all_group_messages:
            return True
        if chat.id not in self._administers:
            self._administers[chat.id] = await identity.administers(chat, bot.id, bot)
        return self._administers[chat.id]
