"""Whether a message is meant for the bot, by the entities that Telegram marks in it."""

from enum import Enum

from telegram import Bot, Message, MessageEntity

_SPEAKING = (MessageEntity.MENTION, MessageEntity.TEXT_MENTION, MessageEntity.BOT_COMMAND)


class Wish(Enum):
    """What a message asks of the bot; the values are the commands for it."""

    EMOJI = "emoji"
    EMOJI_ME = "emoji_me"


def wish_in(message: Message, bot: Bot) -> Wish | None:
    """Return what a message's text or caption asks for; None if the bot is not spoken to.

    A command counts more than a mention, which asks for an emoji. Those of other bots, e-mail addresses and words that
    only look like them are not meant.
    """
    for entity, text in _marked(message).items():
        if entity.type == MessageEntity.BOT_COMMAND:
            name, whose = _name_and_bot(text)
            if name in _COMMANDS and (not whose or whose == bot.username.lower()):
                return _COMMANDS[name]
    return Wish.EMOJI if mentions(message, bot) else None


def mentions(message: Message, bot: Bot) -> bool:
    """Check whether a message's text or caption mentions the bot, by its name or by a link to it."""
    return any(
        text.lower() == f"@{bot.username}".lower()
        or (entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == bot.id)
        for entity, text in _marked(message).items()
    )


def command_in(message: Message) -> str | None:
    """Return the name, in small letters, of the command with which a text begins, to this bot or to another one; None
    if it begins with none.

    Telegram marks where the name ends, which need not be at a space: "/help!" asks for help.
    """
    for entity, text in _marked(message).items() if message.text is not None else ():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            return _name_and_bot(text)[0]
    return None


_COMMANDS = {wish.value: wish for wish in Wish}


def _name_and_bot(command: str) -> tuple[str, str]:
    """Return a command's name and the name of the bot that it is for, if that is said."""
    name, _, whose = command.lower().removeprefix("/").partition("@")
    return name, whose


def _marked(message: Message) -> dict[MessageEntity, str]:
    """Return the mentions and commands of a message, in their order, with their words."""
    if message.text is not None:
        return message.parse_entities(list(_SPEAKING))
    return message.parse_caption_entities(list(_SPEAKING)) if message.caption is not None else {}
