"""Rows that may be there already: of a person or a chat, and others that are stored in place of an earlier one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.identity import Chat, Person
from db.schema import Base, ChatRow, ForgettingsRow, OpenMessageRow, PersonRow

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
            new = table(platform=identity.platform, hash=digest)
            if isinstance(new, PersonRow):
                new.known_since = await session.scalar(select(func.max(ForgettingsRow.count))) or 0
            session.add(new)
    except IntegrityError:
        pass  # another photo of the same person was stored first
    return (await session.scalars(query)).one()


async def rows_of_all(
    session: AsyncSession, people: Collection[Person], chat: Chat, secret: str
) -> tuple[dict[Person, PersonRow], ChatRow]:
    """Return the rows of people and a chat, as `row_of` does, by one query if there is one person and both are there.

    New rows are stored in one order, people by their hashes and then the chat, so that of transactions at once none
    waits for another that waits for it.
    """
    first = next(iter(people))
    hashes = {"person": first.hashed(secret), "chat": chat.hashed(secret)}
    both = (await session.execute(_BOTH, hashes)).one_or_none()
    rows = {first: both[0]} if both is not None else {}
    for person in sorted(set(people) - set(rows), key=lambda each: each.hashed(secret)):
        rows[person] = await row_of(session, PersonRow, person, secret)
    return rows, both[1] if both is not None else await row_of(session, ChatRow, chat, secret)


_BOTH = (
    select(PersonRow, ChatRow)
    .join(ChatRow, ChatRow.hash == bindparam("chat"))
    .where(PersonRow.hash == bindparam("person"))
    .with_for_update(read=True, key_share=True)
)


async def add_unless_there(
    session: AsyncSession, table: type[OpenMessageRow], key: str, row: Mapping[str, Any]
) -> int | None:
    """Store a row and return its number; None if there is one with the same value in a column with a unique index."""
    adding = _insert(session)(table).values(**row).on_conflict_do_nothing(index_elements=[key])
    return await session.scalar(adding.returning(table.id))


async def put_where(
    session: AsyncSession,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    free: ColumnElement[bool],
) -> list[Any]:
    """Store rows, each in place of the one that has the same key where that one is free; return the values of the
    key's last column in the rows that were stored.

    key: columns with a unique index. free: a condition on the row that is there.
    """
    adding = _insert(session)(table).values(list(rows))
    changed = {name: adding.excluded[name] for name in rows[0] if name not in key}
    stored = adding.on_conflict_do_update(index_elements=list(key), set_=changed, where=free)
    return list(await session.scalars(stored.returning(table.__table__.c[key[-1]])))


async def put(session: AsyncSession, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Store a row in place of the one that has the same key, if there is one; also if another is stored just now.

    key: columns with a unique index; where one of them is None, a row is added.
    """
    row = _insert(session)(table).values(**key, **values)
    await session.execute(row.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def _insert(session: AsyncSession) -> Callable[[type[Base]], sqlite.Insert | postgresql.Insert]:
    """Return what inserts a row in the dialect of a database, which says what happens if it is there."""
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
