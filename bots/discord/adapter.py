"""The Discord adapter: translates messages, commands and button presses to events, and replies back.

It needs no privileged intent: messages sent to the bot directly, messages that mention it and targets of commands are
readable without one (https://discord.com/developers/docs/events/gateway#message-content-intent).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import discord
import structlog
from discord import app_commands

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.languages import nearest, speak
from bots.conversation.service import EmojiService
from bots.discord.admin_commands import MANAGERS, admin_commands
from bots.discord.attachments import NotFetchedError, download, files_of, pictures_in
from bots.discord.errors import TROUBLE, tolerated
from bots.discord.sending import (
    TapButton,
    chat_of,
    fitting,
    manages_server,
    permissions_at,
    person_of,
    react,
    say,
    view_of,
)
from bots.messages import Command, CommandName, PhotoMessage, Picture, Reply
from bots.serving.backoff import restarts
from db import Platform

_BAD_TOKEN_CLOSE_CODE = 4004

_REFUSED = "Discord refused DISCORD_TOKEN: copy the bot's token from https://discord.com/developers into .env."

_log = structlog.get_logger()


class DiscordAdapter:
    """Serves through Discord's gateway, with as many shards as Discord recommends."""

    name: ClassVar[Platform] = Platform.DISCORD
    allowed_reactions: ClassVar[frozenset[str] | None] = None

    def __init__(self, service: EmojiService, token: str) -> None:
        self._service = service
        self._token = token

    async def run(self) -> None:
        """Serve until cancelled. Raises `AdapterError` where Discord refuses the token."""

        def tell(error: BaseException, pause_s: float) -> None:
            _log.warning("discord_unreachable", retry_in_s=pause_s, reason=type(error).__name__)

        async for attempt in restarts(lambda error: isinstance(error, TROUBLE), tell):
            with attempt:
                await self._connect()

    async def _connect(self) -> None:
        """Serve until the connection is lost for good.

        Raise `AdapterError` if Discord refuses the token, and an error of `TROUBLE` where it may be tried again.
        """
        try:
            async with EmojiClient(self._service) as client:
                await client.start(self._token)
        except TROUBLE as error:
            if _is_bad_token(error):
                raise AdapterError(_REFUSED) from error
            raise
        raise ConnectionResetError("the connection was closed")


class EmojiClient(discord.AutoShardedClient):
    """A connection to Discord, without a message cache. It is replaced by a new one if it is lost permanently."""

    def __init__(self, service: EmojiService, shard_count: int | None = None) -> None:
        """Set up the client. shard_count: None for Discord's recommendation."""
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            shard_count=shard_count,
        )
        self.service = service
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        """Register the buttons of old messages, and publish the commands if they have changed."""
        self.add_dynamic_items(TapButton)
        self.tree.add_command(_emoji)
        self.tree.add_command(_emoji_me)
        self.tree.add_command(_suggest_emoji)
        for name in (CommandName.HELP, CommandName.SETTINGS, CommandName.PRIVACY, CommandName.FORGET_ME):
            self.tree.add_command(_plain_command(name))
        self.tree.add_command(_plain_command(CommandName.CHAT_SETTINGS, for_managers=True))
        for command in admin_commands():
            self.tree.add_command(command)
        translator = CommandTranslator()
        await self.tree.set_translator(translator)
        with tolerated("publish_commands"):
            commands = self.tree.get_commands()
            wanted = [await command.get_translated_payload(self.tree, translator) for command in commands]
            if set(map(_facts, await self._published_commands())) != set(map(_facts, wanted)):
                await self.tree.sync()
                _log.info("commands_published", platform=Platform.DISCORD)

    async def on_ready(self) -> None:
        """Log that the bot is connected; repeated after a lost connection."""
        _log.info("adapter_open", adapter=DiscordAdapter.name)

    async def on_message(self, message: discord.Message) -> None:
        """Answer direct messages and messages that mention the bot."""
        is_direct = message.guild is None
        is_for_me = is_direct or self._me in {user.id for user in message.mentions}
        if not is_for_me or message.author.bot or message.is_system() or not _may_speak(message):
            return
        if pictures_in(message):
            await self._answer(message, asked_by=message.author)
        elif is_direct:
            person, chat = person_of(message.author), chat_of(message.channel.id)
            command = Command(person, chat, CommandName.HELP, _language(message))
            await say(message, await self.service.on_command(command))
        elif self._me in message.raw_mentions:  # a reply to the bot mentions it too, but is no request
            await self._answer_mention(message)

    @property
    def _me(self) -> int:
        assert self.user is not None  # set at login
        return self.user.id

    async def _published_commands(self) -> list[Mapping[str, Any]]:
        """Return the published commands with their translations, which `CommandTree.fetch_commands` omits.

        See https://discord.com/developers/docs/interactions/application-commands#get-global-application-commands.
        """
        route = discord.http.Route("GET", "/applications/{application_id}/commands", application_id=self.application_id)
        published: list[Mapping[str, Any]] = await self.http.request(route, params={"with_localizations": "true"})
        return published

    async def _explain(self, message: discord.Message, sentence: str, asked_by: discord.abc.User) -> None:
        """Reply to a message with one of the adapter's own sentences, in the language of the person who asked."""
        voice = await self.service.voice_for(person_of(asked_by), _language(message))
        await say(message, Reply(voice.say(sentence)))

    async def _answer_mention(self, message: discord.Message) -> None:
        """Answer the picture in the message that a mention without one replies to, as far as the bot can see it."""
        original = message.reference.resolved if message.reference is not None else None
        if not isinstance(original, discord.Message) or original.author.id == self._me:
            await self._explain(message, texts.MENTIONED_WITHOUT_PHOTO, message.author)
        elif not pictures_in(original):
            await self._explain(message, texts.NO_PHOTO_SEEN_IN_REPLY, message.author)
        else:
            await self._answer(original, asked_by=message.author)

    async def _answer(self, message: discord.Message, asked_by: discord.abc.User) -> None:
        """Answer the pictures of a message, in reply to it."""
        try:
            pictures = await download(pictures_in(message))
        except NotFetchedError as error:
            await self._explain(message, str(error), asked_by)
            return
        sent: discord.Message | None = None
        language = _language(message)
        is_quoted = permissions_at(message).read_message_history
        photo = PhotoMessage(
            person_of(asked_by), chat_of(message.channel.id), pictures, language, comes_again=is_quoted
        )
        async for reply in self.service.on_photo(photo):
            if sent is None:
                sent = await say(message, reply)
            else:
                with tolerated("edit"):
                    files = files_of(reply.picture) if permissions_at(message).attach_files else []
                    await sent.edit(content=fitting(reply.text), view=view_of(reply.rows), attachments=files)
            await react(message, reply)


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
async def _emoji(interaction: discord.Interaction[EmojiClient], photo: discord.Attachment) -> None:
    with tolerated("command"):
        await interaction.response.defer(thinking=True)
        await _answer_interaction(interaction, [photo], in_public=True)


@app_commands.command(name="emoji_me", description=app_commands.locale_str(texts.EMOJI_ME_COMMAND))
@app_commands.describe(photo=app_commands.locale_str(texts.DISCORD_EMOJI_PHOTO))
async def _emoji_me(interaction: discord.Interaction[EmojiClient], photo: discord.Attachment) -> None:
    with tolerated("command"):
        await interaction.response.defer(thinking=True)
        try:
            pictures = await download([photo])
        except NotFetchedError as error:
            await _explain_in_answer(interaction, str(error))
            return
        reply = await interaction.client.service.on_emoji_me(_photo(interaction, pictures))
        try:
            await interaction.edit_original_response(content=fitting(reply.text), attachments=files_of(reply.picture))
        except discord.Forbidden:
            await _explain_in_answer(interaction, texts.FAILED)


@app_commands.context_menu(name=app_commands.locale_str(texts.SUGGEST_EMOJI))
async def _suggest_emoji(interaction: discord.Interaction[EmojiClient], message: discord.Message) -> None:
    with tolerated("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        pictures = pictures_in(message)
        if pictures:
            await _answer_interaction(interaction, pictures, in_public=False)
        else:
            await _explain_in_answer(interaction, texts.NO_PHOTO_IN_MESSAGE)


def _plain_command(name: CommandName, *, for_managers: bool = False) -> app_commands.Command[Any, ..., None]:
    """Return a command that the service answers privately. for_managers: hidden from others in a server."""

    async def answer(interaction: discord.Interaction[EmojiClient]) -> None:
        with tolerated("command"):
            await interaction.response.defer(thinking=True, ephemeral=True)
            chat, language = chat_of(interaction.channel_id), str(interaction.locale)
            administers = partial(manages_server, interaction)
            command = Command(person_of(interaction.user), chat, name, language, administers)
            reply = await interaction.client.service.on_command(command)
            await interaction.edit_original_response(content=fitting(reply.text), view=view_of(reply.rows))

    description = app_commands.locale_str(texts.COMMANDS[name.value])
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name.value, description=description, callback=answer
    )
    command.default_permissions = MANAGERS if for_managers else None
    return command


def _facts(command: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the user-visible parts of a command; if they are unchanged it need not be published."""
    options = command.get("options") or ()
    shown = tuple((*_words(each), each["type"], each.get("required", False), _choices(each)) for each in options)
    permissions = command.get("default_member_permissions")
    return command["type"], _words(command), shown, None if permissions is None else int(permissions)


def _choices(option: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple((each["name"], each["value"]) for each in option.get("choices") or ())


def _words(command: Mapping[str, Any]) -> tuple[object, ...]:
    """Return name and description of a command or an option, in all languages."""
    translations = (command.get(f"{part}_localizations") or {} for part in ("name", "description"))
    return command["name"], command.get("description", ""), *(tuple(sorted(each.items())) for each in translations)


async def _answer_interaction(
    interaction: discord.Interaction[EmojiClient], attachments: Sequence[discord.Attachment], *, in_public: bool
) -> None:
    """Answer the attachments of a command. in_public: everyone sees the answer.

    Others do not see what was attached to a command, so a public answer does not include a picture of it.
    """
    try:
        pictures = await download(attachments)
    except NotFetchedError as error:
        await _explain_in_answer(interaction, str(error))
        return
    async for reply in interaction.client.service.on_photo(_photo(interaction, pictures)):
        text, files = fitting(reply.text), files_of(None if in_public else reply.picture)
        try:
            await interaction.edit_original_response(content=text, view=view_of(reply.rows), attachments=files)
        except discord.Forbidden:  # files may be forbidden where text is allowed
            await interaction.edit_original_response(content=text, view=view_of(reply.rows), attachments=[])


def _photo(interaction: discord.Interaction[Any], pictures: tuple[Picture, ...]) -> PhotoMessage:
    """Build the message of a command. Its answer replies to no message, so the pictures cannot be fetched again."""
    return PhotoMessage(person_of(interaction.user), chat_of(interaction.channel_id), pictures, str(interaction.locale))


async def _explain_in_answer(interaction: discord.Interaction[EmojiClient], sentence: str) -> None:
    """Answer a command with one of the adapter's own sentences."""
    voice = await interaction.client.service.voice_for(person_of(interaction.user), str(interaction.locale))
    await interaction.edit_original_response(content=voice.say(sentence))


def _may_speak(message: discord.Message) -> bool:
    permissions = permissions_at(message)
    in_thread = isinstance(message.channel, discord.Thread)
    return permissions.send_messages_in_threads if in_thread else permissions.send_messages


def _language(message: discord.Message) -> str:
    """Return the language of the message's server; unknown for direct messages."""
    return str(message.guild.preferred_locale) if message.guild is not None else ""


def _is_bad_token(error: Exception) -> bool:
    if isinstance(error, discord.ConnectionClosed):
        return error.code == _BAD_TOKEN_CLOSE_CODE
    return isinstance(error, discord.LoginFailure) or (isinstance(error, discord.HTTPException) and error.status == 401)
