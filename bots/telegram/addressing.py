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
            name, at, whose = text.lower().removeprefix("/").partition("@")
            if name in _COMMANDS and (not at or whose == bot.username.lower()):
                return _COMMANDS[name]
    return Wish.EMOJI if mentions(message, bot) else None


def mentions(message: Message, bot: Bot) -> bool:
    """Check whether a message's text or caption mentions the bot, by its name or by a link to it."""
    return any(
        text.lower() == f"@{bot.username}".lower()
        or (entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == bot.id)
        for entity, text in _marked(message).items()
    )


def begins_with_command(message: Message) -> bool:
    """Check whether a text begins with a command, to this bot or to another one."""
    return any(entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0 for entity in message.entities)


_COMMANDS = {wish.value: wish for wish in Wish}


def _marked(message: Message) -> dict[MessageEntity, str]:
    """Return the mentions and commands of a message, in their order, with their words."""
    if message.text is not None:
        return message.parse_entities(list(_SPEAKING))
    return message.parse_caption_entities(list(_SPEAKING)) if message.caption is not None else {}
