"""Who speaks on Discord, where, and in which language: what the service knows people and chats by."""

from typing import Any

import discord

from db import Chat, Person, Platform


def person_of(user: discord.abc.Snowflake) -> Person:
    """Return the service's identity of a Discord user."""
    return Person(Platform.DISCORD, str(user.id))


def chat_of(channel_id: int) -> Chat:
    """Return the service's identity of a channel, a thread or a direct message."""
    return Chat(Platform.DISCORD, str(channel_id))


def chat_at(interaction: discord.Interaction[Any]) -> Chat:
    """Return the chat of an interaction; where Discord names none, one that only this person has."""
    return chat_of(interaction.channel_id or interaction.user.id)


def author_of(message: discord.Message | None) -> Person | None:
    """Return the person who wrote a message; None for a bot, a webhook, or a message that is not known."""
    if message is None or message.author.bot or message.webhook_id is not None:
        return None
    return person_of(message.author)


def sender_of(message: discord.Message, asked_by: discord.abc.User) -> Person | None:
    """Return the person who sent a message, if that is another one than who asks about it; somebody unknown for a bot
    or a webhook, and for what a message forwards.
    """
    sender = (author_of(message) if not message.message_snapshots else None) or Person.unknown(Platform.DISCORD)
    return None if sender == person_of(asked_by) else sender


def language_of(message: discord.Message) -> str:
    """Return the language of a message's server; empty for direct messages, whose language is not known."""
    return str(message.guild.preferred_locale) if message.guild is not None else ""


def is_guest_at(interaction: discord.Interaction[Any]) -> bool:
    """Check whether the bot is there only in somebody's own account: no member, with nothing but the interaction.

    See https://discord.com/developers/docs/resources/application#installation-context.
    """
    is_own_direct_message = interaction.context.dm_channel
    return interaction.is_user_integration() and not interaction.is_guild_integration() and not is_own_direct_message
