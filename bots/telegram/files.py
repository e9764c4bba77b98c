"""Which file of a message is to be read, and how it is fetched."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import structlog
from telegram import Bot, Document, ExternalReplyInfo, Message, PhotoSize, Sticker
from telegram.constants import FileSizeLimit
from telegram.error import BadRequest, TelegramError

from bots.conversation import texts
from bots.file_endings import ENDINGS
from bots.messages import MOST_FILE_BYTES, NotFetchedError, Picture, PictureToFetch
from db import Platform

_log = structlog.get_logger()
_ENOUGH_PIXELS = 640
"""Long side, in pixels, above which a larger copy of a photo does not improve the reading."""
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-unknown"})
"""Types of files whose senders did not know any."""


class FileTooLargeError(Exception):
    """Telegram does not let bots download files of this size."""


@dataclass(frozen=True)
class SentFile:
    """A file to read. size: in bytes, 0 if unknown. is_photo: a still picture that was sent as such or as a file."""

    id: str
    size: int = 0
    is_photo: bool = False
    has_spoiler: bool = False


def file_in(content: Message | ExternalReplyInfo) -> SentFile | None:
    """Return the file to read in a message, or in what it replies to elsewhere; None if it has none.

    Of a photo's sizes, and of a live photo's still ones, it is the smallest that is large enough; of an animated
    sticker, which is a drawing, its thumbnail. Paid media is none: bots do not get it.
    """
    has_spoiler = bool(content.has_media_spoiler)
    photo = content.photo or (content.live_photo.photo if content.live_photo is not None else ())
    if photo:
        size = _enough(photo)
        return SentFile(size.file_id, size.file_size or 0, True, has_spoiler)
    if content.sticker is not None:
        return _of_sticker(content.sticker)
    clip = content.animation or content.video or content.video_note
    if clip is not None:
        return SentFile(clip.file_id, clip.file_size or 0, False, has_spoiler)
    document = content.document
    if document is None or not _may_be_picture(document):
        return None
    is_photo = _said_type(document).startswith("image/") and document.mime_type != "image/gif"
    return SentFile(document.file_id, document.file_size or 0, is_photo, has_spoiler)


async def fetch(bot: Bot, file: SentFile) -> Picture:
    """Fetch a file. Raise `FileTooLargeError`, or `TelegramError` if it is gone or Telegram unreachable."""
    if file.size > FileSizeLimit.FILESIZE_DOWNLOAD:
        raise FileTooLargeError
    try:
        found = await bot.get_file(file.id)
    except BadRequest as error:
        if "too big" in error.message.lower():
            raise FileTooLargeError from error
        raise
    return Picture(bytes(await found.download_as_bytearray()), file.has_spoiler)


def to_fetch(bot: Bot, file: SentFile | None) -> PictureToFetch:
    """Return a picture that is fetched when its turn comes; one that says why it cannot be for a file of None."""

    async def fetched() -> Picture:
        try:
            if file is None:
                raise NotFetchedError(texts.NO_PICTURE_FILE)
            return await fetch(bot, file)
        except FileTooLargeError as error:
            raise NotFetchedError(texts.FILE_TOO_LARGE) from error
        except TelegramError as error:
            _log.warning("download_failed", platform=Platform.TELEGRAM, reason=type(error).__name__)
            raise NotFetchedError(texts.DOWNLOAD_FAILED) from error

    if file is None or file.size > MOST_FILE_BYTES:
        return PictureToFetch(fetched, 0)
    return PictureToFetch(fetched, file.size or MOST_FILE_BYTES)


def is_other_file(message: Message) -> bool:
    """Check whether a message has a file that cannot be a picture."""
    return file_in(message) is None and any((message.document, message.audio, message.voice))


def _enough(sizes: Sequence[PhotoSize]) -> PhotoSize:
    by_size = sorted(sizes, key=lambda size: max(size.width, size.height))
    return next((size for size in by_size if max(size.width, size.height) >= _ENOUGH_PIXELS), by_size[-1])


def _of_sticker(sticker: Sticker) -> SentFile | None:
    if not sticker.is_animated:
        return SentFile(sticker.file_id, sticker.file_size or 0)
    drawn = sticker.thumbnail
    return SentFile(drawn.file_id, drawn.file_size or 0) if drawn is not None else None


def _may_be_picture(document: Document) -> bool:
    """Check whether a file says that it is a picture or a clip, or says nothing of itself."""
    said = _said_type(document)
    return not said or said.startswith(("image/", "video/")) or _ending(document) in ENDINGS


def _said_type(document: Document) -> str:
    """Return what a file is by its type or else by its name; empty if neither tells."""
    said = (document.mime_type or "").lower()
    return (mimetypes.guess_type(document.file_name or "")[0] or "") if said in _UNTYPED else said


def _ending(document: Document) -> str:
    return PurePath(document.file_name or "").suffix.lower()
