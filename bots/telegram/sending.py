"""Send messages, pictures, keyboards and reactions on Telegram, and handle its refusals."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from telegram import (
    CallbackQuery,
    Document,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    Message,
    PhotoSize,
    ReactionTypeEmoji,
    ReplyParameters,
    VideoNote,
)
from telegram.constants import MessageLimit, ReactionEmoji
from telegram.error import BadRequest, Forbidden, TelegramError

from bots.conversation.emoji_variants import plain
from bots.messages import Button, Form, Reply, TapReply, Tone
from db import Platform
from recognizer.emoji_map import without_selector

_log = structlog.get_logger()

ALLOWED_REACTIONS = frozenset(without_selector(emoji.value) for emoji in ReactionEmoji)
"""The emoji that a bot may react with, in Telegram's spelling (https://core.telegram.org/bots/api#reactiontypeemoji)."""
_ENOUGH_PIXELS = 640
"""Long side, in pixels, above which a larger copy of a photo does not improve the reading."""
REFUSALS = (BadRequest, Forbidden)
_Sent = PhotoSize | Document | VideoNote


def picture_in(message: Message) -> _Sent | None:
    """Return the file to read; of a photo's sizes the smallest that is large enough."""
    if message.photo:
        sizes = sorted(message.photo, key=lambda size: max(size.width, size.height))
        return next((size for size in sizes if max(size.width, size.height) >= _ENOUGH_PIXELS), sizes[-1])
    if message.document is not None and (message.document.mime_type or "").startswith("image/"):
        return message.document
    return message.video_note


async def say(message: Message, reply: Reply) -> Message:
    """Reply to a message; without the picture if it is refused, since a chat may forbid pictures."""
    try:
        return await send(message, reply)
    except REFUSALS as error:
        if reply.picture is None:
            raise
        _log.info("picture_refused", platform=Platform.TELEGRAM, reason=str(error))
        return await send(message, replace(reply, picture=None))


async def follow(message: Message, replies: AsyncIterator[Reply]) -> None:
    """Show each reply in place of the one before.

    If one fails, the later ones are still tried; if the last one fails, it is sent again as a new message.
    """
    said: Message | None = None
    missed: Reply | None = None
    async for reply in replies:
        missed = reply
        try:
            if said is None or not await put_in_place_of(said, reply):
                said = await say(message, reply)
            missed = None
        except TelegramError as error:
            _log.warning("reply_not_shown", platform=Platform.TELEGRAM, reason=type(error).__name__)
    if missed is None:
        return
    try:
        await say(message, missed)
    except TelegramError as error:
        _log.warning("last_reply_lost", platform=Platform.TELEGRAM, reason=type(error).__name__)


async def send(message: Message, reply: Reply) -> Message:
    """Reply to a message or, if it was deleted, send to its chat."""
    bot, made = message.get_bot(), reply.picture
    where: dict[str, Any] = {
        "chat_id": message.chat_id,
        "reply_parameters": ReplyParameters(message.message_id, allow_sending_without_reply=True),
        "message_thread_id": message.message_thread_id if message.is_topic_message else None,
        "reply_markup": _keyboard(reply.rows),
    }
    if made is None:
        return await bot.send_message(text=_fitting(reply.text), **where)
    if made.form is Form.STICKER:
        return await bot.send_sticker(sticker=InputFile(made.content, "sticker.webp"), **where)
    caption = _fitting(reply.text, MessageLimit.CAPTION_LENGTH)
    return await bot.send_photo(photo=InputFile(made.content, "faces.jpg"), caption=caption, **where)


async def send_made(answer: Message, tapped: TapReply) -> bool:
    """Send the requested picture in reply to the photo; return False if Telegram refuses it."""
    try:
        await send(_photo_answered_by(answer) or answer, Reply(tapped.notice, picture=tapped.picture))
    except TelegramError as error:
        _log.info("picture_refused", platform=Platform.TELEGRAM, reason=str(error))
        return False
    return True


async def put_in_place_of(waiting: Message, reply: Reply) -> bool:
    """Replace a waiting message with the answer.

    Return False if the answer is still to be sent: text cannot become a picture, and the message may be deleted.
    """
    try:
        if reply.picture is None:
            await waiting.edit_text(_fitting(reply.text), reply_markup=_keyboard(reply.rows))
            return True
        await waiting.delete()
    except REFUSALS as error:
        _log.debug("message_not_replaced", platform=Platform.TELEGRAM, reason=str(error))
    return False


def _fitting(text: str, most: int = MessageLimit.MAX_TEXT_LENGTH) -> str:
    """Return the text, cut between words at Telegram's limit, which an album of crowds can exceed.

    most: in UTF-16 units, in which Telegram counts (https://core.telegram.org/api/entities#entity-length).
    """
    units = text.encode("utf-16-le")
    if len(units) <= 2 * most:
        return text
    kept = units[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    return (kept.rpartition(" ")[0] or kept).rstrip() + "…"


async def react(message: Message, emoji: str | None) -> None:
    """React if it is allowed, if necessary without skin tone and presentation.

    A chat may allow fewer reactions than Telegram; a refusal is ignored.
    """
    if emoji is None:
        return
    reaction = reaction_for(emoji)
    if reaction is None:
        return
    try:
        await message.set_reaction(ReactionTypeEmoji(reaction))
    except REFUSALS as error:
        _log.info("reaction_refused", platform=Platform.TELEGRAM, reason=str(error))


def reaction_for(emoji: str) -> str | None:
    """Return the emoji in Telegram's spelling of reactions, without skin tone and presentation if necessary; None if it
    is no reaction.
    """
    spellings = (without_selector(each) for each in (emoji, plain(emoji)))
    return next((each for each in spellings if each in ALLOWED_REACTIONS), None)


async def show_tap(query: CallbackQuery, message: Message, answer: TapReply) -> None:
    """Apply the reply to the message with the button, and to the reaction on its photo."""
    keyboard = message.reply_markup if answer.rows is None else _keyboard(answer.rows)
    try:
        if answer.text is not None:
            await query.edit_message_text(answer.text, reply_markup=keyboard)
        elif answer.rows is not None:
            await query.edit_message_reply_markup(keyboard)
    except BadRequest as error:  # the same button twice: Telegram reports "not modified" as an error
        _log.debug("message_not_edited", platform=Platform.TELEGRAM, reason=str(error))
    original = _photo_answered_by(message)
    if original is not None:
        await react(original, answer.reaction)


async def show_whole(message: Message, shown: Reply) -> None:
    """Replace the whole message; if Telegram refuses (text cannot replace a picture), send a new one and delete the old
    one.
    """
    keyboard = _keyboard(shown.rows)
    try:
        if shown.picture is not None:
            caption = _fitting(shown.text, MessageLimit.CAPTION_LENGTH)
            media = InputMediaPhoto(shown.picture.content, caption, filename="face.jpg")
            await message.edit_media(media, reply_markup=keyboard)
            return
        if message.text is not None:
            await message.edit_text(_fitting(shown.text), reply_markup=keyboard)
            return
    except TelegramError as error:
        _log.debug("message_not_edited", platform=Platform.TELEGRAM, reason=str(error))
        if "not modified" in error.message:  # the same button twice
            return
    await say(message, shown)
    with suppress(TelegramError):
        await message.delete()


def _photo_answered_by(answer: Message) -> Message | None:
    """Return the message with the photo; in a topic, an answer whose photo is gone replies to the topic's first
    message.
    """
    original = answer.reply_to_message
    return original if original is not None and picture_in(original) is not None else None


def _keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup([[_key(button) for button in row] for row in rows])


def _key(button: Button) -> InlineKeyboardButton:
    label = f"✓ {button.label}" if button.tone is Tone.CHOSEN else button.label
    return InlineKeyboardButton(label, callback_data=button.token)
