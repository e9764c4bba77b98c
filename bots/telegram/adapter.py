"""The Telegram adapter: connects to Telegram, and hands each kind of update to what answers it."""

import re
from contextlib import AsyncExitStack
from functools import partial
from typing import ClassVar

import structlog
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    MessageReactionHandler,
    filters,
)

from bots.adapter import AdapterError
from bots.conversation.service import EmojiService
from bots.messages import (
    AdminCommand,
    AdminCommandName,
    ChatEmojiCommand,
    Command,
    CommandName,
    PeopleReaction,
)
from bots.serving.admission import MOST_IN_ALL, Admission
from bots.serving.backoff import restarts
from bots.serving.supervision import BackgroundTasks
from bots.telegram import identity
from bots.telegram.addressing import command_in
from bots.telegram.admitting import Refusals
from bots.telegram.albums import QUIET_S
from bots.telegram.custom_emoji import CustomEmojiFacts, text_of
from bots.telegram.delivery import Delivery, short
from bots.telegram.inline import InlineAnswers
from bots.telegram.menus import CHAT_EMOJI, FormerAdmins
from bots.telegram.noting import note_sent
from bots.telegram.packs import StickerPacks
from bots.telegram.photos import Photos
from bots.telegram.polling import Polling
from bots.telegram.profile import publish
from bots.telegram.rate_limiter import RateLimiter
from bots.telegram.reactions import ALLOWED_REACTIONS, Reactions
from bots.telegram.sending import Sender
from bots.telegram.sight import Sight
from bots.telegram.source import Source
from bots.telegram.taps import Taps
from bots.telegram.updates import LONGEST_END_S, UpdateProcessor
from db import Chat, Platform

READ_TIMEOUT_S = 20.0
"""Seconds after which an answer of Telegram counts as lost; long, since a message is not repeated after that."""
MOST_AT_ONCE = 2 * MOST_IN_ALL
"""Updates that the library hands on at once: all that are admitted, and those that are just being refused."""
_TOKEN = re.compile(r"\d+:[\w-]+")
_REFUSED = "Telegram refused TELEGRAM_TOKEN: copy the token that @BotFather gave you into .env."
_log = structlog.get_logger()


class TelegramAdapter:
    """Serves one bot; a selfie sent while it was down is still answered."""

    name: ClassVar[Platform] = Platform.TELEGRAM
    allowed_reactions: ClassVar[frozenset[str] | None] = ALLOWED_REACTIONS

    def __init__(  # noqa: PLR0913  # the operator's settings
        self,
        service: EmojiService,
        token: str,
        *,
        source: Source | None = None,
        api_url: str = "",
        album_quiet_s: float = QUIET_S,
        rate_limiter: RateLimiter | None = None,
        stop_after_s: float = LONGEST_END_S,
    ) -> None:
        """Configure the adapter.

        source: where updates come from; None for polling as the only process. api_url: a Bot API server other than
        Telegram's own, as `http://host:port`. album_quiet_s: the seconds without a new photo after which an album
        counts as complete. rate_limiter: keeps Telegram's limits; None for those of `bots.serving.rate_limits`.
        stop_after_s: for how many seconds what is in hand is waited for at the end.
        """
        if not _TOKEN.fullmatch(token):
            raise AdapterError(_REFUSED)
        self._service = service
        self._following = BackgroundTasks()
        self._delivery = Delivery(self._on_move)
        self._sender = Sender(self._delivery)
        self._custom_emoji = CustomEmojiFacts()
        self._packs = StickerPacks(token, self._delivery)
        self._inline = InlineAnswers(service, self._packs)
        self._source = source or Polling()
        refusals = Refusals(service, self._sender, self._following)
        self._updates = UpdateProcessor(MOST_AT_ONCE, Admission(), self._source.settle, refusals.tell, stop_after_s)
        reactions = Reactions(self._delivery, self._following, self._custom_emoji)
        self._begin_photos = partial(
            Photos, service, self._sender, reactions, self._delivery, album_quiet_s, self._source.brings_one_by_one
        )
        self._sight = Sight()
        self._former_admins = FormerAdmins()
        self._taps = Taps(service, self._sender, reactions, self._following, self._sight, self._packs)
        self._build = partial(self._built, token, api_url, rate_limiter or RateLimiter())

    async def run(self) -> None:
        """Serve until cancelled. Raise `AdapterError` if Telegram refuses the token, now or later on."""
        await self._source.while_due(self._serve)

    async def _serve(self) -> None:
        self._begin()
        await self._connect()
        application = self._application
        async with AsyncExitStack() as stack:  # each step of the end is tried, whatever the others raise
            stack.push_async_callback(application.shutdown)
            await application.start()
            stack.push_async_callback(application.stop)
            stack.push_async_callback(self._following.cancel)
            stack.push_async_callback(self._source.give_up)
            stack.push_async_callback(self._updates.end)
            end_of_updates = await stack.enter_async_context(self._source.open(application))
            left_open = partial(self._photos.answer_left_open, application.bot)
            self._following.start("journal", self._service.journal.follow(self.name, left_open))
            self._following.start("profile", publish(application.bot, self._service.admins.on(self.name)))
            _log.info("adapter_open", adapter=self.name)
            try:
                await end_of_updates()
            except InvalidToken as error:
                raise AdapterError(_REFUSED) from error

    def _begin(self) -> None:
        """Forget what an earlier run had in hand: what it has not settled comes again, and is new then."""
        self._source.begin()
        self._photos = self._begin_photos()
        self._application = self._build()

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

    def _built(self, token: str, api_url: str, rate_limiter: RateLimiter) -> Application:  # type: ignore[type-arg]
        builder = ApplicationBuilder().rate_limiter(rate_limiter)
        builder = builder.token(token).concurrent_updates(self._updates).read_timeout(READ_TIMEOUT_S)
        builder = builder.get_updates_request(self._source.request())
        if api_url:
            builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
        application = builder.build()
        new = filters.UpdateType.MESSAGE
        moves = filters.StatusUpdate.MIGRATE
        for name in CommandName:
            application.add_handler(CommandHandler(name.value, self._on_command, new))
        for admin_name in AdminCommandName:
            application.add_handler(CommandHandler(admin_name.value, self._on_admin_command, new))
        application.add_handler(CommandHandler(CHAT_EMOJI, self._on_chat_emoji, new))
        posts = filters.UpdateType.CHANNEL_POSTS
        application.add_handler(MessageHandler(moves & new, self._on_migration))
        application.add_handler(MessageHandler(filters.UpdateType.MESSAGES | posts, self._on_message))
        application.add_handler(CallbackQueryHandler(self._taps.on_update))
        application.add_handler(InlineQueryHandler(self._inline.on_update))
        application.add_handler(MessageReactionHandler(self._on_reaction))
        application.add_error_handler(_on_error)
        return application

    async def _on_command(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None or (name := command_in(message)) is None:
            return
        person = identity.sender_of(message)
        administers = partial(identity.administers, message.chat, int(person.id), message.get_bot())
        language = identity.language_of(message.from_user)
        command = Command(
            person,
            self._chat(message),
            CommandName(name),
            language,
            administers,
            await self._sight.sees_all_photos(message.chat, message.get_bot()),
            message.chat.type != ChatType.PRIVATE,
        )
        reply = await self._service.on_command(command)
        await note_sent(self._service, reply, (await self._sender.say(message, reply)).message)

    async def _on_chat_emoji(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None:
            return
        person = identity.sender_of(message)
        words = "".join(text_of(message).split(maxsplit=1)[1:])
        language = identity.language_of(message.from_user)
        administers = partial(identity.administers, message.chat, int(person.id), message.get_bot())
        command = ChatEmojiCommand(person, self._chat(message), words, language, administers)
        await self._sender.say(message, await self._service.on_chat_emoji(command))

    async def _on_admin_command(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer an admin in a separate task: at the end handlers are waited for, and a retraining is long."""
        message = update.message
        if message is None or (name := command_in(message)) is None:
            return
        words = (message.text or "").split(maxsplit=1)[1:]
        in_public, language = message.chat.type != ChatType.PRIVATE, identity.language_of(message.from_user)
        person = identity.sender_of(message)
        command = AdminCommand(person, AdminCommandName(name), "".join(words), language, in_public)
        answering = self._sender.follow(message, self._service.on_admin_command(command))
        if person in self._service.admins:
            self._following.start("admin_command", answering)
            return
        await answering
        if not in_public:
            self._following.start("menu", self._former_admins.withdraw_menu(message.get_bot(), message.chat_id))

    async def _on_message(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a message or a channel's post. Other bots are not answered: they might answer back for ever."""
        new, edited = update.message or update.channel_post, update.edited_message or update.edited_channel_post
        if new is not None and not identity.is_other_bot(new):
            await self._photos.on_message(new)
        if edited is not None and not identity.is_other_bot(edited):
            await self._photos.on_edit(edited)

    async def _on_migration(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Note that a group became a supergroup, which both of them tell."""
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            await self._delivery.note_move(message.chat_id, message.migrate_to_chat_id)
        if message is not None and message.migrate_from_chat_id is not None:
            await self._delivery.note_move(message.migrate_from_chat_id, message.chat_id)

    async def _on_move(self, old: int, new: int) -> None:
        await self._service.on_chat_moved(identity.chat(old), identity.chat(new))

    async def _on_reaction(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Hand on the reactions of a person; those of bots and of anonymous chats are nobody's."""
        changed = update.message_reaction
        if changed is None or changed.user is None or changed.user.is_bot:
            return
        emoji = await self._custom_emoji.emoji_of(changed.get_bot(), changed.new_reaction)
        chat = identity.chat(self._delivery.home_of(changed.chat.id))
        reaction = PeopleReaction(identity.person(changed.user.id), chat, str(changed.message_id), emoji)
        await self._service.on_reaction(reaction)

    def _chat(self, message: Message) -> Chat:
        return identity.chat(self._delivery.home_of(message.chat_id))


async def _on_error(_update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    if isinstance(context.error, TelegramError):
        _log.warning("telegram_update_failed", reason=short(context.error))
    else:
        _log.error("telegram_update_failed", reason=repr(context.error), exc_info=context.error)
