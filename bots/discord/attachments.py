"""Pictures on Discord: those in a message, fetched at once, and those the bot attaches."""

import io
from collections.abc import Sequence

import discord
import structlog

from bots.conversation import texts
from bots.discord.errors import TROUBLE
from bots.messages import Form, MadePicture, Picture
from db import Platform

_log = structlog.get_logger()

MAX_FILE_BYTES = 20 * 2**20
MAX_PICTURES = 10
_PICTURE_ENDINGS = (".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def files_of(picture: MadePicture | None) -> list[discord.File]:
    """A picture as an attachment."""
    if picture is None:
        return []
    name = "sticker.png" if picture.form is Form.STICKER else "faces.jpg"
    return [discord.File(io.BytesIO(picture.content), name)]


class NotFetchedError(Exception):
    """The pictures could not be fetched; the message is the sentence of `texts` for whoever sent them."""


async def download(attachments: Sequence[discord.Attachment]) -> tuple[Picture, ...]:
    """Read the files at once, because their links expire."""
    if any(attachment.size > MAX_FILE_BYTES for attachment in attachments):
        raise NotFetchedError(texts.FILE_TOO_LARGE)
    try:
        return tuple([Picture(await each.read(), is_clip=_is_clip(each)) for each in attachments])
    except TROUBLE as error:
        _log.warning("download_failed", platform=Platform.DISCORD, reason=type(error).__name__)
        raise NotFetchedError(texts.DOWNLOAD_FAILED) from error


def pictures_in(message: discord.Message) -> list[discord.Attachment]:
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
