"""A sticker pack for each person, which the bot makes and fills for them and only `/forget_me` removes."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from enum import Enum

import structlog
from telegram import Bot, InputSticker, Sticker
from telegram.constants import StickerFormat, StickerLimit
from telegram.error import BadRequest, Forbidden, TelegramError

from bots.serving.turns import Turns
from bots.telegram.delivery import Delivery, short
from bots.telegram.formatting import fitting
from db import Platform

EMOJI = "😄"
"""Stands for each sticker, since Telegram wants an emoji for it."""
_NONE = "stickerset_invalid"
_FULL = "stickers_too_much"
_TAKEN = "occupied"
_NEVER_WROTE = ("peer_id_invalid", "user_is_bot", "user not found", "bot can't", "chat not found")
_log = structlog.get_logger()


class Outcome(Enum):
    """What came of putting a sticker into a pack. NEVER_WROTE: the person did not write to the bot in private."""

    ADDED = "added"
    FULL = "full"
    NEVER_WROTE = "never_wrote"
    FAILED = "failed"


class StickerPacks:
    """The packs, of which nothing is stored: the name of each follows from the person and the bot's token.

    What changes one person's pack happens one after the other.
    """

    def __init__(self, token: str, delivery: Delivery) -> None:
        """Set the bot's token, and what brings calls to Telegram."""
        self._token = token.encode()
        self._delivery = delivery
        self._turns = Turns()

    def name_of(self, person: int, bot: Bot) -> str:
        """Return the name of a person's pack, from which nobody can tell who it is: at most 64 characters."""
        scrambled = hmac.new(self._token, str(person).encode(), hashlib.sha256).hexdigest()[:16]
        return f"mugmoji_{scrambled}_by_{bot.username}"

    def link_to(self, person: int, bot: Bot) -> str:
        """Return the address of a person's pack."""
        return f"https://t.me/addstickers/{self.name_of(person, bot)}"

    async def add(self, bot: Bot, person: int, sticker: Sticker, title: str) -> Outcome:
        """Put a sticker of the chat into a person's pack. title: that of a new one."""
        async with self._turns.of(person):
            try:
                await self._add(bot, person, sticker, title)
            except (BadRequest, Forbidden) as error:
                return _outcome_of(error)
            except TelegramError as error:
                _log.warning("sticker_not_added", platform=Platform.TELEGRAM, reason=short(error))
                return Outcome.FAILED
        return Outcome.ADDED

    async def remove(self, bot: Bot, person: int) -> bool:
        """Remove a person's pack if there is one; return False if Telegram is out of reach or refuses."""
        name = self.name_of(person, bot)
        async with self._turns.of(person):
            try:
                await self._delivery.change(person, lambda _: bot.delete_sticker_set(name))
            except TelegramError as error:
                if not _says(error, _NONE):
                    _log.warning("pack_not_removed", platform=Platform.TELEGRAM, reason=short(error))
                    return False
        return True

    async def stickers(self, bot: Bot, person: int) -> tuple[Sticker, ...]:
        """Return the stickers of a person's pack, the newest first; none if there is no pack or Telegram fails."""
        try:
            pack = await bot.get_sticker_set(self.name_of(person, bot))
        except TelegramError as error:
            if not _says(error, _NONE):
                _log.info("pack_not_read", platform=Platform.TELEGRAM, reason=short(error))
            return ()
        return pack.stickers[::-1]

    async def _add(self, bot: Bot, person: int, sticker: Sticker, title: str) -> None:
        """Add a sticker, to a new pack if there is none. The same one twice is the same as once, so calls may repeat;
        of a pack that was made though the answer was lost, Telegram says that its name is taken.
        """
        name, add = self.name_of(person, bot), self._adding(bot, person, sticker)
        try:
            await self._delivery.change(person, add)
        except BadRequest as error:
            if not _says(error, _NONE):
                raise
            try:
                await self._delivery.change(
                    person,
                    lambda _: bot.create_new_sticker_set(
                        person, name, fitting(title, StickerLimit.MAX_NAME_AND_TITLE), [_copy(sticker)]
                    ),
                )
            except BadRequest as refusal:
                if not _says(refusal, _TAKEN):
                    raise
                await self._delivery.change(person, add)

    def _adding(self, bot: Bot, person: int, sticker: Sticker) -> Callable[[int], Awaitable[bool]]:
        name = self.name_of(person, bot)
        return lambda _: bot.add_sticker_to_set(person, name, _copy(sticker))


def _copy(sticker: Sticker) -> InputSticker:
    return InputSticker(sticker.file_id, [EMOJI], StickerFormat.STATIC)


def _says(error: TelegramError, *words: str) -> bool:
    return any(each in error.message.lower() for each in words)


def _outcome_of(error: TelegramError) -> Outcome:
    _log.info("sticker_refused", platform=Platform.TELEGRAM, reason=short(error))
    if _says(error, _FULL):
        return Outcome.FULL
    if isinstance(error, Forbidden) or _says(error, *_NEVER_WROTE):
        return Outcome.NEVER_WROTE
    return Outcome.FAILED
