"""Handle presses on the service's buttons: one after the other at each message, so that the last one wins."""

import asyncio
from functools import partial
from typing import Any

import discord
import structlog
from discord import ui

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.delivery import delivered
from bots.discord.errors import TROUBLE, facts_of, losing_no_answer_silently, tolerated
from bots.discord.files import files_in, to_fetch
from bots.discord.identity import author_of, chat_at, is_guest_at, person_of, sender_of
from bots.discord.permissions import may_react
from bots.discord.reactions import OwnReactions, Place
from bots.discord.sending import fitting, follow_up, respond, with_buttons
from bots.messages import NotFetchedError, Picture, Reply, Tap, TapReply
from bots.serving.turns import Turns
from db import Platform

MOST_STEPS_TO_PHOTO = 3
"""Messages that are fetched on the way from a made picture to its photo."""

_log = structlog.get_logger()


class Taps:
    """Passes presses to the service and shows its replies."""

    def __init__(self, service: EmojiService, reactions: OwnReactions) -> None:
        self._service = service
        self._reactions = reactions
        self._turns = Turns()

    async def answer(self, interaction: discord.Interaction[Any], token: str) -> None:
        """Answer a press.

        It takes its turn before it is acknowledged, because acknowledgements may overtake each other; but it does not
        wait for its turn with that, because Discord allows three seconds.
        """
        message = interaction.message
        acknowledging = asyncio.create_task(interaction.response.defer())
        async with self._turns.of(message.id if message is not None else interaction.id):
            with losing_no_answer_silently("tap"):
                await acknowledging
                reply = await self._service.on_tap(await _tap(interaction, token))
                await self._show(interaction, reply)
                if reply.photo and message is not None:
                    await self._service.note_answer(chat_at(interaction), reply.photo, str(message.id))

    async def _show(self, interaction: discord.Interaction[Any], answer: TapReply) -> None:
        await self._show_answer(interaction, answer)
        if answer.question is not None:
            await follow_up(interaction, answer.question, ephemeral=True)

    async def _show_answer(self, interaction: discord.Interaction[Any], answer: TapReply) -> None:
        if answer.reaction is not None:
            self._react(interaction, answer.reaction)
        if answer.is_whole:
            await _show_whole(interaction, answer)
            return
        if answer.text is not None or answer.rows is not None:
            await with_buttons(answer.rows or (), partial(_edit, interaction, answer))
        if answer.picture is not None:
            await self._send_picture(interaction, answer)
        elif answer.text is None and not answer.is_obvious:
            await follow_up(interaction, Reply(answer.notice), ephemeral=True)

    async def _send_picture(self, interaction: discord.Interaction[Any], answer: TapReply) -> None:
        """Send a picture, for no other eyes than the message with the button."""
        message = interaction.message
        reply = Reply(answer.notice, rows=answer.picture_rows, picture=answer.picture)
        try:
            await follow_up(interaction, reply, ephemeral=message is not None and message.flags.ephemeral)
        except discord.Forbidden:
            voice = await self._service.voice_for(person_of(interaction.user), str(interaction.locale))
            await follow_up(interaction, Reply(voice.say(texts.FAILED)), ephemeral=True)

    def _react(self, interaction: discord.Interaction[Any], emoji: str) -> None:
        """Replace the reaction on the answered photo.

        Not for private answers, which must leave no trace in the channel, and not where the bot is no member.
        """
        answer = interaction.message
        photo = answer.reference if answer is not None and not answer.flags.ephemeral else None
        is_allowed = interaction.guild_id is None or may_react(interaction.app_permissions)
        if photo is None or photo.message_id is None or not is_allowed or is_guest_at(interaction):
            return
        self._reactions.want(Place(photo.channel_id, photo.message_id), emoji)


async def _tap(interaction: discord.Interaction[Any], token: str) -> Tap:
    message = interaction.message
    answered = message.reference if message is not None else None
    is_guest = is_guest_at(interaction)
    photo = None if is_guest else await _answered_message(interaction)
    return Tap(
        person=person_of(interaction.user),
        chat=chat_at(interaction),
        token=token,
        language=str(interaction.locale),
        fetch=None if is_guest else partial(_answered_picture, interaction),
        in_public=interaction.guild_id is not None and not (message is not None and message.flags.ephemeral),
        administers=partial(manages_server, interaction),
        sender=author_of(photo),
        author=sender_of(photo, interaction.user) if photo is not None else None,
        photo_message=str(answered.message_id) if answered is not None and answered.message_id is not None else "",
        sees_all_photos=interaction.client.reads_all_messages,
    )


async def manages_server(interaction: discord.Interaction[Any]) -> bool:
    """Check whether a person may change the settings of a server's channels; always true in a direct message."""
    return interaction.guild_id is None or interaction.permissions.manage_guild


async def _edit(interaction: discord.Interaction[Any], answer: TapReply, view: ui.View) -> None:
    """Change the text, the buttons or both of the message with the button."""
    await interaction.edit_original_response(
        content=discord.utils.MISSING if answer.text is None else fitting(answer.text),
        view=discord.utils.MISSING if answer.rows is None else view,
    )


async def _show_whole(interaction: discord.Interaction[Any], answer: TapReply) -> None:
    """Replace the whole message of the button, or send a new one if that is refused."""
    if not (answer.text or answer.rows or answer.picture):
        await delivered(interaction.delete_original_response)
        return
    whole = Reply(answer.text or answer.notice, rows=answer.rows or (), picture=answer.picture)
    with tolerated("edit"):
        await respond(interaction, whole, text_only_if_refused=False)
        return
    await follow_up(interaction, whole, ephemeral=True)


async def _answered_message(interaction: discord.Interaction[Any]) -> discord.Message | None:
    """Return the message that the button's message answers; None if it is gone, or there is none."""
    reference = interaction.message.reference if interaction.message is not None else None
    known = reference.resolved if reference is not None else None
    return known if isinstance(known, discord.Message) else await _fetched_photo(interaction)


async def _answered_picture(interaction: discord.Interaction[Any]) -> Picture | None:
    """Fetch the first picture of the message that the button's message answers; None if it is gone."""
    message = await _fetched_photo(interaction)
    files = files_in(message) if message is not None else []
    try:
        return await to_fetch(interaction.client.http, files[0]).fetch() if files else None
    except NotFetchedError:
        return None


async def _fetched_photo(interaction: discord.Interaction[Any]) -> discord.Message | None:
    """Fetch the message that the button's message answers as it is now: links in an older copy may have expired.

    A picture that the bot made at a press on its answer leads to that answer, and from there to the photo.
    """
    message, me = interaction.message, interaction.client.user
    for _ in range(MOST_STEPS_TO_PHOTO):
        if message is None or message.author != me:
            break
        source = _source_of(message)
        if source is None:
            return None
        channel = interaction.client.get_partial_messageable(message.channel.id, guild_id=interaction.guild_id)
        try:
            message = await channel.fetch_message(source)
        except TROUBLE as error:
            _log.info("photo_not_there", platform=Platform.DISCORD, **facts_of(error))
            return None
    return message if message is not None and message.author != me else None


def _source_of(message: discord.Message) -> int | None:
    """Return the id of the message that one of the bot's replies to, or on which it was asked for with a button."""
    if message.reference is not None:
        return message.reference.message_id
    cause = message.interaction_metadata
    return cause.interacted_message_id if cause is not None else None
