"""Send answers on Discord: to messages, whose answer later replies replace, and to commands."""

import io
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import discord
from discord import ui

from bots.conversation.service import EmojiService
from bots.discord.buttons import view_of, without_icons
from bots.discord.delivery import delivered, is_not_done
from bots.discord.errors import (
    TROUBLE,
    UNKNOWN_CHANNEL,
    is_about_an_icon,
    is_about_the_reply,
    is_gone,
    is_passing,
    losing_no_answer_silently,
)
from bots.discord.identity import person_of
from bots.discord.permissions import Allowed
from bots.messages import ButtonRows, Form, MadeFile, MadePicture, Reply
from bots.serving.journal import Entry
from db import Chat

MAX_TEXT = 2000
"""Maximum number of characters of a message (https://discord.com/developers/docs/resources/message#create-message)."""
T = TypeVar("T")
_NAMES = {Form.PHOTO: "faces.jpg", Form.STICKER: "sticker.png", Form.ANIMATION: "faces.gif"}


class MessageAnswer:
    """The answer to a message: a message of its own, which later replies replace.

    sent: the bot's message, None while there is none. is_shown: the last reply is, or had nothing to say. failure: why
    Discord did not take the last reply.
    """

    def __init__(
        self,
        message: discord.Message,
        allowed: Allowed,
        excuse: str = "",
        entry: Entry | None = None,
        shown: discord.Message | None = None,
    ) -> None:
        """Set what is answered.

        allowed: what the bot may do there. excuse: what to say where the message is gone; empty for nothing. entry: of
        the journal, asked before the answer is sent. shown: what is there already in place of the answer.
        """
        self._entry = entry
        self.sent = shown
        self.is_shown = False
        self.failure: BaseException | None = None
        self._is_welcome = True  # until the message, or the answer, is deleted
        self._message = message
        self._allowed = allowed
        self._excuse = excuse

    async def show(self, reply: Reply) -> None:
        """Show a reply in place of the one before; nothing if that one, or the message, was deleted meanwhile.

        Who deletes a photo wants nothing of it shown, so that only the excuse is sent, once.
        """
        self.is_shown, self.failure = False, None
        if not self._is_welcome or (reply.text and not self._allowed.speak):
            return
        if self._entry is not None and not reply.waiting and not await self._entry.may_send():
            return
        with losing_no_answer_silently("reply"):
            try:
                await self._show(reply)
                self.is_shown = True
            except TROUBLE as error:
                self.failure = error
                if not isinstance(error, discord.HTTPException) or not is_gone(error):
                    raise
                self._is_welcome = False
                if self.sent is None and self._excuse and error.code != UNKNOWN_CHANNEL:
                    await send_to(self._message.channel, Reply(self._excuse))

    async def _show(self, reply: Reply) -> None:
        sent = self.sent
        if not reply.text:
            if sent is not None:
                await delivered(sent.delete)
                self.sent = None
            return
        self.sent = await (self._edit(sent, reply) if sent is not None else self._send(reply))

    async def _edit(self, sent: discord.Message, reply: Reply) -> discord.Message:
        async def edit(view: ui.View) -> discord.Message:
            files = files_of(reply.picture, reply.file) if self._allowed.attach else []
            return await sent.edit(content=fitting(reply.text), view=view, attachments=files)

        return await with_buttons(reply.rows, edit)

    async def _send(self, reply: Reply) -> discord.Message:
        """Reply to the message or, where that is not possible although it is there, send to its channel."""
        if self._allowed.quote:
            try:
                return await self._send_quoting(reply, self._message.to_reference())
            except discord.HTTPException as error:
                if not is_about_the_reply(error):
                    raise
        return await self._send_quoting(reply, None)

    async def _send_quoting(self, reply: Reply, quoted: discord.MessageReference | None) -> discord.Message:
        return await send_to(self._message.channel, reply, quoted, may_attach=self._allowed.attach)


async def send_to(
    channel: discord.abc.Messageable,
    reply: Reply,
    quoted: discord.MessageReference | None = None,
    *,
    may_attach: bool = True,
) -> discord.Message:
    """Send a reply to a channel. quoted: the message that it replies to. may_attach: files may be sent there.

    It is sent again after errors that pass. Discord recognises by the nonce what it has already received.
    """
    nonce = secrets.token_hex(12)

    async def once(view: ui.View) -> discord.Message:
        return await channel.send(
            fitting(reply.text),
            view=view,
            files=files_of(reply.picture, reply.file) if may_attach else [],
            reference=quoted,  # type: ignore[arg-type]  # its overloads leave None out
            mention_author=False,
            nonce=nonce,
        )

    return await with_buttons(reply.rows, once)


async def respond(
    interaction: discord.Interaction[Any], reply: Reply, *, text_only_if_refused: bool = True
) -> discord.Message:
    """Show a reply as the answer to a command, in place of the one before.

    text_only_if_refused: files may be forbidden where text is allowed; then the text comes alone. Else it is raised.
    """

    async def edit(view: ui.View) -> discord.Message:
        files = files_of(reply.picture, reply.file)
        return await interaction.edit_original_response(content=fitting(reply.text), view=view, attachments=files)

    try:
        return await with_buttons(reply.rows, edit)
    except discord.Forbidden:
        if not text_only_if_refused:
            raise
        text_only = replace(reply, picture=None, file=None)
        return await respond(interaction, text_only, text_only_if_refused=False)


async def follow_up(interaction: discord.Interaction[Any], reply: Reply, *, ephemeral: bool = False) -> None:
    """Send a further answer to an interaction; ephemeral: only who caused it sees it.

    It has no nonce, so it is sent again only where Discord certainly has not received it.
    """

    async def once(view: ui.View) -> None:
        files = files_of(reply.picture, reply.file)
        shown = view if reply.rows else discord.utils.MISSING
        await interaction.followup.send(fitting(reply.text), view=shown, files=files, ephemeral=ephemeral)

    await with_buttons(reply.rows, once, is_not_done)


async def with_buttons(
    rows: ButtonRows,
    call: Callable[[ui.View], Awaitable[T]],
    is_repeatable: Callable[[BaseException], bool] = is_passing,
) -> T:
    """Deliver a call with a view of the buttons; without their icons where Discord refuses one of those."""
    try:
        return await delivered(lambda: call(view_of(rows)), is_repeatable)
    except discord.HTTPException as error:
        if not is_about_an_icon(error):
            raise
    return await delivered(lambda: call(view_of(without_icons(rows))), is_repeatable)


async def note_sent(service: EmojiService, chat: Chat, reply: Reply, message_id: int) -> None:
    """Tell the service which message shows a reply, where it wants to know."""
    if reply.photo:
        await service.note_answer(chat, reply.photo, str(message_id))
    if reply.game:
        await service.note_round(chat, reply.game, str(message_id))


async def say_to(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Answer a command with a sentence of `texts` alone, in the language of who gave it."""
    voice = await interaction.client.service.voice_for(person_of(interaction.user), str(interaction.locale))
    await respond(interaction, Reply(voice.say(sentence)))


async def refuse(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say to who caused an interaction why nothing is done for it, in a sentence of `texts`."""
    with losing_no_answer_silently("refusal"):
        voice = await interaction.client.service.voice_for(person_of(interaction.user), str(interaction.locale))
        await interaction.response.send_message(voice.say(sentence), ephemeral=True)


def files_of(picture: MadePicture | None, file: MadeFile | None = None) -> list[discord.File]:
    """Return what the bot made as attachments; hidden if it is to be."""
    files = []
    if picture is not None:
        files.append(discord.File(io.BytesIO(picture.content), _NAMES[picture.form], spoiler=picture.has_spoiler))
    if file is not None:
        files.append(discord.File(io.BytesIO(file.content), file.name))
    return files


def fitting(text: str) -> str:
    """Return the text, shortened to Discord's limit."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
