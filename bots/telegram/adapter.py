"""The Telegram adapter: translates updates to events, and replies to messages, reactions and keyboards."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import ClassVar

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeChat,
    Message,
    Update,
    User,
)
from telegram import Chat as TelegramChat
from telegram.constants import ChatMemberStatus, ChatType, FileSizeLimit
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError
from telegram.ext import (
    AIORateLimiter,
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    Updater,
    filters,
)

from bots.adapter import AdapterError
from bots.admin import texts as admin_texts
from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.messages import AdminCommand, AdminCommandName, Command, CommandName, PhotoMessage, Picture, Reply, Tap
from bots.serving.backoff import restarts
from bots.serving.supervision import BackgroundTasks
from bots.telegram.albums import QUIET_S, Gatherer
from bots.telegram.sending import (
    ALLOWED_REACTIONS,
    REFUSALS,
    follow,
    picture_in,
    put_in_place_of,
    react,
    say,
    send,
    send_made,
    show_tap,
    show_whole,
)
from db import Chat, Person, Platform

_COMMANDS = {"emoji": texts.TELEGRAM_EMOJI, "emoji_me": texts.EMOJI_ME_COMMAND, **texts.COMMANDS}
_OF_CHAT_ADMINISTRATORS = CommandName.CHAT_SETTINGS.value
"""The command that only a chat's administrators have in their menu."""

_LIBRARY_TASKS = (":polling_task", ":update_fetcher")
"""Suffixes of the names of python-telegram-bot's lasting tasks."""

_TOKEN = re.compile(r"\d+:[\w-]+")
_log = structlog.get_logger()


class TelegramAdapter:
    """Serves by long polling; a selfie sent while the bot was down is still answered."""

    name: ClassVar[Platform] = Platform.TELEGRAM
    allowed_reactions: ClassVar[frozenset[str] | None] = ALLOWED_REACTIONS

    def __init__(self, service: EmojiService, token: str, *, api_url: str = "", album_quiet_s: float = QUIET_S) -> None:
        """Configure the adapter.

        api_url: a Bot API server other than Telegram's own, as `http://host:port`. album_quiet_s: the seconds without a
        new photo after which an album counts as complete.
        """
        self._service = service
        self._albums = Gatherer(album_quiet_s, self._answer)
        self._following = BackgroundTasks()
        if not _TOKEN.fullmatch(token):
            raise AdapterError(_REFUSED)
        self._application = self._build(token, api_url)

    async def run(self) -> None:
        """Serve until cancelled. Raise `AdapterError` if Telegram refuses the token, now or later on."""
        await self._connect()
        application, updater = self._application, self._application.updater
        assert updater is not None
        async with AsyncExitStack() as stack:  # each step of the end is tried, whatever the others raise
            stack.push_async_callback(application.shutdown)
            await application.start()
            stack.push_async_callback(application.stop)
            stack.push_async_callback(self._following.cancel)
            await updater.start_polling(allowed_updates=[Update.MESSAGE, Update.CALLBACK_QUERY], bootstrap_retries=-1)
            stack.push_async_callback(_stop_polling, updater)
            with suppress(TelegramError):
                await _publish_commands(application.bot, self._service.admins.on(self.name))
            _log.info("adapter_open", adapter=self.name)
            try:
                await _polling_ended()
            except InvalidToken as error:
                raise AdapterError(_REFUSED) from error

    async def _connect(self) -> None:
        """Log in to Telegram; wait for the network as long as it takes."""

        def tell(error: BaseException, pause_s: float) -> None:
            _log.warning("telegram_unreachable", retry_in_s=pause_s, reason=type(error).__name__)

        try:
            async for attempt in restarts(lambda error: isinstance(error, NetworkError), tell):
                with attempt:
                    await self._application.initialize()
        except InvalidToken as error:
            raise AdapterError(_REFUSED) from error

    def _build(self, token: str, api_url: str) -> Application:  # type: ignore[type-arg]
        builder = ApplicationBuilder().token(token).concurrent_updates(True)
        builder = builder.rate_limiter(AIORateLimiter(max_retries=3))  # type: ignore[arg-type]  # its stubs differ
        if api_url:
            builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
        application = builder.build()
        for name in CommandName:
            application.add_handler(CommandHandler(name.value, self._on_command))
        for admin_name in AdminCommandName:
            handler = CommandHandler(admin_name.value, self._on_admin_command, filters.UpdateType.MESSAGE)
            application.add_handler(handler)
        pictures = filters.PHOTO | filters.Document.IMAGE | filters.VIDEO_NOTE
        application.add_handler(CommandHandler("emoji", self._on_emoji, filters.UpdateType.MESSAGE))
        application.add_handler(CommandHandler("emoji_me", self._on_emoji_me, filters.UpdateType.MESSAGE))
        application.add_handler(MessageHandler(pictures & filters.UpdateType.MESSAGE, self._on_picture))
        application.add_handler(CallbackQueryHandler(self._on_tap))
        application.add_handler(MessageHandler(filters.ChatType.PRIVATE & ~filters.COMMAND, self._on_other))
        application.add_error_handler(_on_error)
        return application

    async def _on_command(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None or message.text is None:
            return
        await self._answer_command(message, CommandName(_command_in(message.text)))

    async def _answer_command(self, message: Message, name: CommandName) -> None:
        person = _sender(message)
        administers = partial(_administers, message.chat, int(person.id))
        command = Command(person, _chat(message), name, _language(message.from_user), administers)
        await say(message, await self._service.on_command(command))

    async def _on_admin_command(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer in a separate task, because the library waits for its handlers when it stops, and a retraining is
        long.
        """
        message = update.message
        if message is None or message.text is None:
            return
        name, words = AdminCommandName(_command_in(message.text)), message.text.split(maxsplit=1)[1:]
        in_public = message.chat.type != ChatType.PRIVATE
        command = AdminCommand(_sender(message), name, "".join(words), _language(message.from_user), in_public)
        self._following.start("admin_command", follow(message, self._service.on_admin_command(command)))

    async def _explain(self, message: Message, sentence: str, asking: Message, **facts: str) -> None:
        """Reply to a message with one of the adapter's own sentences, in the language of the person who asked."""
        voice = await self._service.voice_for(_sender(asking), _language(asking.from_user))
        await say(message, Reply(voice.say(sentence, **facts)))

    async def _replied_to(self, message: Message, command: str) -> Message | None:
        """Return the message with a picture that a command replies to; None after explaining that there is none."""
        original = message.reply_to_message
        if original is not None and picture_in(original) is not None:
            return original
        await self._explain(message, texts.NO_PHOTO_IN_REPLY, asking=message, command=command)
        return None

    async def _on_emoji(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None:
            return
        original = await self._replied_to(message, "/emoji")
        if original is not None:
            await self._answer([original], asked_by=message)

    async def _on_emoji_me(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None:
            return
        original = await self._replied_to(message, "/emoji_me")
        pictures = await self._fetched([original], asking=message) if original is not None else None
        if pictures is None:
            return
        photo = PhotoMessage(_sender(message), _chat(message), pictures, _language(message.from_user))
        reply = await self._service.on_emoji_me(photo)
        try:
            await send(message, reply)
        except REFUSALS as error:
            _log.info("picture_refused", platform=self.name, reason=str(error))
            await self._explain(message, texts.FAILED, asking=message)

    async def _on_picture(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None or not _is_for_me(message, context.bot):
            return
        if message.media_group_id:
            await self._albums.add((message.chat_id, message.media_group_id), message)
        else:
            await self._answer([message])

    async def _on_other(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is not None:
            await self._answer_command(update.message, CommandName.HELP)

    async def _on_tap(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        if query is None or not isinstance(query.message, Message):
            return
        person = Person(Platform.TELEGRAM, str(query.from_user.id))
        language = _language(query.from_user)
        fetch = partial(self._downloaded, query.message.reply_to_message)
        in_public = query.message.chat.type != ChatType.PRIVATE
        administers = partial(_administers, query.message.chat, query.from_user.id)
        tap = Tap(person, _chat(query.message), query.data or "", language, fetch, in_public, administers)
        answer = await self._service.on_tap(tap)
        notice = answer.notice
        is_extra = answer.picture is not None and not answer.is_whole
        if is_extra and not await send_made(query.message, answer):
            notice = (await self._service.voice_for(person, language)).say(texts.FAILED)
        with suppress(TelegramError):  # too old to be answered; go on with the rest
            await query.answer(notice[:200])
        if answer.is_whole:
            await show_whole(
                query.message, Reply(answer.text or notice, rows=answer.rows or (), picture=answer.picture)
            )
        else:
            await show_tap(query, query.message, answer)

    async def _downloaded(self, original: Message | None) -> Picture | None:
        """Return the picture in a message that was replied to; None if there is none any more."""
        if original is None or picture_in(original) is None:
            return None
        try:
            return await _download(original)
        except (_FileTooLargeError, TelegramError) as error:
            _log.warning("download_failed", platform=self.name, reason=type(error).__name__)
            return None

    async def _answer(self, messages: Sequence[Message], asked_by: Message | None = None) -> None:
        """Answer the photos of one message or album, in reply to the first of them."""
        messages = sorted(messages, key=lambda message: message.message_id)
        asking = asked_by or messages[0]
        pictures = await self._fetched(messages, asking)
        if pictures is None:
            return
        waiting: Message | None = None
        photo = PhotoMessage(_sender(asking), _chat(asking), pictures, _language(asking.from_user), comes_again=True)
        async for reply in self._service.on_photo(photo):
            if waiting is None or not await put_in_place_of(waiting, reply):
                sent = await say(messages[0], reply)
                waiting = sent if reply.waiting else None
            for message, reaction in zip(messages, reply.reactions, strict=False):
                await react(message, reaction)

    async def _fetched(self, messages: Sequence[Message], asking: Message) -> tuple[Picture, ...] | None:
        """Return the pictures of messages; None if that failed, after telling the person who asked."""
        try:
            return tuple([await _download(message) for message in messages])
        except _FileTooLargeError:
            await self._explain(messages[0], texts.FILE_TOO_LARGE, asking)
        except TelegramError as error:
            _log.warning("download_failed", platform=self.name, reason=type(error).__name__)
            await self._explain(messages[0], texts.DOWNLOAD_FAILED, asking)
        return None


class _FileTooLargeError(Exception):
    """Telegram does not let bots download files of this size."""


_REFUSED = "Telegram refused TELEGRAM_TOKEN: copy the token that @BotFather gave you into .env."


async def _polling_ended() -> None:
    """Wait until the library's tasks that fetch updates and hand them on end, which they only do by an error."""
    tasks = [task for task in asyncio.all_tasks() if task.get_name().endswith(_LIBRARY_TASKS)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if not task.cancelled():
            task.result()
    raise ConnectionResetError("Telegram's library no longer fetches updates")


async def _stop_polling(updater: Updater) -> None:
    """Stop polling; where it had ended by an error before, that error has been raised already."""
    with suppress(Exception):
        await updater.stop()


async def _publish_commands(bot: Bot, admins: Iterable[str]) -> None:
    """Publish the commands in all languages; those without a language code apply to all other languages.

    admins: ids of the people who see more commands, once they have written to the bot.
    """
    for language in OWN_NAMES:
        voice = speak(language)
        everything = [BotCommand(name, voice.say(meaning)) for name, meaning in _COMMANDS.items()]
        commands = [command for command in everything if command.command != _OF_CHAT_ADMINISTRATORS]
        code = None if language == "en" else language
        await bot.set_my_commands(commands, language_code=code)
        await bot.set_my_commands(everything, BotCommandScopeAllChatAdministrators(), language_code=code)
        more = [BotCommand(name, meaning) for name, meaning in admin_texts.COMMANDS.items()]
        for admin in admins:
            with suppress(TelegramError):
                await bot.set_my_commands([*commands, *more], BotCommandScopeChat(admin), language_code=code)


def _command_in(text: str) -> str:
    """Return the name of the command at the start of a message."""
    return text.split(maxsplit=1)[0].split("@", maxsplit=1)[0].removeprefix("/").lower()


async def _administers(chat: TelegramChat, person: int) -> bool:
    """Check whether a person administers a chat; an anonymous administrator has the chat's own id."""
    if chat.type == ChatType.PRIVATE or person == chat.id:
        return True
    try:
        member = await chat.get_member(person)
    except TelegramError as error:
        _log.info("member_not_known", platform=Platform.TELEGRAM, reason=type(error).__name__)
        return False
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


def _language(user: User | None) -> str:
    """Return the IETF language tag of a person's app, if Telegram reports it."""
    return (user.language_code or "") if user is not None else ""


def _sender(message: Message) -> Person:
    """Return the sender of a message; an anonymous admin or a channel has the identity of their chat."""
    source: User | None = message.from_user
    speaker = message.sender_chat.id if message.sender_chat is not None else source.id if source else message.chat_id
    return Person(Platform.TELEGRAM, str(speaker))


def _chat(message: Message) -> Chat:
    return Chat(Platform.TELEGRAM, str(message.chat_id))


def _is_for_me(message: Message, bot: Bot) -> bool:
    """Check whether to answer a picture: always in a private chat, in a group if the caption names the bot or has
    /emoji.
    """
    if message.chat.type == ChatType.PRIVATE:
        return True
    words = (message.caption or "").lower().split()
    mine = f"@{bot.username}".lower()
    return mine in words or "/emoji" in words or f"/emoji{mine}" in words


async def _download(message: Message) -> Picture:
    sent = picture_in(message)
    if sent is None:
        raise BadRequest("no picture in this message")
    if (sent.file_size or 0) > FileSizeLimit.FILESIZE_DOWNLOAD:
        raise _FileTooLargeError
    file = await sent.get_file()
    return Picture(bytes(await file.download_as_bytearray()), bool(message.has_media_spoiler))


async def _on_error(_update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    _log.error("telegram_update_failed", reason=repr(context.error), exc_info=context.error)
