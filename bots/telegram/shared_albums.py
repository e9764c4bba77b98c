"""Gather an album whose messages come to several processes, each only when the one before is acknowledged.

The first message opens the album in the journal, and its process answers it; what comes later, wherever it comes, is
added there. So each message is safe as soon as it came, and if the process dies another one answers what was gathered.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, Message
from telegram.constants import ChatType

from bots.serving.journal import Entry, Journal
from bots.telegram import identity
from bots.telegram.addressing import Wish, wish_in
from bots.telegram.albums import LONGEST_S, MOST_ITEMS
from bots.telegram.files import file_in
from bots.telegram.questions import Question, address_of, question_at
from bots.telegram.updates import settlement
from db import PARTS, Address, Chat, gathering

_HAS_WISH, _ASKS = "has_wish", "asks"
"""What a part of an album has besides the address of a question about it alone."""


@dataclass(frozen=True)
class Album:
    """An album that is complete. question: about all of it. asks: the bot is meant; else nobody spoke to it. messages:
    the numbers of all of them, with a file that can be read or not.
    """

    question: Question
    asks: bool
    messages: tuple[int, ...]

    def unasked(self) -> Question | None:
        """Return what is answered automatically: its photos; None if it has none."""
        files = zip([file for file in self.question.files if file is not None], self.question.numbers, strict=True)
        photos = [(file, number) for file, number in files if file.is_photo]
        if not photos:
            return None
        return replace(
            self.question,
            files=tuple(file for file, _ in photos),
            numbers=tuple(number for _, number in photos),
            is_automatic=True,
        )


class SharedAlbums:
    """Albums in the journal."""

    def __init__(
        self,
        journal: Journal,
        quiet_s: float,
        is_attempt: Callable[[Message], Awaitable[bool]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the parts. quiet_s: seconds without another message after which an album is taken for complete.
        is_attempt: whether a message takes part in a game. clock: returns seconds.
        """
        self._journal = journal
        self._quiet_s = quiet_s
        self._is_attempt = is_attempt
        self._clock = clock

    async def take(self, message: Message, chat: Chat, answer: Callable[[Album, Entry], Awaitable[None]]) -> bool:
        """Add a message to its album, and answer the album if this is its first one; return False if the journal does
        not take the message, which is then to be answered alone.
        """
        part, name = await self._part(message), _name_of(message)
        entry = await self._journal.enter(identity.sender_of(message), chat, name, gathering(part))
        if entry is None:
            return await self._journal.add(chat, name, part, MOST_ITEMS)
        if not entry.is_stored:
            return False
        settlement().settle()
        async with entry:
            if parts := await self._gathered(entry):
                await answer(album_at(parts, message.get_bot(), {message.message_id: message}), entry)
        return True

    async def has_answered(self, message: Message, chat: Chat) -> bool:
        """Return whether the album of a message was answered, or is being answered, by this process or another."""
        address = await self._journal.find(chat, _name_of(message))
        return address is not None and (PARTS not in address or _is_asked(address[PARTS]))

    async def _gathered(self, entry: Entry) -> Sequence[Address]:
        """Wait until an album is complete; return its parts, none if it is another process's now."""
        began, count, before = self._clock(), 1, 0
        with suppress(SQLAlchemyError, OSError):  # it is left to whoever reaches the database first
            while before < count < MOST_ITEMS and self._clock() - began < LONGEST_S:
                await asyncio.sleep(self._quiet_s)
                before, count = count, len(await entry.parts())
            return await entry.end_gathering()
        return ()

    async def _part(self, message: Message) -> Address:
        wish, file = wish_in(message, message.get_bot()), file_in(message)
        asks = wish is not None or message.chat.type == ChatType.PRIVATE or await self._is_attempt(message)
        numbers = (message.message_id,) if file is not None else ()
        sender, is_new = identity.author_of(message), message.forward_origin is None
        question = Question(wish or Wish.EMOJI, message, (message,), (file,), numbers, sender, is_new=is_new)
        return {**address_of(question), _HAS_WISH: wish is not None, _ASKS: asks}


def album_at(parts: Sequence[Address], bot: Bot, known: Mapping[int, Message] | None = None) -> Album:
    """Return the album of some parts.

    known: messages by their numbers, of which more is known than their address tells. Raise as `question_at` does, and
    `ValueError` for no parts.
    """
    parts = sorted(parts, key=lambda part: int(part["message"]))
    asking = max(parts, key=lambda part: (bool(part[_HAS_WISH]), bool(part[_ASKS])))  # the first of the best
    question, messages = question_at(asking, bot), known or {}
    shown = question_at(parts[0], bot).shown
    whole = replace(
        question,
        asking=messages.get(question.asking.message_id, question.asking),
        shown=tuple(messages.get(each.message_id, each) for each in shown),
        files=tuple(file for part in parts for file in question_at(part, bot).files),
        numbers=tuple(number for part in parts for number in part["numbers"]),
    )
    return Album(whole, _is_asked(parts), tuple(int(part["message"]) for part in parts))


def _is_asked(parts: Sequence[Address]) -> bool:
    """Check whether some part asks for an answer to the album."""
    return any(part[_ASKS] for part in parts)


def _name_of(message: Message) -> str:
    """Return what the journal calls the album of a message."""
    return f"album {message.media_group_id}"
