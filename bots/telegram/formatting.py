"""Replies in Telegram's terms: texts within its limits, keyboards, and files with their names."""

from collections.abc import Sequence

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAnimation,
    InputMediaPhoto,
)
from telegram.constants import MessageLimit

from bots.custom_emoji import CustomEmoji
from bots.messages import Button, Form, MadePicture, Tone

_NAMES = {Form.PHOTO: "faces.jpg", Form.STICKER: "sticker.webp", Form.ANIMATION: "faces.mp4"}


def fitting(text: str, most: int = MessageLimit.MAX_TEXT_LENGTH) -> str:
    """Return the text, cut between words at Telegram's limit, which an album of crowds can exceed.

    most: in UTF-16 units, in which Telegram counts (https://core.telegram.org/api/entities#entity-length).
    """
    units = text.encode("utf-16-le")
    if len(units) <= 2 * most:
        return text
    kept = units[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    return (kept.rpartition(" ")[0] or kept).rstrip() + "…"


def keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    """Return the keyboard of these buttons; None if there are none."""
    if not rows:
        return None
    return InlineKeyboardMarkup([[_key(button) for button in row] for row in rows])


def _key(button: Button) -> InlineKeyboardButton:
    label = f"✓ {button.label}" if button.tone is Tone.CHOSEN else button.label
    icon = CustomEmoji.parse(button.icon)
    number = str(icon.id) if icon is not None else None
    return InlineKeyboardButton(label, callback_data=button.token, icon_custom_emoji_id=number)


def form_of(made: MadePicture) -> Form:
    """Return how to send a picture: a sticker cannot be hidden, so one that has to be goes out as a photo."""
    return Form.PHOTO if made.form is Form.STICKER and made.has_spoiler else made.form


def upload(made: MadePicture) -> InputFile:
    """Return a picture as a file to send, with a name that fits it."""
    return InputFile(made.content, _NAMES[made.form])


def media(made: MadePicture, caption: str) -> InputMediaPhoto | InputMediaAnimation:
    """Return a picture to put in place of another one, which cannot be a sticker."""
    kind = InputMediaAnimation if made.form is Form.ANIMATION else InputMediaPhoto
    short, hidden = fitting(caption, MessageLimit.CAPTION_LENGTH), made.has_spoiler
    return kind(made.content, caption=short, has_spoiler=hidden, filename=_NAMES[made.form])
