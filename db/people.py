"""The row of a person or a chat, created if there is none yet."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.identity import Chat, Person
from db.schema import ChatRow, PersonRow

_Row = TypeVar("_Row", PersonRow, ChatRow)


async def row_of(session: AsyncSession, table: type[_Row], identity: Person | Chat, secret: str) -> _Row:
    """Return the row whose hash is that of `identity` under `secret`."""
    digest = identity.hashed(secret)
    query = select(table).where(table.hash == digest).with_for_update(read=True, key_share=True)  # not forgotten before
    row = await session.scalar(query)
    if row is not None:
        return row
    try:
        async with session.begin_nested():
            session.add(table(platform=identity.platform, hash=digest))
    except IntegrityError:
        pass  # another photo of the same person was stored first
    return (await session.scalars(query)).one()
