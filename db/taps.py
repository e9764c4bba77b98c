"""Taps on faces, on buttons or by a reaction of the platform: who said what last."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.enums import TapOrigin
from db.identity import ChatMessage, Person
from db.people import put, row_of
from db.schema import ChatRow, MessageRow, PersonRow, PhotoRow, ReadingRow, TapRow
from db.transactions import Transactions

MOST_TAPS = 20
"""Taps of the person who asked that are stored for one face; of more, the oldest go."""


@dataclass(frozen=True)
class _Said:
    """What a tap says: an emoji, an emotion, or neither; and how."""

    emoji: str | None
    emotion: str | None
    origin: TapOrigin = TapOrigin.BUTTON

    @classmethod
    def by(cls, row: TapRow) -> "_Said":
        """Return what a stored tap says."""
        return cls(row.emoji, row.emotion, TapOrigin(row.origin))


class Taps:
    """Stores taps. Every method is one transaction. Saying the same again changes nothing."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def add(
        self, reading_id: int, *, emoji: str | None = None, emotion: str | None = None, voter: Person | None = None
    ) -> None:
        """Store a tap: an emoji, a corrected emotion, or neither for "none of these". A later one corrects it.

        voter: the person who tapped, if it is not the one who asked about the photo.
        """
        async with self._transactions.write() as session:
            photo = await session.scalar(select(PhotoRow).join(ReadingRow).where(ReadingRow.id == reading_id))
            if photo is not None:
                await self._store(session, photo, reading_id, _Said(emoji, emotion), voter)

    async def react(self, message: ChatMessage, person: Person, emoji: str | None) -> bool:
        """Store that a person reacted with an emoji on a message with a photo of theirs or on the answer to it; None if
        they took their reaction away. Return whether anything was stored or deleted.

        It counts only where it is clear which face is meant, and where they have tapped no button.
        """
        digest = person.hashed(self._secret)
        theirs = select(PersonRow.id).where(PersonRow.hash == digest).scalar_subquery()
        query = (
            select(PhotoRow)
            .join(MessageRow, MessageRow.photo_id == PhotoRow.id)
            .where(MessageRow.hash == message.hashed(self._secret))
            .where(or_(PhotoRow.person_id == theirs, PhotoRow.author_id == theirs))
        )
        async with self._transactions.write() as session:
            photo = await session.scalar(query)
            if photo is None:
                return False
            readings = (await session.scalars(select(ReadingRow.id).where(ReadingRow.photo_id == photo.id))).all()
            if len(readings) != 1:
                return False
            asker = await session.scalar(select(PersonRow.hash).where(PersonRow.id == photo.person_id))
            voter = None if asker == digest else person
            said = _Said(emoji, None, TapOrigin.REACTION) if emoji is not None else None
            return await self._store(session, photo, readings[0], said, voter)

    async def note_messages(self, photo_id: int, messages: Sequence[ChatMessage]) -> None:
        """Store that these messages show a photo or the answer to it; do nothing if it is no longer stored."""
        async with self._transactions.write() as session:
            if await session.scalar(select(PhotoRow.id).where(PhotoRow.id == photo_id).with_for_update(read=True)):
                await note(session, photo_id, [message.hashed(self._secret) for message in messages])

    async def _store(
        self, session: AsyncSession, photo: PhotoRow, reading_id: int, said: _Said | None, voter: Person | None
    ) -> bool:
        """Store what a person says, None if they take a reaction away; return whether anything changed."""
        who = await self._locked(session, photo, voter)
        # The rows are locked now, and if the photo's people were forgotten until then, so was the reading.
        if await session.scalar(select(ReadingRow.id).where(ReadingRow.id == reading_id)) is None:
            return False
        mine = (TapRow.reading_id == reading_id) & (
            TapRow.person_id.is_(None) if who is None else TapRow.person_id == who
        )
        last = await session.scalar(select(TapRow).where(mine).order_by(TapRow.id.desc()).limit(1))
        is_reaction = said is None or said.origin is TapOrigin.REACTION
        is_weaker = is_reaction and last is not None and last.origin != TapOrigin.REACTION
        if is_weaker or (said is None if last is None else said == _Said.by(last)):
            return False
        await self._replace(session, photo, reading_id, who, mine, said)
        if who is None:
            await change_tastes(session, [photo.person_id], [photo.chat_id])
        return True

    async def _locked(self, session: AsyncSession, photo: PhotoRow, voter: Person | None) -> int | None:
        """Lock the rows of those who are concerned; return the number of the voter."""
        who = None if voter is None else (await row_of(session, PersonRow, voter, self._secret)).id
        asker = select(PersonRow.id).where(PersonRow.id == photo.person_id)
        is_vote = who is not None
        await session.execute(asker.with_for_update(read=is_vote, key_share=is_vote))
        return who

    async def _replace(  # noqa: PLR0913, PLR0917  # what is known of a tap
        self,
        session: AsyncSession,
        photo: PhotoRow,
        reading_id: int,
        who: int | None,
        mine: ColumnElement[bool],
        said: _Said | None,
    ) -> None:
        """Store a new tap of a person; of theirs before, those stay that were on buttons, and of a vote none."""
        obsolete = mine if who is not None else mine & (TapRow.origin == TapOrigin.REACTION)
        await session.execute(delete(TapRow).where(obsolete))
        if said is None:
            return
        facts = {"emoji": said.emoji, "emotion": said.emotion, "origin": said.origin.value}
        row = {"sender_id": photo.person_id, "chat_id": photo.chat_id, **facts}
        await put(session, TapRow, {"reading_id": reading_id, "person_id": who}, row)
        newest = select(TapRow.id).where(mine).order_by(TapRow.id.desc()).limit(MOST_TAPS)
        await session.execute(delete(TapRow).where(mine, TapRow.id.not_in(newest)))


async def note(session: AsyncSession, photo_id: int, hashes: Sequence[str]) -> None:
    """Store the hashes of messages as those of a photo; one that was another photo's before is this one's now."""
    for digest in sorted(set(hashes)):
        await put(session, MessageRow, {"hash": digest}, {"photo_id": photo_id})


async def change_tastes(session: AsyncSession, people: Sequence[int], chats: Sequence[int]) -> None:
    """Mark the taps of these people or chats as changed, so that a taste computed from them is computed again."""
    for table, numbers in ((PersonRow, people), (ChatRow, chats)):
        if numbers:
            changed = {"taste_revision": table.taste_revision + 1}
            await session.execute(update(table).where(table.id.in_(numbers)).values(changed))
