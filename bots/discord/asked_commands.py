"""Commands about a photo, in the journal, so that nobody is left with an answer that does not come.

Discord does not send a command again, and what was attached to one is in no message. So what a process leaves is
apologised for, in place of its answer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import discord
import structlog

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.conversation.waiting_notice import is_waiting_notice
from bots.discord.errors import TROUBLE, facts_of, is_out_of_reach, is_without_effect
from bots.discord.identity import chat_at, person_of
from bots.serving.journal import Entry, LeftOpen
from db import Platform

_ANSWER = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
"""The message that answers a command
(https://discord.com/developers/docs/interactions/receiving-and-responding#get-original-interaction-response).
"""
_LOADING = discord.MessageFlags(loading=True).value
_log = structlog.get_logger()


@dataclass(frozen=True)
class AskedCommand:
    """A command that is being answered: what the journal keeps of it. token: by which it is answered, for 15 minutes at
    most.
    """

    application: int
    token: str
    person: int
    language: str

    @classmethod
    def of(cls, interaction: discord.Interaction[Any]) -> "AskedCommand":
        """Return what is kept of a command."""
        return cls(interaction.application_id, interaction.token, interaction.user.id, str(interaction.locale))


async def answer_once(interaction: discord.Interaction[Any], answer: Callable[[Entry], Awaitable[None]]) -> None:
    """Answer a command with an entry of the journal, and leave it to whoever comes next if Discord is out of reach.

    Raise what `answer` raises.
    """
    journal = interaction.client.service.journal
    asked = asdict(AskedCommand.of(interaction))
    entry = await journal.enter(person_of(interaction.user), chat_at(interaction), str(interaction.id), asked)
    if entry is None:
        return
    async with entry:
        try:
            await answer(entry)
        except TROUBLE as error:
            if is_out_of_reach(error):
                await entry.leave(may_have_arrived=not is_without_effect(error))
            raise


async def apologise(client: discord.Client, service: EmojiService, asked: AskedCommand, left: LeftOpen) -> None:
    """Say in place of the answer that a command has to be given again, unless it was answered or nobody can do so any
    more. Raise an error of `TROUBLE` if Discord is out of reach.
    """

    def route(method: str) -> discord.http.Route:
        return discord.http.Route(method, _ANSWER, webhook_id=asked.application, webhook_token=asked.token)

    voice = await service.voice_for(person_of(discord.Object(asked.person)), asked.language)
    try:
        if left.may_be_answered:
            shown = await client.http.request(route("GET"))
            if not shown["flags"] & _LOADING and not is_waiting_notice(shown["content"], voice):
                return
        if await left.entry.may_send():
            said = {"content": voice.say(texts.INTERRUPTED_LONG)}
            await client.http.request(route("PATCH"), json=said)
    except TROUBLE as error:
        if is_out_of_reach(error):
            raise
        _log.info("photo_not_there", platform=Platform.DISCORD, **facts_of(error))
