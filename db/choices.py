"""The emoji that people chose; the taste of a person, a chat and everyone is computed from them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, cast, exists, select
from sqlalchemy.orm import aliased

from db.identity import Chat, Person
from db.moments import aware
from db.schema import ChatRow, PersonRow, ReadingRow, TapRow
from db.transactions import Transactions, rows_of


@dataclass(frozen=True)
class StoredChoice:
    """An emoji that was chosen: the seven probabilities of the face, when, and a number for the person who chose it."""

    emoji: str
    probabilities: tuple[float, ...]
    tapped_at: datetime
    person: int


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
        """Return numbers that change with every tap, and every deletion of taps, of the person and in the chat."""
        of_person = select(PersonRow.taste_revision).where(PersonRow.hash == person.hashed(self._secret))
        of_chat = select(ChatRow.taste_revision).where(ChatRow.hash == chat.hashed(self._secret))
        both = select(of_person.scalar_subquery(), of_chat.scalar_subquery())
        async with self._transactions.read() as session:
            found = (await session.execute(both)).one()
        return TasteRevision(found[0] or 0, found[1] or 0)

    async def of_person(self, person: Person, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices of a person since a time, the newest first."""
        who = select(PersonRow.id).where(PersonRow.hash == person.hashed(self._secret)).scalar_subquery()
        return await self._choices(since, most, TapRow.sender_id == who)

    async def of_chat(self, chat: Chat, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices in a chat since a time, the newest first."""
        where = select(ChatRow.id).where(ChatRow.hash == chat.hashed(self._secret)).scalar_subquery()
        return await self._choices(since, most, TapRow.chat_id == where)

    async def of_everyone(self, since: datetime, most: int) -> tuple[StoredChoice, ...]:
        """Return the `most` newest choices of everyone since a time, the newest first."""
        return await self._choices(since, most)

    async def _choices(self, since: datetime, most: int, *which: ColumnElement[bool]) -> tuple[StoredChoice, ...]:
        query = _newest_choices().where(TapRow.tapped_at >= since, *which).limit(most)
        async with self._transactions.read() as session:
            rows = await rows_of(session, query)
        return await asyncio.to_thread(_stored, rows)


def _newest_choices() -> "Select[*tuple[Any, ...]]":
    later = aliased(TapRow)
    corrected = exists().where(later.reading_id == TapRow.reading_id, later.id > TapRow.id, later.person_id.is_(None))
    return (
        select(TapRow.emoji, cast(ReadingRow.probabilities, Text), TapRow.tapped_at, TapRow.sender_id)
        .join(ReadingRow, TapRow.reading_id == ReadingRow.id)
        .where(TapRow.emoji.is_not(None), TapRow.person_id.is_(None), ~corrected)
        .order_by(TapRow.tapped_at.desc())
    )


def _stored(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[StoredChoice, ...]:
    sevens = json.loads(f"[{','.join(seven for _, seven, _, _ in rows)}]")
    return tuple(
        StoredChoice(emoji, tuple(seven), aware(at), who)
        for (emoji, _, at, who), seven in zip(rows, sevens, strict=True)
    )
