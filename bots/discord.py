"""The Discord door: translates messages, commands and presses to events, and replies to messages, reactions, buttons.

It needs no privileged intent: what is sent to the bot, what mentions it and what a command is used on may be read
without one (https://discord.com/developers/docs/events/gateway#message-content-intent).
"""

import asyncio
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import aiohttp
import discord
import structlog
from discord import app_commands, ui

from bots import admin_texts, texts
from bots.door import DoorError
from bots.events import (
    AdminCommand,
    AdminCommandName,
    Button,
    Command,
    CommandName,
    Form,
    MadePicture,
    Photo,
    Picture,
    Reply,
    Tap,
    TapReply,
    Tone,
)
from bots.languages import nearest, speak
from bots.service import EmojiService
from db import Chat, Person

MAX_FILE_BYTES = 20 * 2**20
MAX_PICTURES = 10
MAX_TEXT = 2000
"""Characters a message may have (https://discord.com/developers/docs/resources/message#create-message)."""

_BAD_TOKEN_CLOSE_CODE = 4004
_MOST_RECONNECT_S = 60.0
_MANAGERS = discord.Permissions(manage_guild=True)
"""Whom Discord shows the commands of admins and for a server's settings; who may use them is the service's to say."""
_PICTURE_ENDINGS = (".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_STYLES = {
    Tone.PLAIN: discord.ButtonStyle.secondary,
    Tone.CHOSEN: discord.ButtonStyle.success,
    Tone.QUIET: discord.ButtonStyle.secondary,
}

_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)
_REFUSED = "Discord refused DISCORD_TOKEN: copy the bot's token from https://discord.com/developers into .env."

_log = structlog.get_logger()


class DiscordDoor:
    """Serves through Discord's gateway, as many shards as Discord asks for."""

    name = "discord"

    def __init__(self, service: EmojiService, token: str) -> None:
        self._service = service
        self._token = token

    async def run(self) -> None:
        """Serve until cancelled. Raises `DoorError` where Discord refuses the token."""
        pause = 1.0
        while True:
            try:
                async with EmojiClient(self._service) as client:
                    await client.start(self._token)
            except _TROUBLE as error:
                if _is_bad_token(error):
                    raise DoorError(_REFUSED) from error
                _log.warning("discord_unreachable", retry_in_s=pause, reason=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MOST_RECONNECT_S)


class EmojiClient(discord.AutoShardedClient):
    """A connection to Discord; a new one is made where it is lost for good. It keeps no messages."""

    def __init__(self, service: EmojiService, shard_count: int | None = None) -> None:
        """shard_count: None lets Discord say how many."""
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            shard_count=shard_count,
        )
        self.service = service
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        """Make old buttons work, and publish the commands where they have changed."""
        self.add_dynamic_items(TapButton)
        self.tree.add_command(_emoji)
        self.tree.add_command(_emoji_me)
        self.tree.add_command(_suggest_emoji)
        for name in (CommandName.HELP, CommandName.SETTINGS, CommandName.PRIVACY, CommandName.FORGET_ME):
            self.tree.add_command(_plain_command(name))
        self.tree.add_command(_plain_command(CommandName.CHAT_SETTINGS, for_managers=True))
        for admin_name in (AdminCommandName.REVIEW, AdminCommandName.MODELS, AdminCommandName.ROLLBACK):
            self.tree.add_command(_admin_command(admin_name))
        self.tree.add_command(_retrain)
        self.tree.add_command(_promote)
        translator = CommandTranslator()
        await self.tree.set_translator(translator)
        with _tolerated("publish_commands"):
            commands = self.tree.get_commands()
            wanted = [await command.get_translated_payload(self.tree, translator) for command in commands]
            if set(map(_facts, await self._published_commands())) != set(map(_facts, wanted)):
                await self.tree.sync()
                _log.info("commands_published", platform="discord")

    async def on_ready(self) -> None:
        """Tell the operator; it is said again after a lost connection."""
        _log.info("door_open", door=DiscordDoor.name)

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is sent to the bot directly, and what mentions it."""
        is_direct = message.guild is None
        is_for_me = is_direct or self._me in {user.id for user in message.mentions}
        if not is_for_me or message.author.bot or message.is_system() or not _may_speak(message):
            return
        if _pictures_in(message):
            await self._answer(message, asked_by=message.author)
        elif is_direct:
            person, chat = _person(message.author), _chat(message.channel.id)
            command = Command(person, chat, CommandName.HELP, _language(message))
            await _say(message, await self.service.on_command(command))
        elif self._me in message.raw_mentions:  # a mere reply to the bot mentions it too, but asks for nothing
            await self._answer_mention(message)

    @property
    def _me(self) -> int:
        assert self.user is not None  # known since the login
        return self.user.id

    async def _published_commands(self) -> list[Mapping[str, Any]]:
        """The commands as Discord has them, with their translations, which `CommandTree.fetch_commands` leaves out
        (https://discord.com/developers/docs/interactions/application-commands#get-global-application-commands)."""
        route = discord.http.Route("GET", "/applications/{application_id}/commands", application_id=self.application_id)
        published: list[Mapping[str, Any]] = await self.http.request(route, params={"with_localizations": "true"})
        return published

    async def _explain(self, message: discord.Message, sentence: str, asked_by: discord.abc.User) -> None:
        """Say one of the door's own sentences, in reply to a message, to whoever asked."""
        voice = await self.service.voice_for(_person(asked_by), _language(message))
        await _say(message, Reply(voice.say(sentence)))

    async def _answer_mention(self, message: discord.Message) -> None:
        """Answer for the picture that a mention without one replies to, as far as Discord lets the bot see it."""
        original = message.reference.resolved if message.reference is not None else None
        if not isinstance(original, discord.Message) or original.author.id == self._me:
            await self._explain(message, texts.MENTIONED_WITHOUT_PHOTO, message.author)
        elif not _pictures_in(original):
            await self._explain(message, texts.NO_PHOTO_SEEN_IN_REPLY, message.author)
        else:
            await self._answer(original, asked_by=message.author)

    async def _answer(self, message: discord.Message, asked_by: discord.abc.User) -> None:
        """Answer the pictures of a message, in reply to it."""
        try:
            pictures = await _download(_pictures_in(message))
        except _NotFetchedError as error:
            await self._explain(message, str(error), asked_by)
            return
        sent: discord.Message | None = None
        language = _language(message)
        is_quoted = _permissions(message).read_message_history
        photo = Photo(_person(asked_by), _chat(message.channel.id), pictures, language, comes_again=is_quoted)
        async for reply in self.service.on_photo(photo):
            if sent is None:
                sent = await _say(message, reply)
            else:
                with _tolerated("edit"):
                    files = _files(reply.picture) if _permissions(message).attach_files else []
                    await sent.edit(content=_fitting(reply.text), view=_view(reply.rows), attachments=files)
            await _react(message, reply)


class TapButton(ui.DynamicItem[ui.Button[ui.View]], template=r"mugmoji:(?P<token>[!-~]{1,64})"):
    """A button that works for as long as its message is there: all it needs is in its custom_id."""

    def __init__(self, token: str, button: ui.Button[ui.View]) -> None:
        super().__init__(button)
        self._token = token

    @classmethod
    def showing(cls, button: Button, row: int) -> "TapButton":
        """The service's button, in a row of 0 to 4.

        Its emoji goes on the label: Discord refuses a whole message for one `emoji` that is newer than its own list.
        """
        custom_id = f"mugmoji:{button.token}"
        return cls(
            button.token, ui.Button(label=button.label, style=_STYLES[button.tone], custom_id=custom_id, row=row)
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> "TapButton":
        """The button again, from what came back when it was pressed."""
        assert isinstance(item, ui.Button)
        return cls(match["token"], item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the tap to the service and show what it says."""
        service: EmojiService = interaction.client.service
        with _tolerated("tap"):
            await interaction.response.defer()
            language = str(interaction.locale)
            fetch = partial(_answered_picture, interaction)
            person, chat = _person(interaction.user), _chat(interaction.channel_id)
            message, administers = interaction.message, partial(_administers, interaction)
            in_public = interaction.guild_id is not None and not (message is not None and message.flags.ephemeral)
            tap = Tap(person, chat, self._token, language, fetch, in_public, administers)
            await _show_tap(interaction, await service.on_tap(tap))


class CommandTranslator(app_commands.Translator):
    """What commands say of themselves, in those of Discord's languages that the bot speaks besides English."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        _context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The sentence of `texts` in a language, or None where Discord shall show it in English."""
        language = nearest(locale.value)
        return speak(language).say(string.message) if language != "en" else None


@app_commands.command(name="emoji", description=app_commands.locale_str(texts.DISCORD_EMOJI))
@app_commands.describe(photo=app_commands.locale_str(texts.DISCORD_EMOJI_PHOTO))
async def _emoji(interaction: discord.Interaction[EmojiClient], photo: discord.Attachment) -> None:
    with _tolerated("command"):
        await interaction.response.defer(thinking=True)
        await _answer_interaction(interaction, [photo], in_public=True)


@app_commands.command(name="emoji_me", description=app_commands.locale_str(texts.EMOJI_ME_COMMAND))
@app_commands.describe(photo=app_commands.locale_str(texts.DISCORD_EMOJI_PHOTO))
async def _emoji_me(interaction: discord.Interaction[EmojiClient], photo: discord.Attachment) -> None:
    with _tolerated("command"):
        await interaction.response.defer(thinking=True)
        try:
            pictures = await _download([photo])
        except _NotFetchedError as error:
            await _explain_in_answer(interaction, str(error))
            return
        reply = await interaction.client.service.on_emoji_me(_photo(interaction, pictures))
        try:
            await interaction.edit_original_response(content=_fitting(reply.text), attachments=_files(reply.picture))
        except discord.Forbidden:
            await _explain_in_answer(interaction, texts.FAILED)


@app_commands.context_menu(name=app_commands.locale_str(texts.SUGGEST_EMOJI))
async def _suggest_emoji(interaction: discord.Interaction[EmojiClient], message: discord.Message) -> None:
    with _tolerated("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        pictures = _pictures_in(message)
        if pictures:
            await _answer_interaction(interaction, pictures, in_public=False)
        else:
            await _explain_in_answer(interaction, texts.NO_PHOTO_IN_MESSAGE)


def _plain_command(name: CommandName, *, for_managers: bool = False) -> app_commands.Command[Any, ..., None]:
    """A command that the service answers by itself, privately. for_managers: others do not see it in a server."""

    async def answer(interaction: discord.Interaction[EmojiClient]) -> None:
        with _tolerated("command"):
            await interaction.response.defer(thinking=True, ephemeral=True)
            chat, language = _chat(interaction.channel_id), str(interaction.locale)
            administers = partial(_administers, interaction)
            command = Command(_person(interaction.user), chat, name, language, administers)
            reply = await interaction.client.service.on_command(command)
            await interaction.edit_original_response(content=_fitting(reply.text), view=_view(reply.rows))

    description = app_commands.locale_str(texts.COMMANDS[name.value])
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name.value, description=description, callback=answer
    )
    command.default_permissions = _MANAGERS if for_managers else None
    return command


def _admin_command(name: AdminCommandName) -> app_commands.Command[Any, ..., None]:
    """A command for admins, without options."""

    async def answer(interaction: discord.Interaction[EmojiClient]) -> None:
        await _answer_admin(interaction, name)

    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name.value, description=admin_texts.COMMANDS[name.value], callback=answer, auto_locale_strings=False
    )
    command.default_permissions = _MANAGERS
    return command


@app_commands.command(name="retrain", description=admin_texts.COMMANDS["retrain"], auto_locale_strings=False)
@app_commands.describe(depth=admin_texts.DEPTH_OPTION)
@app_commands.default_permissions(_MANAGERS)
async def _retrain(interaction: discord.Interaction[EmojiClient], depth: Literal["adapt", "full"] = "adapt") -> None:
    await _answer_admin(interaction, AdminCommandName.RETRAIN, depth)


@app_commands.command(name="promote", description=admin_texts.COMMANDS["promote"], auto_locale_strings=False)
@app_commands.describe(version=admin_texts.VERSION_OPTION, reason=admin_texts.REASON_OPTION)
@app_commands.default_permissions(_MANAGERS)
async def _promote(interaction: discord.Interaction[EmojiClient], version: str, reason: str = "") -> None:
    await _answer_admin(interaction, AdminCommandName.PROMOTE, f"{version} {reason}")


async def _answer_admin(interaction: discord.Interaction[EmojiClient], name: AdminCommandName, words: str = "") -> None:
    """Answer a command of an admin, whatever they see of it to themselves; each reply takes the place of the one
    before."""
    with _tolerated("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        command = AdminCommand(_person(interaction.user), name, words, str(interaction.locale))
        direct: discord.Message | None = None
        async for reply in interaction.client.service.on_admin_command(command):
            direct = await _replace_answer(interaction, reply, direct)


async def _replace_answer(
    interaction: discord.Interaction[EmojiClient], reply: Reply, direct: discord.Message | None
) -> discord.Message | None:
    """Show a reply in the answer to a command, for as long as Discord lets that be edited (15 minutes: less than a long
    retraining), then in a direct message. direct: that message, and gives it."""
    text = _fitting(reply.text)
    if direct is None:
        with _tolerated("edit"):
            files = _files(reply.picture)
            await interaction.edit_original_response(content=text, view=_view(reply.rows), attachments=files)
            return None
    with _tolerated("direct_message"):
        if direct is None:
            return await interaction.user.send(text, view=_view(reply.rows), files=_files(reply.picture))
        await direct.edit(content=text, view=_view(reply.rows), attachments=_files(reply.picture))
    return direct


async def _administers(interaction: discord.Interaction[Any]) -> bool:
    """Whether someone may change what a server's channels are like; a direct message is their own."""
    return interaction.guild_id is None or interaction.permissions.manage_guild


def _facts(command: Mapping[str, Any]) -> tuple[object, ...]:
    """What people see of a command: if this is the same, it needs no publishing."""
    options = command.get("options") or ()
    shown = tuple((*_words(each), each["type"], each.get("required", False), _choices(each)) for each in options)
    permissions = command.get("default_member_permissions")
    return command["type"], _words(command), shown, None if permissions is None else int(permissions)


def _choices(option: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple((each["name"], each["value"]) for each in option.get("choices") or ())


def _words(command: Mapping[str, Any]) -> tuple[object, ...]:
    """Name and description of a command or an option, in every language."""
    translations = (command.get(f"{part}_localizations") or {} for part in ("name", "description"))
    return command["name"], command.get("description", ""), *(tuple(sorted(each.items())) for each in translations)


async def _answer_interaction(
    interaction: discord.Interaction[EmojiClient], attachments: Sequence[discord.Attachment], *, in_public: bool
) -> None:
    """Answer what a command was given. in_public: everyone sees the answer; what was attached to a command they do not,
    so that a picture of it stays away."""
    try:
        pictures = await _download(attachments)
    except _NotFetchedError as error:
        await _explain_in_answer(interaction, str(error))
        return
    async for reply in interaction.client.service.on_photo(_photo(interaction, pictures)):
        text, files = _fitting(reply.text), _files(None if in_public else reply.picture)
        try:
            await interaction.edit_original_response(content=text, view=_view(reply.rows), attachments=files)
        except discord.Forbidden:  # where files are forbidden, words are not
            await interaction.edit_original_response(content=text, view=_view(reply.rows), attachments=[])


def _photo(interaction: discord.Interaction[Any], pictures: tuple[Picture, ...]) -> Photo:
    """What a command was given. Its answer replies to no message, so that the pictures do not come again."""
    return Photo(_person(interaction.user), _chat(interaction.channel_id), pictures, str(interaction.locale))


async def _explain_in_answer(interaction: discord.Interaction[EmojiClient], sentence: str) -> None:
    """Say one of the door's own sentences in answer to a command."""
    voice = await interaction.client.service.voice_for(_person(interaction.user), str(interaction.locale))
    await interaction.edit_original_response(content=voice.say(sentence))


async def _show_whole(interaction: discord.Interaction[Any], answer: TapReply) -> None:
    """Make the button's message show something else, or show it in a new one where that is refused."""
    text, rows = _fitting(answer.text or answer.notice), answer.rows or ()
    with _tolerated("edit"):
        files = _files(answer.picture)
        await interaction.edit_original_response(content=text, view=_view(rows), attachments=files)
        return
    await interaction.followup.send(text, view=_view(rows), files=_files(answer.picture), ephemeral=True)


async def _show_tap(interaction: discord.Interaction[Any], answer: TapReply) -> None:
    if answer.is_whole:
        await _show_whole(interaction, answer)
        return
    if answer.text is not None or answer.rows is not None:
        await interaction.edit_original_response(
            content=discord.utils.MISSING if answer.text is None else _fitting(answer.text),
            view=discord.utils.MISSING if answer.rows is None else _view(answer.rows),
        )
    if answer.picture is not None:
        try:
            await interaction.followup.send(answer.notice, files=_files(answer.picture))
        except discord.Forbidden:
            voice = await interaction.client.service.voice_for(_person(interaction.user), str(interaction.locale))
            await interaction.followup.send(voice.say(texts.FAILED), ephemeral=True)
    elif answer.text is None and not answer.is_obvious:
        await interaction.followup.send(answer.notice, ephemeral=True)
    if answer.reaction is not None:
        await _replace_reaction(interaction, answer.reaction)


async def _answered_picture(interaction: discord.Interaction[Any]) -> Picture | None:
    """The first picture of the message that a button's message replies to; None where it is not there (any more)."""
    reference = interaction.message.reference if interaction.message is not None else None
    if reference is None or reference.message_id is None:
        return None
    try:
        channel = interaction.client.get_partial_messageable(reference.channel_id, guild_id=reference.guild_id)
        pictures = await _download(_pictures_in(await channel.fetch_message(reference.message_id))[:1])
    except (_NotFetchedError, *_TROUBLE) as error:
        _log.info("photo_not_there", platform="discord", reason=type(error).__name__)
        return None
    return next(iter(pictures), None)


def _files(picture: MadePicture | None) -> list[discord.File]:
    """A picture as an attachment."""
    if picture is None:
        return []
    name = "sticker.png" if picture.form is Form.STICKER else "faces.jpg"
    return [discord.File(io.BytesIO(picture.content), name)]


async def _replace_reaction(interaction: discord.Interaction[Any], emoji: str) -> None:
    """React anew to the photo that the answer replied to; a private answer leaves no trace in the channel."""
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


class _NotFetchedError(Exception):
    """The pictures could not be fetched; the message is the sentence of `texts` for whoever sent them."""


async def _download(attachments: Sequence[discord.Attachment]) -> tuple[Picture, ...]:
    """Read the files at once, because their links expire."""
    if any(attachment.size > MAX_FILE_BYTES for attachment in attachments):
        raise _NotFetchedError(texts.FILE_TOO_LARGE)
    try:
        return tuple([Picture(await each.read(), is_clip=_is_clip(each)) for each in attachments])
    except _TROUBLE as error:
        _log.warning("download_failed", platform="discord", reason=type(error).__name__)
        raise _NotFetchedError(texts.DOWNLOAD_FAILED) from error


def _pictures_in(message: discord.Message) -> list[discord.Attachment]:
    """The attachments to read, those of a forwarded message included."""
    forwarded = (attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments)
    attachments = (*message.attachments, *forwarded)
    return [each for each in attachments if _is_picture(each) or _is_clip(each)][:MAX_PICTURES]


def _is_picture(attachment: discord.Attachment) -> bool:
    """Discord does not know the type of every picture; a phone's .heic comes with none."""
    kind = attachment.content_type or "application/octet-stream"
    if kind == "application/octet-stream":
        return attachment.filename.lower().endswith(_PICTURE_ENDINGS)
    return kind.startswith("image/")


def _is_clip(attachment: discord.Attachment) -> bool:
    return (attachment.content_type or "").startswith("video/")


async def _say(message: discord.Message, reply: Reply) -> discord.Message | None:
    """Reply to a message, or, where it was deleted meanwhile or may not be quoted, just say it in the channel."""
    text, view = _fitting(reply.text), _view(reply.rows)
    with _tolerated("reply"):
        files = _files(reply.picture) if _permissions(message).attach_files else []
        if not _permissions(message).read_message_history:
            return await message.channel.send(text, view=view, files=files)
        quoted = message.to_reference(fail_if_not_exists=False)
        return await message.channel.send(text, view=view, files=files, reference=quoted, mention_author=False)
    return None


async def _react(message: discord.Message, reply: Reply) -> None:
    """One reaction a message: that of the first picture that has one."""
    emoji = next((reaction for reaction in reply.reactions if reaction is not None), None)
    if emoji is not None and _allows_reactions(_permissions(message)):
        with _tolerated("reaction"):
            await message.add_reaction(emoji)


def _permissions(message: discord.Message) -> discord.Permissions:
    """What the bot may do where a message is: asked before every call, because Discord bans bots that only try."""
    if message.guild is None:
        return discord.Permissions.all()
    try:
        return message.channel.permissions_for(message.guild.me)
    except discord.ClientException:  # a thread in a channel that the bot cannot see
        return discord.Permissions.none()


def _may_speak(message: discord.Message) -> bool:
    permissions = _permissions(message)
    in_thread = isinstance(message.channel, discord.Thread)
    return permissions.send_messages_in_threads if in_thread else permissions.send_messages


def _allows_reactions(permissions: discord.Permissions) -> bool:
    return permissions.view_channel and permissions.read_message_history and permissions.add_reactions


def _language(message: discord.Message) -> str:
    """The language of the server a message is in; of people who write to the bot directly Discord tells none."""
    return str(message.guild.preferred_locale) if message.guild is not None else ""


def _person(user: discord.abc.User) -> Person:
    return Person("discord", str(user.id))


def _chat(channel_id: int | None) -> Chat:
    return Chat("discord", str(channel_id))


def _view(rows: Sequence[Sequence[Button]]) -> ui.View:
    view = ui.View(timeout=None)
    for number, row in enumerate(rows):
        for button in row:
            view.add_item(TapButton.showing(button, number))
    return view


def _fitting(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _is_bad_token(error: Exception) -> bool:
    if isinstance(error, discord.ConnectionClosed):
        return error.code == _BAD_TOKEN_CLOSE_CODE
    return isinstance(error, discord.LoginFailure) or (isinstance(error, discord.HTTPException) and error.status == 401)


@contextmanager
def _tolerated(action: str) -> Iterator[None]:
    """Log what Discord (or the way there) refuses, and go on: it is the operator's to know and no one's to suffer."""
    try:
        yield
    except _TROUBLE as error:
        status, code = getattr(error, "status", None), getattr(error, "code", None)
        _log.warning("discord_refused", action=action, reason=type(error).__name__, status=status, code=code)
