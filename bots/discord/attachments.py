"""Pictures on Discord: download those in a message, and attach those made by the bot."""

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
_PICTURE_ENDINGS = (
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".jxl", ".png", ".tif", ".tiff", ".webp",
)  # fmt: skip


def files_of(picture: MadePicture | None) -> list[discord.File]:
    """Return a picture as a list of attachments; empty for None."""
    if picture is None:
        return []
    name = "sticker.png" if picture.form is Form.STICKER else "faces.jpg"
    return [discord.File(io.BytesIO(picture.content), name)]


class NotFetchedError(Exception):
    """The pictures could not be downloaded; the message is the sentence of `texts` for their sender."""


async def download(attachments: Sequence[discord.Attachment]) -> tuple[Picture, ...]:
    """Download the files immediately, because their links expire."""
    if any(attachment.size > MAX_FILE_BYTES for attachment in attachments):
        raise NotFetchedError(texts.FILE_TOO_LARGE)
    try:
        return tuple([Picture(await each.read(), each.is_spoiler()) for each in attachments])
    except TROUBLE as error:
        _log.warning("download_failed", platform=Platform.DISCORD, reason=type(error).__name__)
        raise NotFetchedError(texts.DOWNLOAD_FAILED) from error


def pictures_in(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments to read, including those of a forwarded message."""
    forwarded = (attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments)
    attachments = (*message.attachments, *forwarded)
    return [each for each in attachments if _is_picture(each) or _is_clip(each)][:MAX_PICTURES]


def _is_picture(attachment: discord.Attachment) -> bool:
    """Check whether an attachment may be a picture; a phone's .heic has no content type on Discord."""
    kind = attachment.content_type or "application/octet-stream"
    if kind == "application/octet-stream":
        return attachment.filename.lower().endswith(_PICTURE_ENDINGS)
    return kind.startswith("image/")


def _is_clip(attachment: discord.Attachment) -> bool:
    return (attachment.content_type or "").startswith("video/")
