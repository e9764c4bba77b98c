"""Emoji of a chat's own, which its administrators mapped to emotions or to emoji of the map."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.identity import Chat
from db.people import row_of
from db.schema import ChatEmojiRow, ChatRow
from db.transactions import Transactions

MOST_OF_A_CHAT = 50
MOST_SYMBOL = 64
"""Characters of a symbol."""


@dataclass(frozen=True)
class OwnEmoji:
    """One emoji of a chat's own.

    symbol: as the platform's adapter writes it. meaning: an emotion or an emoji, as it was mapped. stands_for: the
    emoji of the map that it counts as.
    """

    symbol: str
    meaning: str
    stands_for: str


class ChatEmoji:
    """Stores the emoji of chats. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def of(self, chat: Chat) -> tuple[OwnEmoji, ...]:
        """Return the emoji of a chat, in the order in which they were mapped."""
        async with self._transactions.read() as session:
            return await emoji_of(session, chat.hashed(self._secret))

    async def put(self, chat: Chat, emoji: OwnEmoji) -> bool:
        """Map an emoji, in place of what it was mapped to before; return False if the chat has `MOST_OF_A_CHAT`."""
        async with self._transactions.write() as session:
            where = (await row_of(session, ChatRow, chat, self._secret)).id
            known = ChatEmojiRow.chat_id == where
            row = await session.scalar(select(ChatEmojiRow).where(known, ChatEmojiRow.symbol == emoji.symbol))
            if row is not None:
                row.meaning, row.stands_for = emoji.meaning, emoji.stands_for
                return True
            if (await session.scalar(select(func.count()).where(known)) or 0) >= MOST_OF_A_CHAT:
                return False
            session.add(
                ChatEmojiRow(chat_id=where, symbol=emoji.symbol, meaning=emoji.meaning, stands_for=emoji.stands_for)
            )
            return True

    async def remove(self, chat: Chat, symbol: str) -> bool:
        """Take an emoji out; return whether it was there."""
        where = select(ChatRow.id).where(ChatRow.hash == chat.hashed(self._secret)).scalar_subquery()
        mine = ChatEmojiRow.chat_id == where, ChatEmojiRow.symbol == symbol
        async with self._transactions.write() as session:
            gone = (await session.scalars(delete(ChatEmojiRow).where(*mine).returning(ChatEmojiRow.id))).all()
            return bool(gone)


async def emoji_of(session: AsyncSession, chat_hash: str) -> tuple[OwnEmoji, ...]:
    """Return the emoji of a chat, by its hash, in the order in which they were mapped."""
    query = (
        select(ChatEmojiRow.symbol, ChatEmojiRow.meaning, ChatEmojiRow.stands_for)
        .join(ChatRow, ChatEmojiRow.chat_id == ChatRow.id)
        .where(ChatRow.hash == chat_hash)
        .order_by(ChatEmojiRow.id)
    )
    return tuple(OwnEmoji(*row) for row in await session.execute(query))
