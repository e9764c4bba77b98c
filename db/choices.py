"""The emoji that people chose; the taste of a person, a chat and everyone is computed from them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, Select, Text, bindparam, cast, exists, select
from sqlalchemy.orm import aliased

from db.enums import TapOrigin
from db.identity import Chat, Person
from db.moments import aware
from db.schema import ChatRow, PersonRow, ReadingRow, TapRow
from db.transactions import Transactions, rows_of


@dataclass(frozen=True)
class StoredChoice:
    """An emoji that was chosen: the seven probabilities of the face, when, a number for the person who chose it, and
    whether they did so by a reaction on the message.
    """

    emoji: str
    probabilities: tuple[float, ...]
    tapped_at: datetime
    person: int
    by_reaction: bool = False


@dataclass(frozen=True)
class TasteRevision:
    """The state of the taps from which a person's and a chat's taste was computed; 0 if nothing is known of them."""

    person: int
    chat: int


class Choices:
    """The last choice for each face by the person who sent it. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def revision(self, person: Person, chat: Chat) -> TasteRevision:
        """Return numbers that change with every tap and every deletion of taps of the person, and in the chat."""
        hashes = {"person": person.hashed(self._secret), "chat": chat.hashed(self._secret)}
        async with self._transactions.read() as session:
            found = (await session.execute(_REVISIONS, hashes)).one()
        return TasteRevision(found[0] or 0, found[1] or 0)

    async def of_person(self, person: Person, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices of a person since then, the newest first."""
        return await self._few(_OF_PERSON, {"hash": person.hashed(self._secret), "since": since, "most": most})

    async def of_chat(self, chat: Chat, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices in a chat since then, the newest first."""
        return await self._few(_OF_CHAT, {"hash": chat.hashed(self._secret), "since": since, "most": most})

    async def of_everyone(self, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices since then, the newest first."""
        async with self._transactions.read() as session:
            rows = await rows_of(session, _NEWEST_CHOICES, {"since": since, "most": most})
        return await asyncio.to_thread(_stored, rows)

    async def _few(self, query: "Select[*tuple[Any, ...]]", values: dict[str, object]) -> tuple[StoredChoice, ...]:
        async with self._transactions.read() as session:
            return _stored((await session.execute(query, values)).all())


def _newest_choices() -> "Select[*tuple[Any, ...]]":
    later = aliased(TapRow)
    corrected = exists().where(later.reading_id == TapRow.reading_id, later.id > TapRow.id, later.person_id.is_(None))
    return (
        select(TapRow.emoji, cast(ReadingRow.probabilities, Text), TapRow.tapped_at, TapRow.sender_id, TapRow.origin)
        .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
        .where(TapRow.emoji.is_not(None), TapRow.person_id.is_(None), ~corrected)
        .where(TapRow.tapped_at >= bindparam("since", type_=TapRow.tapped_at.type))
        .order_by(TapRow.tapped_at.desc())
        .limit(bindparam("most", type_=Integer()))
    )


def _row_with(table: type[PersonRow | ChatRow], column: Any, name: str) -> Any:
    return select(column).where(table.hash == bindparam(name)).scalar_subquery()


# Made once: to put a query together takes longer than to run it.
_NEWEST_CHOICES = _newest_choices()
_OF_PERSON = _NEWEST_CHOICES.where(TapRow.sender_id == _row_with(PersonRow, PersonRow.id, "hash"))
_OF_CHAT = _NEWEST_CHOICES.where(TapRow.chat_id == _row_with(ChatRow, ChatRow.id, "hash"))
_REVISIONS = select(
    _row_with(PersonRow, PersonRow.taste_revision, "person"), _row_with(ChatRow, ChatRow.taste_revision, "chat")
)


def _stored(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[StoredChoice, ...]:
    sevens = json.loads(f"[{','.join(row[1] for row in rows)}]")
    return tuple(
        StoredChoice(emoji, tuple(seven), aware(at), who, origin == TapOrigin.REACTION)
        for (emoji, _, at, who, origin), seven in zip(rows, sevens, strict=True)
    )
