"""Send messages, pictures and keyboards on Telegram, and handle its refusals."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from telegram import Bot, InlineKeyboardMarkup, InputFile, Message, ReplyParameters
from telegram.constants import MessageLimit
from telegram.error import BadRequest, Forbidden, TelegramError

from bots.messages import Form, MadePicture, Reply
from bots.telegram.delivery import Delivery, is_out_of_reach, is_uncertain, short
from bots.telegram.formatting import fitting, form_of, keyboard, media, upload
from bots.telegram.icons import Icons
from bots.telegram.rate_limiter import MaySend, TakenOverError
from db import Platform

_REFUSALS = (BadRequest, Forbidden)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Place:
    """A message in a chat, whether its content is known or not. has_caption: what it says stands under a picture."""

    bot: Bot
    chat: int
    number: int
    has_caption: bool = False

    @classmethod
    def of(cls, message: Message) -> "Place":
        """Return where a message is."""
        return cls(message.get_bot(), message.chat_id, message.message_id, message.text is None)


@dataclass(frozen=True)
class Said:
    """What came of saying something: the message if there is one.

    is_unreachable: what it replied to is gone, or the chat is, so that a reaction would be refused, too.
    may_have_arrived: whether there is a message is not known. may_be_said_later: there certainly is none, and only
    because Telegram was out of reach.
    """

    message: Message | None = None
    is_unreachable: bool = False
    may_have_arrived: bool = False
    may_be_said_later: bool = False


class Sender:
    """Sends to where a chat is now. An answer that is lost for good is one line in the log."""

    def __init__(self, delivery: Delivery) -> None:
        """Set what brings calls to Telegram."""
        self._delivery = delivery
        self._icons = Icons()

    async def say(self, to: Message, reply: Reply, may_send: MaySend | None = None) -> Said:
        """Reply to a message; without picture and file if they do not get through, since a chat may forbid them.

        may_send: as in `try_to_say`.
        """
        said = await self.try_to_say(to, reply, may_send)
        has_more = reply.picture is not None or reply.file is not None
        is_missing = said.message is None and not said.is_unreachable and not said.may_have_arrived
        if is_missing and has_more and reply.text:
            return await self.try_to_say(to, replace(reply, picture=None, file=None), may_send)
        return said

    async def try_to_say(self, to: Message, reply: Reply, may_send: MaySend | None = None) -> Said:
        """Reply to a message or, if that was deleted, in its chat. may_send: asked when it is about to be sent."""
        try:
            return await self._reply(to, reply, may_send)
        except TakenOverError:
            return Said(is_unreachable=True)
        except _REFUSALS as error:
            _log.info("answer_refused", platform=Platform.TELEGRAM, reason=short(error))
            return Said(is_unreachable=isinstance(error, Forbidden) or "chat not found" in error.message.lower())
        except TelegramError as error:
            unsure = is_uncertain(error)
            _log.warning("answer_lost", platform=Platform.TELEGRAM, reason=short(error), may_have_arrived=unsure)
            return Said(may_have_arrived=unsure, may_be_said_later=is_out_of_reach(error))

    async def follow(self, message: Message, replies: AsyncIterator[Reply]) -> None:
        """Show each reply in place of the one before.

        If one fails, the later ones are still tried; if the last one fails, it is sent again as a new message.
        """
        said: Message | None = None
        missed: Reply | None = None
        async for reply in replies:
            missed = reply
            try:
                if said is None or not await self.put_in_place_of(said, reply):
                    said = (await self.say(message, reply)).message
                missed = reply if said is None else None
            except TelegramError as error:
                _log.warning("reply_not_shown", platform=Platform.TELEGRAM, reason=short(error))
        if missed is not None:
            await self.say(message, missed)

    async def put_in_place_of(self, waiting: Message, reply: Reply) -> bool:
        """Replace a waiting message with the answer. Raise `TelegramError` if Telegram is out of reach.

        Return False if the answer is still to be sent: text cannot become a picture, and the message may be deleted.
        """
        if reply.text and reply.picture is None and reply.file is None:
            return await self.edit_text(Place.of(waiting), reply.text, keyboard(reply.rows))
        await self.delete(Place.of(waiting))
        return False

    async def edit_text(self, place: Place, text: str, keys: InlineKeyboardMarkup | None) -> bool:
        """Give a message another text and keyboard; return False if Telegram refuses."""
        bot, number = place.bot, place.number
        if place.has_caption:
            caption = fitting(text, MessageLimit.CAPTION_LENGTH)
            return await self._change(
                place,
                keys,
                lambda chat, keys: bot.edit_message_caption(chat, number, caption=caption, reply_markup=keys),
            )
        return await self._change(
            place, keys, lambda chat, keys: bot.edit_message_text(fitting(text), chat, number, reply_markup=keys)
        )

    async def edit_keyboard(self, place: Place, keys: InlineKeyboardMarkup | None) -> bool:
        """Give a message another keyboard; return False if Telegram refuses."""
        bot, number = place.bot, place.number
        return await self._change(
            place, keys, lambda chat, keys: bot.edit_message_reply_markup(chat, number, reply_markup=keys)
        )

    async def edit_picture(
        self, place: Place, made: MadePicture, caption: str, keys: InlineKeyboardMarkup | None
    ) -> bool:
        """Give a message another picture, text and keyboard; return False if Telegram refuses."""
        bot, number = place.bot, place.number
        return await self._change(
            place,
            keys,
            lambda chat, keys: bot.edit_message_media(media(made, caption), chat, number, reply_markup=keys),
        )

    async def delete(self, place: Place) -> bool:
        """Delete a message; return False if Telegram refuses."""
        return await self._change(place, None, lambda chat, _: place.bot.delete_message(chat, place.number))

    async def _change(
        self,
        place: Place,
        keys: InlineKeyboardMarkup | None,
        call: Callable[[int, InlineKeyboardMarkup | None], Awaitable[Any]],
    ) -> bool:
        """Change a message; return False if Telegram refuses. call: gets the chat, and the keyboard to show."""
        try:
            await self._icons.show(
                keys, lambda shown: self._delivery.change(place.chat, lambda chat: call(chat, shown))
            )
        except _REFUSALS as error:
            _log.debug("message_not_changed", platform=Platform.TELEGRAM, reason=short(error))
            return "not modified" in error.message.lower()  # the same button twice
        return True

    async def _reply(self, to: Message, reply: Reply, may_send: MaySend | None) -> Said:
        try:
            return Said(await self._send(to, reply, ReplyParameters(to.message_id), may_send))
        except BadRequest as error:
            if not _says_original_is_gone(error):
                raise
            return Said(await self._send(to, reply, None, may_send), is_unreachable=True)

    async def _send(
        self, to: Message, reply: Reply, parameters: ReplyParameters | None, may_send: MaySend | None
    ) -> Message:
        bot, made, file = to.get_bot(), reply.picture, reply.file
        where: dict[str, Any] = {
            "reply_parameters": parameters,
            "message_thread_id": to.message_thread_id if to.is_topic_message else None,
            "rate_limit_args": may_send,
            "direct_messages_topic_id": to.direct_messages_topic.topic_id if to.direct_messages_topic else None,
        }

        async def send(keys: InlineKeyboardMarkup | None, chat: int) -> Message:
            told = {**where, "reply_markup": keys}
            caption = fitting(reply.text, MessageLimit.CAPTION_LENGTH)
            if made is None and file is None:
                return await bot.send_message(chat, fitting(reply.text), **told)
            if made is None and file is not None:
                document = InputFile(file.content, file.name)
                return await bot.send_document(chat, document, caption=caption, **told)
            assert made is not None
            if form_of(made) is Form.STICKER:
                return await bot.send_sticker(chat, upload(made), **told)
            hidden = made.has_spoiler
            if form_of(made) is Form.ANIMATION:
                return await bot.send_animation(chat, upload(made), caption=caption, has_spoiler=hidden, **told)
            return await bot.send_photo(chat, upload(made), caption=caption, has_spoiler=hidden, **told)

        return await self._icons.show(
            keyboard(reply.rows), lambda keys: self._delivery.send(to.chat_id, partial(send, keys))
        )


def _says_original_is_gone(error: BadRequest) -> bool:
    """Check whether the message that was to be replied to does not exist any more."""
    told = error.message.lower()
    return "repl" in told and "not found" in told
