"""Answer what people type after the bot's name in any chat: their own stickers, and the emoji they chose last."""

import hashlib
from collections.abc import Sequence
from typing import Any

import structlog
from telegram import (
    InlineQueryResult,
    InlineQueryResultArticle,
    InlineQueryResultCachedSticker,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.constants import InlineQueryLimit
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.service import EmojiService
from bots.telegram import identity
from bots.telegram.delivery import short
from bots.telegram.packs import StickerPacks
from db import Platform

MOST_EMOJI = 20
"""Emoji that are offered, the ones chosen last."""
START_PARAMETER = "selfie"
"""What comes with `/start` from somebody for whom there is nothing yet."""
_A_PAGE: int = InlineQueryLimit.RESULTS
_LONG_OFFSET = 6
"""Digits that no offset of this bot has."""
_log = structlog.get_logger()


class InlineAnswers:
    """Answers inline queries, to each person with what is theirs only; Telegram keeps none of it for the next query,
    so that what `/forget_me` deleted is not offered again.
    """

    def __init__(self, service: EmojiService, packs: StickerPacks) -> None:
        """Set the parts."""
        self._service = service
        self._packs = packs

    async def on_update(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a query; its words choose among the results by emoji or by its name."""
        query, bot = update.inline_query, context.bot
        if query is None:
            return
        person = identity.person(query.from_user.id)
        voice = await self._service.voice_for(person, identity.language_of(query.from_user))
        stickers = await self._packs.stickers(bot, query.from_user.id)
        emoji = await self._service.recent_emoji(person, MOST_EMOJI)
        words = query.query.strip().lower()
        results: list[InlineQueryResult] = [
            InlineQueryResultCachedSticker(f"sticker-{sticker.file_unique_id}", sticker.file_id)
            for sticker in stickers
            if _fits(words, sticker.emoji or "", voice)
        ]
        results += [_article(each, voice) for each in emoji if _fits(words, each, voice)]
        page, following = _page(results, query.offset)
        start: dict[str, Any] = {}
        if not stickers and not emoji:
            start["button"] = InlineQueryResultsButton(voice.say(texts.INLINE_START), start_parameter=START_PARAMETER)
        try:
            await bot.answer_inline_query(
                query.id, page, cache_time=0, is_personal=True, next_offset=following, **start
            )
        except TelegramError as error:  # the person has typed on
            _log.info("inline_query_not_answered", platform=Platform.TELEGRAM, reason=short(error))


def _fits(words: str, emoji: str, voice: Voice) -> bool:
    return words in emoji or words in (voice.name_of(emoji) or "").lower()


def _article(emoji: str, voice: Voice) -> InlineQueryResultArticle:
    number = hashlib.sha256(emoji.encode()).hexdigest()  # as long as Telegram lets it be
    return InlineQueryResultArticle(number, emoji, InputTextMessageContent(emoji), description=voice.name_of(emoji))


def _page(results: Sequence[InlineQueryResult], offset: str) -> tuple[Sequence[InlineQueryResult], str]:
    """Return the results from an offset on, as many as one answer may have, and the offset of the rest; empty if there
    is none.
    """
    start = int(offset) if offset.isdecimal() and len(offset) < _LONG_OFFSET else 0
    following = start + _A_PAGE
    return results[start:following], str(following) if following < len(results) else ""
