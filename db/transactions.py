"""Transactions: one kind that only reads and one that writes, each all or nothing, on SQLite as on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Row, Select, event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import sqlite

_ROWS_AT_ONCE = 500
"""Rows converted to Python objects before the event loop may run something else: about 2 ms of work."""


class Transactions:
    """Opens transactions on one database."""

    def __init__(self, engine: AsyncEngine, before_statement: Callable[[str], None] | None = None) -> None:
        """before_statement: a callback that receives each SQL statement before it runs, and may raise instead; tests
        use it to inject faults.
        """
        self._engine = engine
        self._readers = async_sessionmaker(engine, expire_on_commit=False)
        self._writers = async_sessionmaker(engine.execution_options(**sqlite.WRITING), expire_on_commit=False)
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._has_one_connection = self.is_sqlite and engine.url.database in (None, "", ":memory:")
        self._writing = asyncio.Lock()
        if before_statement is not None:
            event.listen(engine.sync_engine, "before_cursor_execute", _listener(before_statement))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that changes nothing; on SQLite it sees the database as it is at its first statement."""
        async with self._writing if self._has_one_connection else nullcontext(), self._readers() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that is committed at its end, or rolled back completely if anything is raised in it.

        SQLite has one writer at a time: those of this process wait for each other in the order of their arrival, and
        for those of other processes up to `sqlite.BUSY_TIMEOUT_MS`.
        """
        if not self.is_sqlite:
            async with self._writers.begin() as session:
                yield session
            return
        async with self._writing, self._writers.begin() as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def rows_of(
    session: AsyncSession, query: "Select[*tuple[Any, ...]]", values: Mapping[str, object] | None = None
) -> list[Row[*tuple[Any, ...]]]:
    """Return all rows of a query, however many, without holding up the event loop while they are made.

    values: of the query's parameters.
    """
    rows: list[Row[*tuple[Any, ...]]] = []
    async for some in (await session.stream(query, values)).partitions(_ROWS_AT_ONCE):
        rows += some
    return rows


def _listener(before_statement: Callable[[str], None]) -> Callable[..., None]:
    def listen(  # SQLAlchemy's signature
        _connection: Connection,
        _cursor: DBAPICursor,
        statement: str,
        _parameters: Sequence[object],
        _context: object,
        _many: bool,
    ) -> None:
        before_statement(statement)

    return listen
