"""Discord's commands for everybody: in servers, in direct messages and, from one's own account, anywhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bots.conversation import texts
from bots.conversation.languages import nearest, speak
from bots.discord.admin_commands import MANAGERS
from bots.discord.asked_commands import answer_once
from bots.discord.errors import losing_no_answer_silently
from bots.discord.files import SentFile, file_of, files_in, may_be_picture, to_fetch
from bots.discord.identity import chat_at, is_guest_at, person_of, sender_of
from bots.discord.sending import note_sent, respond, say_to, send_to
from bots.discord.taps import manages_server
from bots.messages import ChatEmojiCommand, Command, CommandName, PhotoMessage, Reply
from bots.serving.journal import Entry

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu

_EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
_WHERE_A_MEMBER = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
_FOR_ALL = app_commands.AppInstallationType(guild=True, user=True)
_FOR_SERVERS = app_commands.AppInstallationType(guild=True, user=False)
_OWN = (
    CommandName.HELP,
    CommandName.SETTINGS,
    CommandName.PRIVACY,
    CommandName.MY_DATA,
    CommandName.FORGET_ME,
)
"""Commands about a person's own things, answered privately."""


def commands_for_everybody() -> tuple[AnyCommand, ...]:
    """Return the commands, to be added to a command tree."""
    chat_settings = _plain_command(CommandName.CHAT_SETTINGS)
    chat_settings.default_permissions = MANAGERS
    chat_settings.allowed_installs, chat_settings.allowed_contexts = _FOR_SERVERS, _WHERE_A_MEMBER
    own = map(_plain_command, _OWN)
    return (_emoji, _emoji_me, _suggest_emoji, _cover_faces, _play, *own, chat_settings, _chat_emoji)


class CommandTranslator(app_commands.Translator):
    """Translates the commands' descriptions into those of Discord's languages that the bot supports besides English."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        _context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the sentence of `texts` in a language, or None to show it in English."""
        language = nearest(locale.value)
        return speak(language).say(string.message) if language != "en" else None


@app_commands.command(name="emoji", description=app_commands.locale_str(texts.DISCORD_EMOJI))
@app_commands.describe(photo=app_commands.locale_str(texts.DISCORD_EMOJI_PHOTO))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def _emoji(interaction: discord.Interaction[Any], photo: discord.Attachment) -> None:
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True)
        if may_be_picture(photo):  # others do not see what was attached to a command, so nothing shows it
            await _suggest(interaction, _photo(interaction, [file_of(photo)]), shows_pictures=False)
        else:
            await say_to(interaction, texts.PHOTO_PROBLEMS["not_a_picture"])


@app_commands.command(name="emoji_me", description=app_commands.locale_str(texts.EMOJI_ME_COMMAND))
@app_commands.describe(photo=app_commands.locale_str(texts.DISCORD_EMOJI_PHOTO))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def _emoji_me(interaction: discord.Interaction[Any], photo: discord.Attachment) -> None:
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True)
        if may_be_picture(photo):
            await _cover(interaction, _photo(interaction, [file_of(photo)]))
        else:
            await say_to(interaction, texts.PHOTO_PROBLEMS["not_a_picture"])


@app_commands.context_menu(name=app_commands.locale_str(texts.SUGGEST_EMOJI))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def _suggest_emoji(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        if files := files_in(message):
            await _suggest(interaction, _photo(interaction, files, message), shows_pictures=True)
        else:
            await say_to(interaction, texts.NO_PHOTO_IN_MESSAGE)


@app_commands.context_menu(name=app_commands.locale_str(texts.EMOJI_ME_MENU))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def _cover_faces(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        if files := files_in(message):
            await _cover(interaction, _photo(interaction, files, message))
        else:
            await say_to(interaction, texts.NO_PHOTO_IN_MESSAGE)


@app_commands.command(name="play", description=app_commands.locale_str(texts.COMMANDS["play"]))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def _play(interaction: discord.Interaction[Any]) -> None:
    """Start a game: privately for one person or, where the bot may speak in a server, a round of everybody.

    A round is asked for in a message of its own, since the bot is not shown what replies to the answer of a command.
    """
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        service, channel_id = interaction.client.service, interaction.channel_id
        may_speak = interaction.app_permissions.send_messages
        in_public = interaction.guild_id is not None and not is_guest_at(interaction) and may_speak
        reply = await service.on_command(_command(interaction, CommandName.PLAY, in_public=in_public))
        if not reply.game or channel_id is None:
            await respond(interaction, reply)
            return
        sent = await send_to(interaction.client.get_partial_messageable(channel_id), reply)
        await note_sent(service, chat_at(interaction), reply, sent.id)
        await interaction.delete_original_response()


@app_commands.command(name="chat_emoji", description=app_commands.locale_str(texts.CHAT_EMOJI_COMMAND))
@app_commands.describe(
    emoji=app_commands.locale_str(texts.CHAT_EMOJI_EMOJI), means=app_commands.locale_str(texts.CHAT_EMOJI_MEANS)
)
@app_commands.default_permissions(MANAGERS)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def _chat_emoji(interaction: discord.Interaction[Any], emoji: str = "", means: str = "") -> None:
    with losing_no_answer_silently("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        command = ChatEmojiCommand(
            person_of(interaction.user),
            chat_at(interaction),
            f"{emoji} {means}".strip(),
            str(interaction.locale),
            partial(manages_server, interaction),
        )
        await respond(interaction, await interaction.client.service.on_chat_emoji(command))


def _command(interaction: discord.Interaction[Any], name: CommandName, *, in_public: bool = False) -> Command:
    return Command(
        person_of(interaction.user),
        chat_at(interaction),
        name,
        str(interaction.locale),
        partial(manages_server, interaction),
        interaction.client.reads_all_messages,
        in_public,
    )


def _plain_command(name: CommandName) -> app_commands.Command[Any, ..., None]:
    """Return a command that the service answers privately."""

    async def answer(interaction: discord.Interaction[Any]) -> None:
        with losing_no_answer_silently("command"):
            await interaction.response.defer(thinking=True, ephemeral=True)
            await respond(interaction, await interaction.client.service.on_command(_command(interaction, name)))

    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name.value, description=app_commands.locale_str(texts.COMMANDS[name.value]), callback=answer
    )
    command.allowed_installs, command.allowed_contexts = _FOR_ALL, _EVERYWHERE
    return command


async def _suggest(interaction: discord.Interaction[Any], photo: PhotoMessage, *, shows_pictures: bool) -> None:
    """Answer a photo with its emoji. shows_pictures: pictures made from it may be part of the answer."""
    service = interaction.client.service

    async def answer(entry: Entry) -> None:
        async for reply in service.on_photo(replace(photo, forgettings=entry.forgettings)):
            if reply.waiting or await entry.may_send():
                shown = reply if shows_pictures else Reply(reply.text, rows=reply.rows, file=reply.file)
                sent = await respond(interaction, shown)
                await note_sent(service, photo.chat, reply, sent.id)

    await answer_once(interaction, answer)


async def _cover(interaction: discord.Interaction[Any], photo: PhotoMessage) -> None:
    """Answer a photo with one whose faces are covered."""

    async def answer(entry: Entry) -> None:
        reply = await interaction.client.service.on_emoji_me(replace(photo, forgettings=entry.forgettings))
        if not await entry.may_send():
            return
        try:
            await respond(interaction, reply, text_only_if_refused=False)
        except discord.Forbidden:
            await say_to(interaction, texts.FAILED)

    await answer_once(interaction, answer)


def _photo(
    interaction: discord.Interaction[Any], files: Sequence[SentFile], message: discord.Message | None = None
) -> PhotoMessage:
    """Build the message of a command. message: the one with the photo, if it is not attached to the command.

    The answer replies to no message, so the pictures cannot be fetched again.
    """
    return PhotoMessage(
        person_of(interaction.user),
        chat_at(interaction),
        tuple(to_fetch(interaction.client.http, file) for file in files),
        str(interaction.locale),
        sender=sender_of(message, interaction.user) if message is not None else None,
        messages=(str(message.id),) if message is not None else (),
        name=interaction.user.display_name,
        is_new=message is None,
    )


def facts_of_command(command: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the user-visible parts of a command; if they are unchanged it need not be published."""
    options = command.get("options") or ()
    shown = tuple((*_words(each), each["type"], each.get("required", False), _choices(each)) for each in options)
    permissions = command.get("default_member_permissions")
    where = tuple(tuple(sorted(command.get(name) or ())) for name in ("integration_types", "contexts"))
    return command["type"], _words(command), shown, where, None if permissions is None else int(permissions)


def _choices(option: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple((each["name"], each["value"]) for each in option.get("choices") or ())


def _words(command: Mapping[str, Any]) -> tuple[object, ...]:
    """Return name and description of a command or an option, in all languages."""
    translations = (command.get(f"{part}_localizations") or {} for part in ("name", "description"))
    return command["name"], command.get("description", ""), *(tuple(sorted(each.items())) for each in translations)
