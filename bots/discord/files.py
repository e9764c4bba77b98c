"""Files on Discord: which of a message's files may be pictures or clips, and their download.

What the bytes are is decided by whoever reads them; names and types are only hints here. An attachment is left out if
one of them says that it is something else.
"""

import asyncio
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import discord
import structlog
from discord.http import HTTPClient
from yarl import URL

from bots.conversation import texts
from bots.discord.errors import TROUBLE, facts_of
from bots.discord.transport import FileTooLargeError
from bots.file_endings import ENDINGS
from bots.messages import MOST_FILE_BYTES, NotFetchedError, Picture, PictureToFetch
from db import Platform

MAX_PICTURES = 10
LONGEST_DOWNLOAD_S = 60.0

_UNSPECIFIC = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/unknown"})
_PREVIEWS = frozenset({"gifv", "image"})
"""The types of embeds that show one picture or GIF, as those that people pick from Discord's list of GIFs."""
_MEDIA_HOSTS = re.compile(r"(cdn|media|images-ext-\d+)\.discordapp\.(com|net)")
_HIDDEN = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)

_log = structlog.get_logger()


@dataclass(frozen=True)
class SentFile:
    """A file that may be a picture or a clip. size_bytes: as Discord says, 0 where it says nothing."""

    url: str
    size_bytes: int = 0
    has_spoiler: bool = False


def files_in(message: discord.Message) -> list[SentFile]:
    """Return the files of a message, or of what it forwards, that may be pictures or clips, at most `MAX_PICTURES`.

    Attachments go before stickers, and those before previews of links.
    """
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for found in (_attachments, _stickers, _previews):
        if files := [file for part in parts for file in found(part)]:
            return files[:MAX_PICTURES]
    return []


def photos_in(message: discord.Message) -> list[SentFile]:
    """Return the attachments that say that they are pictures or clips: for messages that did not ask for anything."""
    likely = (each for each in message.attachments if _says_picture(each) and may_be_picture(each))
    return list(map(file_of, likely))[:MAX_PICTURES]


def file_of(attachment: discord.Attachment) -> SentFile:
    """Return an attachment's file."""
    return SentFile(attachment.url, attachment.size, attachment.is_spoiler())


def may_be_picture(attachment: discord.Attachment) -> bool:
    """Check whether neither an attachment's type nor its name says that it is something else than a picture or clip.

    A name that ends like a picture's is believed more than the type.
    """
    if attachment.is_voice_message():
        return False
    if _ending(attachment) in ENDINGS:
        return True
    kinds = {_kind(attachment), mimetypes.guess_type(attachment.filename)[0] or ""} - _UNSPECIFIC
    return all(kind.startswith(("image/", "video/")) for kind in kinds)


def to_fetch(http: HTTPClient, file: SentFile) -> PictureToFetch:
    """Return a file as a picture that is fetched when its turn comes; links last about a day."""

    async def fetched() -> Picture:
        try:
            return await _picture(http, file)
        except FileTooLargeError as error:
            raise NotFetchedError(texts.FILE_TOO_LARGE) from error
        except TROUBLE as error:
            _log.warning("download_failed", platform=Platform.DISCORD, **facts_of(error))
            raise NotFetchedError(texts.DOWNLOAD_FAILED) from error

    if file.size_bytes > MOST_FILE_BYTES:
        return PictureToFetch(fetched, 0)
    return PictureToFetch(fetched, file.size_bytes or MOST_FILE_BYTES)


async def _picture(http: HTTPClient, file: SentFile) -> Picture:
    if file.size_bytes > MOST_FILE_BYTES:
        raise FileTooLargeError
    async with asyncio.timeout(LONGEST_DOWNLOAD_S):
        content = await http.get_from_cdn(file.url)
    if len(content) > MOST_FILE_BYTES:
        raise FileTooLargeError
    return Picture(content, file.has_spoiler)


def _attachments(part: discord.Message | discord.MessageSnapshot) -> Iterator[SentFile]:
    return map(file_of, filter(may_be_picture, part.attachments))


def _stickers(part: discord.Message | discord.MessageSnapshot) -> Iterator[SentFile]:
    """Return the stickers that are pictures; Lottie is a drawing in vectors."""
    return (SentFile(each.url) for each in part.stickers if each.format is not discord.StickerFormatType.lottie)


def _previews(part: discord.Message | discord.MessageSnapshot) -> Iterator[SentFile]:
    """Return what links in the text show, from Discord's own hosts only: a link may lead anywhere."""
    hidden = " ".join(_HIDDEN.findall(part.content))
    for embed in part.embeds:
        if embed.type not in _PREVIEWS:
            continue
        shown = (embed.video.proxy_url, embed.thumbnail.proxy_url, embed.image.proxy_url)
        url = next((url for url in shown if url and _is_discords(url)), None)
        if url is not None:
            yield SentFile(url, has_spoiler=bool(embed.url) and str(embed.url) in hidden)


def _is_discords(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme == "https" and _MEDIA_HOSTS.fullmatch(parsed.host or "") is not None


def _says_picture(attachment: discord.Attachment) -> bool:
    return _kind(attachment).startswith(("image/", "video/")) or _ending(attachment) in ENDINGS


def _kind(attachment: discord.Attachment) -> str:
    """Return the type that Discord reports, without parameters; empty if there is none."""
    return (attachment.content_type or "").split(";")[0].strip().lower()


def _ending(attachment: discord.Attachment) -> str:
    return PurePath(attachment.filename).suffix.lower()
