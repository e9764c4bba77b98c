"""The commands that Telegram's apps offer, in all languages."""

from collections.abc import Iterable
from contextlib import suppress

import structlog
from cachetools import LRUCache
from telegram import Bot, BotCommand, BotCommandScopeAllChatAdministrators, BotCommandScopeChat
from telegram.error import TelegramError

from bots.admin import texts as admin_texts
from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.messages import CommandName
from bots.telegram.delivery import short
from db import Platform

CHAT_EMOJI = "chat_emoji"
"""The command that maps an emoji of a chat's own."""
_COMMANDS = {
    "emoji": texts.TELEGRAM_EMOJI,
    "emoji_me": texts.EMOJI_ME_COMMAND,
    **texts.COMMANDS,
    CHAT_EMOJI: texts.CHAT_EMOJI_COMMAND,
}
_OF_CHAT_ADMINISTRATORS = frozenset({CommandName.CHAT_SETTINGS.value, CHAT_EMOJI})
"""The commands that only a chat's administrators have in their menu."""
MOST_STRANGERS = 4096
"""People whose menus are remembered to be those of everybody."""
_log = structlog.get_logger()


async def publish_commands(bot: Bot, admins: Iterable[str]) -> None:
    """Publish the commands in all languages; those without a language code apply to all other languages.

    admins: ids of the people who see more commands, once they have written to the bot.
    """
    for language in OWN_NAMES:
        voice = speak(language)
        everything = [BotCommand(name, voice.say(meaning)) for name, meaning in _COMMANDS.items()]
        commands = [command for command in everything if command.command not in _OF_CHAT_ADMINISTRATORS]
        code = None if language == "en" else language
        await bot.set_my_commands(commands, language_code=code)
        await bot.set_my_commands(everything, BotCommandScopeAllChatAdministrators(), language_code=code)
        more = [BotCommand(name, meaning) for name, meaning in admin_texts.COMMANDS.items()]
        for admin in admins:
            with suppress(TelegramError):
                await bot.set_my_commands([*commands, *more], BotCommandScopeChat(admin), language_code=code)


class FormerAdmins:
    """Takes away the menus of people who were admins once: Telegram keeps what was published for them."""

    def __init__(self) -> None:
        self._looked_at: LRUCache[int, bool] = LRUCache(MOST_STRANGERS)

    async def withdraw_menu(self, bot: Bot, person: int) -> None:
        """Leave somebody who is no admin with the commands of everybody, in all languages, if they have others.

        person: their number, which is that of the private chat with them. Telegram is asked once about each.
        """
        if person in self._looked_at:
            return
        self._looked_at[person] = True
        scope = BotCommandScopeChat(person)
        try:
            if await bot.get_my_commands(scope):
                for language in reversed(OWN_NAMES):  # what is asked about goes last: if this fails, it is tried again
                    await bot.delete_my_commands(scope, language_code=None if language == "en" else language)
        except TelegramError as error:
            self._looked_at.pop(person, None)
            _log.info("menu_not_withdrawn", platform=Platform.TELEGRAM, reason=short(error))
