"""The commands that Telegram's apps offer, in all languages."""

from collections.abc import Iterable
from contextlib import suppress

from telegram import Bot, BotCommand, BotCommandScopeAllChatAdministrators, BotCommandScopeChat
from telegram.error import TelegramError

from bots.admin import texts as admin_texts
from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.messages import CommandName

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
