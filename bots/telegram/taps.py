"""Handle taps on buttons: one after the other for each answer, so that the last one decides what is shown."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial

import structlog
from telegram import Bot, CallbackQuery, MaybeInaccessibleMessage, Message, Sticker, Update
from telegram.constants import CallbackQueryLimit, ChatType
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.service import EmojiService
from bots.messages import MOST_FILE_BYTES, Picture, Reply, Tap, TapReply
from bots.serving.supervision import BackgroundTasks
from bots.serving.turns import Turns
from bots.telegram import identity
from bots.telegram.delivery import short
from bots.telegram.files import FileTooLargeError, SentFile, fetch, file_in
from bots.telegram.formatting import fitting, keyboard
from bots.telegram.packs import Outcome, StickerPacks
from bots.telegram.reactions import Reactions
from bots.telegram.sending import Place, Said, Sender
from bots.telegram.sight import Sight
from db import Platform

PICTURE_IN_TIME_S = 3.0
"""Seconds for which the answer to a tap waits for a picture to be sent, so that it can tell if Telegram refuses it."""
_PACK_SENTENCES = {
    Outcome.ADDED: texts.PACK_ADDED,
    Outcome.FULL: texts.PACK_FULL,
    Outcome.NEVER_WROTE: texts.PACK_START,
    Outcome.FAILED: texts.FAILED,
}
_log = structlog.get_logger()


class Taps:
    """Answers taps and shows what they change."""

    def __init__(  # noqa: PLR0913, PLR0917  # its parts
        self,
        service: EmojiService,
        sender: Sender,
        reactions: Reactions,
        background: BackgroundTasks,
        sight: Sight,
        packs: StickerPacks,
    ) -> None:
        """Set the parts. background: sends pictures that take their time."""
        self._sight = sight
        self._packs = packs
        self._service = service
        self._sender = sender
        self._reactions = reactions
        self._background = background
        self._turns = Turns()

    async def on_update(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a tap. Those of one answer are answered in the order in which they came."""
        query = update.callback_query
        if query is None:
            return
        message = query.message
        if message is None or query.data is None:
            await notify(query, (await self._voice_for(query)).say(texts.GONE))
            return
        async with self._turns.of((message.chat.id, message.message_id)):
            try:
                await self._answer(query, message, context.bot)
            except TelegramError as error:
                _log.warning("tap_not_shown", platform=Platform.TELEGRAM, reason=short(error))

    async def _answer(self, query: CallbackQuery, message: MaybeInaccessibleMessage, bot: Bot) -> None:
        sees_all = await self._sight.sees_all_photos(message.chat, bot)
        answer = await self._service.on_tap(replace(_tap(query, message, bot), sees_all_photos=sees_all))
        if answer.has_forgotten and not await self._packs.remove(bot, query.from_user.id):
            failed = (await self._voice_for(query)).say(texts.FAILED)
            answer = replace(answer, notice=failed, text=failed, rows=None)  # to be tapped again
        if not isinstance(message, Message):
            notice = answer.notice
            if answer.picture is not None:
                notice = await self._sent_in_time(query, _as_message(message, bot), answer)
            await notify(query, notice)
            await self._show(Place(bot, message.chat.id, message.message_id), answer)
            return
        if answer.is_for_pack and message.sticker is not None:
            await self._put_into_pack(query, message, message.sticker)
            return
        notice = answer.notice
        if answer.picture is not None and not answer.is_whole:
            notice = await self._sent_in_time(query, message, answer)
        await notify(query, notice)
        shown: Message | None = message
        if answer.is_whole:
            shown = await self._show_whole(message, answer)
        else:
            await self._show(Place.of(message), answer, message)
        if answer.photo and shown is not None:
            await self._service.note_answer(identity.chat(shown.chat_id), answer.photo, str(shown.message_id))
        if (original := _photo_answered_by(message)) is not None:
            await self._reactions.set(bot, message.chat_id, original.message_id, answer.reaction)
        if answer.question is not None:
            await self._sender.say(message, answer.question)

    async def _sent_in_time(self, query: CallbackQuery, message: Message, answer: TapReply) -> str:
        """Send the requested picture; return what to tell about it as far as that is known soon."""
        to = _photo_answered_by(message) or message
        reply = Reply(answer.notice, rows=answer.picture_rows, picture=answer.picture)
        sending = asyncio.ensure_future(self._sender.try_to_say(to, reply))
        try:
            voice = await self._voice_for(query)
            done, _ = await asyncio.wait({sending}, timeout=PICTURE_IN_TIME_S)
        except asyncio.CancelledError:
            sending.cancel()
            raise
        if done:
            return answer.notice if sending.result().message is not None else voice.say(texts.FAILED)

        async def tell_if_refused() -> None:
            if (await sending).message is None:
                await self._sender.say(to, Reply(voice.say(texts.FAILED)))

        self._background.start("picture", tell_if_refused())
        return answer.notice

    async def _put_into_pack(self, query: CallbackQuery, message: Message, sticker: Sticker) -> None:
        """Put a sticker into the pack of the person who tapped, and tell them alone where it is."""
        person, bot, voice = query.from_user.id, message.get_bot(), await self._voice_for(query)
        outcome = await self._packs.add(bot, person, sticker, voice.say(texts.PACK_TITLE))
        said = voice.say(_PACK_SENTENCES[outcome], link=self._packs.link_to(person, bot))
        if outcome is Outcome.ADDED and message.chat.type == ChatType.PRIVATE:
            await notify(query, "")
            await self._sender.say(message, Reply(said))
        else:
            await notify(query, said, is_alert=True)

    async def _voice_for(self, query: CallbackQuery) -> Voice:
        user = query.from_user
        return await self._service.voice_for(identity.person(user.id), identity.language_of(user))

    async def _show(self, place: Place, answer: TapReply, message: Message | None = None) -> None:
        """Apply the reply to the message with the button."""
        kept = message.reply_markup if message is not None else None
        keys = kept if answer.rows is None else keyboard(answer.rows)
        if answer.text is not None:
            await self._sender.edit_text(place, answer.text, keys)
        elif answer.rows is not None:
            await self._sender.edit_keyboard(place, keys)

    async def _show_whole(self, message: Message, answer: TapReply) -> Message | None:
        """Replace the whole message; if Telegram refuses (text cannot replace a picture), send a new one and delete the
        old one. Return the message that is there now.
        """
        place, keys, made = Place.of(message), keyboard(answer.rows or ()), answer.picture
        text = answer.text or ("" if made is not None else answer.notice)
        if made is not None and await self._sender.edit_picture(place, made, text, keys):
            return message
        if made is None and message.text is not None and text and await self._sender.edit_text(place, text, keys):
            return message
        said = Said()
        if text or made is not None:
            to = message.reply_to_message or message
            said = await self._sender.say(to, Reply(text, rows=answer.rows or (), picture=made))
        await self._sender.delete(place)
        return said.message


def _tap(query: CallbackQuery, message: MaybeInaccessibleMessage, bot: Bot) -> Tap:
    """Return the tap that the service is to answer."""
    user = query.from_user
    photo, file = _photo_answered_by(message), _file_answered_by(message)
    return Tap(
        identity.person(user.id),
        identity.chat(message.chat.id),
        query.data or "",
        identity.language_of(user),
        partial(_fetched, bot, file),
        message.chat.type != ChatType.PRIVATE,
        partial(identity.administers, message.chat, user.id, bot),
        partial(identity.alias_of, user, message, bot),
        identity.sender_of(photo) if photo is not None else None,
        identity.author_of(photo) if photo is not None else None,
        str(photo.message_id) if photo is not None else "",
        most_bytes=min(file.size or MOST_FILE_BYTES, MOST_FILE_BYTES) if file is not None else 0,
    )


def _as_message(known: MaybeInaccessibleMessage, bot: Bot) -> Message:
    """Return a message, of which perhaps only the number is known, as one to reply to."""
    message = Message(known.message_id, known.date, known.chat)
    message.set_bot(bot)
    return message


def _photo_answered_by(answer: MaybeInaccessibleMessage | None) -> Message | None:
    """Return the message with the photo; in a topic, an answer whose photo is gone replies to the topic's first
    message.
    """
    original = answer.reply_to_message if isinstance(answer, Message) else None
    return original if original is not None and file_in(original) is not None else None


def _file_answered_by(answer: MaybeInaccessibleMessage) -> SentFile | None:
    """Return the file that an answer is about; where a photo of another chat was asked about, it replies to that
    question.
    """
    original = answer.reply_to_message if isinstance(answer, Message) else None
    if original is None:
        return None
    return file_in(original) or (file_in(original.external_reply) if original.external_reply is not None else None)


async def _fetched(bot: Bot, file: SentFile | None) -> Picture | None:
    """Return the picture that an answer is about; None if there is none any more."""
    if file is None:
        return None
    try:
        return await fetch(bot, file)
    except (FileTooLargeError, TelegramError) as error:
        _log.warning("download_failed", platform=Platform.TELEGRAM, reason=type(error).__name__)
        return None


async def notify(query: CallbackQuery, notice: str, *, is_alert: bool = False) -> None:
    """Answer a tap. is_alert: the notice stays until it is put away."""
    with suppress(TelegramError):  # too old to be answered; go on with the rest
        text = fitting(notice, CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH)
        await query.answer(text or None, show_alert=is_alert or None)
