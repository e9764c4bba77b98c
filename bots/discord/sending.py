"""Send messages with persistent buttons, and reactions, on Discord."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import discord
import structlog
from discord import ui

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.attachments import NotFetchedError, download, files_of, pictures_in
from bots.discord.errors import TROUBLE, tolerated
from bots.messages import Button, Picture, Reply, Tap, TapReply, Tone
from db import Chat, Person, Platform

_log = structlog.get_logger()

MAX_TEXT = 2000
"""Maximum number of characters of a message (https://discord.com/developers/docs/resources/message#create-message)."""
_STYLES = {
    Tone.PLAIN: discord.ButtonStyle.secondary,
    Tone.CHOSEN: discord.ButtonStyle.success,
    Tone.QUIET: discord.ButtonStyle.secondary,
}


class TapButton(ui.DynamicItem[ui.Button[ui.View]], template=r"mugmoji:(?P<token>[!-~]{1,64})"):
    """A button that works as long as its message exists: all it needs is in its custom_id."""

    def __init__(self, token: str, button: ui.Button[ui.View]) -> None:
        super().__init__(button)
        self._token = token

    @classmethod
    def showing(cls, button: Button, row: int) -> "TapButton":
        """Return the service's button, in a row of 0 to 4.

        Its emoji is part of the label, because Discord rejects a whole message for one `emoji` newer than its own list.
        """
        custom_id = f"mugmoji:{button.token}"
        return cls(
            button.token, ui.Button(label=button.label, style=_STYLES[button.tone], custom_id=custom_id, row=row)
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> "TapButton":
        """Restore the button from the custom_id that came back when it was pressed."""
        assert isinstance(item, ui.Button)
        return cls(match["token"], item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Pass the tap to the service and show its reply."""
        service: EmojiService = interaction.client.service
        with tolerated("tap"):
            await interaction.response.defer()
            language = str(interaction.locale)
            fetch = partial(_answered_picture, interaction)
            person, chat = person_of(interaction.user), chat_of(interaction.channel_id)
            message, administers = interaction.message, partial(manages_server, interaction)
            in_public = interaction.guild_id is not None and not (message is not None and message.flags.ephemeral)
            tap = Tap(person, chat, self._token, language, fetch, in_public, administers)
            await _show_tap(interaction, await service.on_tap(tap))


async def manages_server(interaction: discord.Interaction[Any]) -> bool:
    """Check whether a person may change the settings of a server's channels; always true in a direct message."""
    return interaction.guild_id is None or interaction.permissions.manage_guild


async def _show_whole(interaction: discord.Interaction[Any], answer: TapReply) -> None:
    """Replace the whole message of the button, or send a new one if that is refused."""
    text, rows = fitting(answer.text or answer.notice), answer.rows or ()
    with tolerated("edit"):
        files = files_of(answer.picture)
        await interaction.edit_original_response(content=text, view=view_of(rows), attachments=files)
        return
    await interaction.followup.send(text, view=view_of(rows), files=files_of(answer.picture), ephemeral=True)


async def _show_tap(interaction: discord.Interaction[Any], answer: TapReply) -> None:
    if answer.is_whole:
        await _show_whole(interaction, answer)
        return
    if answer.text is not None or answer.rows is not None:
        await interaction.edit_original_response(
            content=discord.utils.MISSING if answer.text is None else fitting(answer.text),
            view=discord.utils.MISSING if answer.rows is None else view_of(answer.rows),
        )
    if answer.picture is not None:
        try:
            await interaction.followup.send(answer.notice, files=files_of(answer.picture))
        except discord.Forbidden:
            voice = await interaction.client.service.voice_for(person_of(interaction.user), str(interaction.locale))
            await interaction.followup.send(voice.say(texts.FAILED), ephemeral=True)
    elif answer.text is None and not answer.is_obvious:
        await interaction.followup.send(answer.notice, ephemeral=True)
    if answer.reaction is not None:
        await _replace_reaction(interaction, answer.reaction)


async def _answered_picture(interaction: discord.Interaction[Any]) -> Picture | None:
    """Return the first picture of the message that the button's message replies to; None if it is gone."""
    reference = interaction.message.reference if interaction.message is not None else None
    if reference is None or reference.message_id is None:
        return None
    try:
        channel = interaction.client.get_partial_messageable(reference.channel_id, guild_id=reference.guild_id)
        pictures = await download(pictures_in(await channel.fetch_message(reference.message_id))[:1])
    except (NotFetchedError, *TROUBLE) as error:
        _log.info("photo_not_there", platform=Platform.DISCORD, reason=type(error).__name__)
        return None
    return next(iter(pictures), None)


async def _replace_reaction(interaction: discord.Interaction[Any], emoji: str) -> None:
    """Replace the reaction on the answered photo; not for private answers, which must leave no trace in the channel."""
    answer = interaction.message
    photo = answer.reference if answer is not None and not answer.flags.ephemeral else None
    is_allowed = interaction.guild_id is None or _allows_reactions(interaction.app_permissions)
    if photo is None or photo.message_id is None or not is_allowed:
        return
    channel = interaction.client.get_partial_messageable(photo.channel_id, guild_id=photo.guild_id)
    message = await channel.fetch_message(photo.message_id)
    own = {str(reaction.emoji) for reaction in message.reactions if reaction.me}
    for former in own - {emoji}:
        await message.remove_reaction(former, interaction.client.user)
    if emoji not in own:
        await message.add_reaction(emoji)


async def say(message: discord.Message, reply: Reply) -> discord.Message | None:
    """Reply to a message or, if it was deleted or cannot be replied to, send to its channel."""
    text, view = fitting(reply.text), view_of(reply.rows)
    with tolerated("reply"):
        files = files_of(reply.picture) if permissions_at(message).attach_files else []
        if not permissions_at(message).read_message_history:
            return await message.channel.send(text, view=view, files=files)
        quoted = message.to_reference(fail_if_not_exists=False)
        return await message.channel.send(text, view=view, files=files, reference=quoted, mention_author=False)
    return None


async def react(message: discord.Message, reply: Reply) -> None:
    """React to a message with the first reaction that is not None; Discord's messages get only one."""
    emoji = next((reaction for reaction in reply.reactions if reaction is not None), None)
    if emoji is not None and _allows_reactions(permissions_at(message)):
        with tolerated("reaction"):
            await message.add_reaction(emoji)


def permissions_at(message: discord.Message) -> discord.Permissions:
    """Return the bot's permissions at a message. Checked before each call, because Discord bans bots for failed
    attempts.
    """
    if message.guild is None:
        return discord.Permissions.all()
    try:
        return message.channel.permissions_for(message.guild.me)
    except discord.ClientException:  # a thread in a channel that is invisible to the bot
        return discord.Permissions.none()


def _allows_reactions(permissions: discord.Permissions) -> bool:
    return permissions.view_channel and permissions.read_message_history and permissions.add_reactions


def person_of(user: discord.abc.User) -> Person:
    """Return the service's identity of a Discord user."""
    return Person(Platform.DISCORD, str(user.id))


def chat_of(channel_id: int | None) -> Chat:
    """Return the service's identity of a channel or direct message."""
    return Chat(Platform.DISCORD, str(channel_id))


def view_of(rows: Sequence[Sequence[Button]]) -> ui.View:
    """Return the service's buttons as a view."""
    view = ui.View(timeout=None)
    for number, row in enumerate(rows):
        for button in row:
            view.add_item(TapButton.showing(button, number))
    return view


def fitting(text: str) -> str:
    """Return the text, shortened to Discord's limit."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
