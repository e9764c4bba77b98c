"""Photos that are being answered, so that a process that ends in the middle of it leaves nobody without an answer.

Stored is what the platform needs to find the message again: ids, and of a command of Discord's the token that lets the
bot answer it; never a photo or a word. A row is there only while its photo waits; of one that was answered only its
hash stays for a while, so that it is not answered again. What has been there too long goes by `db.retention`.

A row belongs to one process, which renews its hold on it. Another takes over what nobody holds any more. Who is about
to send an answer says so first, in a transaction that fails where another process has taken over meanwhile.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.enums import Platform
from db.forgettings import FORGETTINGS
from db.identity import Chat, ChatMessage, Person
from db.moments import MOST_APART, aware
from db.people import add_unless_there
from db.schema import AnsweredMessageRow, OpenMessageRow
from db.transactions import Transactions

MOST_OPEN_IN_A_CHAT = 1000
"""Photos of a chat that are remembered at once; further ones are answered all the same, unless the process ends."""

SENDER = "sender"
"""The part of an address that names who sent the photo, if that is another person than asks; None for nobody."""
PARTS = "parts"
"""The part of an address that holds those of an album, which come one by one, perhaps to several processes."""
_IS_WHOLE = "is_whole"
Address = Mapping[str, Any]
"""What a platform needs to find a message again, or to answer a command, in JSON: ids, facts about files, a token of
Discord's that is worth nothing after 15 minutes; no content.
"""


def gathering(part: Address) -> Address:
    """Return the address of a message whose parts are being gathered, of which this is the first."""
    return {PARTS: [part], _IS_WHOLE: False}


@dataclass(frozen=True)
class OpenMessage:
    """A photo that a process took over.

    since: when it was asked about. may_be_answered: its process ended while it sent the answer. forgettings: how often
    somebody had been forgotten then. message_hash: of the message that asks.
    """

    id: int
    address: Address
    since: datetime
    may_be_answered: bool
    forgettings: int
    message_hash: str


@dataclass(frozen=True)
class Opened:
    """A photo that is being answered. id: None where its chat has too many open. forgettings, message_hash: as in
    `OpenMessage`.
    """

    id: int | None
    forgettings: int
    message_hash: str


@dataclass(frozen=True)
class OwnMessages:
    """Of one person: since when photos wait for their answer, and when others were answered, the oldest first."""

    waiting: tuple[datetime, ...] = ()
    answered: tuple[datetime, ...] = ()


class KnownError(Exception):
    """The message was answered before, or is being answered."""


class Journal:
    """Open messages. Every method is one transaction. holder: the name of a process, at most 32 characters."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    def hash_of(self, message: ChatMessage) -> str:
        """Return what a message is stored as."""
        return message.hashed(self._secret)

    async def open(  # noqa: PLR0913, PLR0917  # what is known of a message
        self, person: Person, chat: Chat, message: ChatMessage, address: Address, holder: str, now: datetime,
        held_until: datetime,
    ) -> Opened:  # fmt: skip
        """Store that a message is being answered, unless its chat has too many open.

        message: the one that asks. Called again with the same `now`, because its answer was lost, it returns the same.
        Raise `KnownError`.
        """
        digest, where = message.hashed(self._secret), chat.hashed(self._secret)
        open_rows, answered = OpenMessageRow, AnsweredMessageRow
        async with self._transactions.write() as session:
            before = select(
                select(answered.message_hash).where(answered.message_hash == digest).exists()
                | select(open_rows.id).where(open_rows.message_hash == digest).exists(),
                select(func.count()).where(open_rows.chat_hash == where).scalar_subquery(),
                FORGETTINGS.scalar_subquery(),
            )
            is_known, count, forgotten = (await session.execute(before)).one()
            if is_known:
                mine = open_rows.message_hash == digest, open_rows.holder == holder, open_rows.since == now
                if (own := await session.scalar(select(open_rows).where(*mine))) is not None:
                    return Opened(own.id, own.forgettings, digest)
                raise KnownError
            if count >= MOST_OPEN_IN_A_CHAT:
                return Opened(None, forgotten, digest)
            row = {
                "platform": message.platform.value,
                "message_hash": digest,
                "person_hash": person.hashed(self._secret),
                "chat_hash": where,
                "address": dict(address),
                "since": now,
                "holder": holder,
                "held_until": held_until,
                "is_sending": False,
                "forgettings": forgotten,
            }
            number = await add_unless_there(session, open_rows, "message_hash", row)
            if number is None:  # another process has just got the same message
                raise KnownError
            return Opened(number, forgotten, digest)

    async def extend(self, message_hash: str, part: Address, most: int) -> bool:
        """Add a part to what is gathered in the address of a message; return False if it is whole, or not there.

        most: parts of one message; a further one is left out.
        """
        rows = select(OpenMessageRow).where(OpenMessageRow.message_hash == message_hash).with_for_update()
        async with self._transactions.write() as session:
            row = await session.scalar(rows)
            parts = row.address.get(PARTS, []) if row is not None else []
            if part in parts:  # its answer was lost
                return True
            if row is None or row.address.get(_IS_WHOLE, True) or len(parts) >= most:
                return False
            row.address = {**row.address, PARTS: [*parts, part]}
            return True

    async def find(self, message_hash: str) -> Address | None:
        """Return the address of a message that is being answered, an empty one for one that was; None for others."""
        rows, answered = OpenMessageRow, AnsweredMessageRow
        async with self._transactions.read() as session:
            found = select(rows.address).where(rows.message_hash == message_hash)
            address: Address | None = await session.scalar(found)
            if address is not None:
                return address
            was = select(answered.message_hash).where(answered.message_hash == message_hash)
            return {} if await session.scalar(was) is not None else None

    async def parts(self, number: int) -> list[Address]:
        """Return what is gathered so far; nothing for a message that is not there."""
        async with self._transactions.read() as session:
            address = await session.scalar(select(OpenMessageRow.address).where(OpenMessageRow.id == number))
            return list((address or {}).get(PARTS, []))

    async def end_gathering(self, number: int, holder: str) -> list[Address]:
        """Let nothing more be added, and return what was; nothing if the message is another process's."""
        mine = select(OpenMessageRow).where(OpenMessageRow.id == number, OpenMessageRow.holder == holder)
        async with self._transactions.write() as session:
            row = await session.scalar(mine.with_for_update())
            if row is None:
                return []
            row.address = {**row.address, _IS_WHOLE: True}
            return list(row.address.get(PARTS, []))

    async def drop(self, number: int, holder: str) -> None:
        """Remove a message that asks for nothing, and remember nothing of it."""
        mine = OpenMessageRow.id == number, OpenMessageRow.holder == holder
        async with self._transactions.write() as session:
            await session.execute(delete(OpenMessageRow).where(*mine))

    async def begin_to_send(self, number: int, holder: str, since: int, message_hash: str) -> bool:
        """Store that the answer is about to be sent; return False if that is no longer this process's to do.

        since: the count of forgettings when it was asked about; whoever was forgotten since still gets their answer.
        message_hash: of the message that asks, which tells whether another process has answered it.
        """
        mine = OpenMessageRow.id == number, OpenMessageRow.holder == holder
        async with self._transactions.write() as session:
            changed = update(OpenMessageRow).where(*mine).values(is_sending=True).returning(OpenMessageRow.id)
            if await session.scalar(changed) is not None:
                return True
            others = select(
                select(OpenMessageRow.id).where(OpenMessageRow.id == number).exists()
                | select(AnsweredMessageRow.at).where(AnsweredMessageRow.message_hash == message_hash).exists()
            )
            is_gone = not await session.scalar(others)
            return is_gone and (await session.scalar(FORGETTINGS) or 0) > since

    async def put_off(self, number: int, holder: str) -> None:
        """Store that the answer certainly was not sent, so that who takes the message over sends it."""
        mine = OpenMessageRow.id == number, OpenMessageRow.holder == holder
        async with self._transactions.write() as session:
            await session.execute(update(OpenMessageRow).where(*mine).values(is_sending=False))

    async def close(self, number: int, holder: str, now: datetime) -> None:
        """Remove a message that was answered, or that cannot be, and remember that."""
        mine = OpenMessageRow.id == number, OpenMessageRow.holder == holder
        columns = OpenMessageRow.message_hash, OpenMessageRow.person_hash
        async with self._transactions.write() as session:
            closed = (await session.execute(delete(OpenMessageRow).where(*mine).returning(*columns))).one_or_none()
            if closed is not None:
                digest, who = closed
                await session.execute(insert(AnsweredMessageRow).values(message_hash=digest, person_hash=who, at=now))

    async def renew(self, holder: str, held_until: datetime, *, left: Collection[int] = ()) -> None:
        """Hold on to the open messages of a process. left: numbers of those that it has given up."""
        async with self._transactions.write() as session:
            mine = update(OpenMessageRow).where(OpenMessageRow.holder == holder, OpenMessageRow.id.not_in(left))
            await session.execute(mine.values(held_until=held_until))

    async def take(  # noqa: PLR0913  # the terms of the hold
        self,
        platform: Platform,
        holder: str,
        now: datetime,
        held_until: datetime,
        most: int,
        *,
        left: Collection[int] = (),
    ) -> list[OpenMessage]:
        """Take over up to `most` messages that nobody holds any more, the oldest first. left: as in `renew`."""
        rows = OpenMessageRow
        is_over = or_(rows.held_until < now, rows.held_until > held_until + MOST_APART)
        is_free = is_over, or_(rows.holder != holder, rows.id.in_(left))
        free = select(rows).where(rows.platform == platform.value, *is_free)
        async with self._transactions.write() as session:
            found = (await session.scalars(free.order_by(rows.id).limit(most).with_for_update(skip_locked=True))).all()
            for row in found:
                row.holder, row.held_until = holder, held_until
            return [
                OpenMessage(row.id, row.address, aware(row.since), row.is_sending, row.forgettings, row.message_hash)
                for row in found
            ]

    async def of(self, person: Person) -> OwnMessages:
        """Return what is stored of a person."""
        digest = person.hashed(self._secret)
        waiting = select(OpenMessageRow.since).where(OpenMessageRow.person_hash == digest)
        answered = select(AnsweredMessageRow.at).where(AnsweredMessageRow.person_hash == digest)
        async with self._transactions.read() as session:
            return OwnMessages(
                tuple(map(aware, await session.scalars(waiting.order_by(OpenMessageRow.id)))),
                tuple(map(aware, await session.scalars(answered.order_by(AnsweredMessageRow.at)))),
            )


async def forget_sender(session: AsyncSession, person: Person) -> None:
    """Leave out who sent a photo that somebody else asked about, or forwarded, where that is this person."""
    rows = select(OpenMessageRow).where(OpenMessageRow.platform == person.platform.value)
    for row in await session.scalars(rows):
        if (kept := _without_sender(row.address, person.id)) != row.address:
            row.address = dict(kept)


def _without_sender(address: Address, sender: str) -> Address:
    """Return an address, and those of an album's parts in it, without a sender; the same if it names another one."""
    kept = {**address, SENDER: None} if address.get(SENDER) == sender else address
    parts = kept.get(PARTS, [])
    kept_parts = [_without_sender(part, sender) for part in parts]
    return {**kept, PARTS: kept_parts} if kept_parts != parts else kept
