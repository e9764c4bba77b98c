"""Whether a message is meant for the bot."""

from enum import Enum

import discord

_WRITTEN_BY_PEOPLE = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""The types of messages that people write; all others are Discord's own, about pins, joins, calls and the like."""


class Address(Enum):
    """How a message speaks to the bot."""

    DIRECT = "direct"
    MENTION = "mention"
    REPLY = "reply"
    """It replies to a message of the bot, and so mentions it without its name in the text."""
    NONE = "none"


def is_from_a_person(message: discord.Message) -> bool:
    """Check whether a person wrote a message, rather than Discord, a bot or a webhook."""
    return message.type in _WRITTEN_BY_PEOPLE and not message.author.bot and message.webhook_id is None


def address_of(message: discord.Message, me: int) -> Address:
    """Return how a message speaks to the bot. me: the bot's id."""
    if not is_from_a_person(message):
        return Address.NONE
    if isinstance(message.channel, discord.DMChannel):
        return Address.DIRECT
    if me in {user.id for user in message.mentions}:
        return Address.MENTION if me in message.raw_mentions else Address.REPLY
    own_role = message.guild.self_role if message.guild is not None else None
    return Address.MENTION if own_role is not None and own_role in message.role_mentions else Address.NONE
