"""Transactions: one kind that only reads and one that writes, each all or nothing, on SQLite as on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, Row, Select, event, func, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import sqlite

_SCRUBBING_PAUSES_S = (0.0, 0.05, 0.2, 0.5, 1.0)
_WRITING_LOCK = 7_253_117
_ALONE = select(func.pg_advisory_xact_lock(_WRITING_LOCK))
_TOGETHER = select(func.pg_advisory_xact_lock_shared(_WRITING_LOCK))
"""Locks until the end of a transaction, which exclude one that is alone
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).
"""
_ROWS_AT_ONCE = 500
"""Rows converted to Python objects before the event loop may run something else: about 2 ms of work."""


class Transactions:
    """Opens transactions on one database."""

    def __init__(
        self,
        engine: AsyncEngine,
        before_statement: Callable[[str], None] | None = None,
        file: sqlite.DatabaseFile | None = None,
        prepare: Callable[[AsyncEngine], Awaitable[None]] | None = None,
    ) -> None:
        """before_statement: a callback that receives each SQL statement before it runs, and may raise instead; tests
        use it to inject faults. file: of a SQLite database, None for one in memory. prepare: makes a database ready
        that was put in the place of the one that was opened.
        """
        self._engine = engine
        self._file = file
        self._prepare = prepare
        self._reopening = asyncio.Lock()
        self._readers = async_sessionmaker(engine, expire_on_commit=False)
        self._writers = async_sessionmaker(engine.execution_options(**sqlite.WRITING), expire_on_commit=False)
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._has_one_connection = self.is_sqlite and engine.url.database in (None, "", ":memory:")
        self._writing = asyncio.Lock()
        if before_statement is not None:
            event.listen(engine.sync_engine, "before_cursor_execute", _listener(before_statement))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that changes nothing; on SQLite it sees the database as it is at its first statement.

        Raise `sqlite.DatabaseGoneError`.
        """
        await self._require_file()
        async with self._writing if self._has_one_connection else nullcontext(), self._readers() as session:
            yield session

    @asynccontextmanager
    async def write(self, *, alone: bool = False) -> AsyncIterator[AsyncSession]:
        """Open a transaction that is committed at its end, or rolled back completely if anything is raised in it.

        alone: no other writer is at work meanwhile, for rare ones that touch the rows of many; on PostgreSQL, where
        others lock theirs in another order.

        SQLite has one writer at a time: those of this process wait for each other in the order of their arrival, and
        for those of other processes up to `sqlite.BUSY_TIMEOUT_MS`. Raise `sqlite.DatabaseGoneError`.
        """
        await self._require_file()
        if not self.is_sqlite:
            async with self._writers.begin() as session:
                await session.execute(_ALONE if alone else _TOGETHER)
                yield session
            return
        async with self._writing, self._writers.begin() as session:
            yield session

    async def scrub(self) -> bool:
        """Let nothing that was deleted stay readable in SQLite's write-ahead log; return False if readers prevent it.

        What is deleted is overwritten in the database itself (`secure_delete`), but the log still holds what it was.
        """
        if not self.is_sqlite or self._has_one_connection:
            return True
        for pause_s in _SCRUBBING_PAUSES_S:
            await asyncio.sleep(pause_s)
            async with self._engine.execution_options(**sqlite.OUTSIDE).connect() as connection:
                is_busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
            if not is_busy:
                return True
        return False

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _require_file(self) -> None:
        """Raise `sqlite.DatabaseGoneError` if the database's file is gone; open another one that took its place."""
        if self._file is None or self._file.is_same():
            return
        async with self._reopening:
            if self._file.is_same():
                return
            await self._engine.dispose()
            opened = self._file.prepare()
            if self._prepare is not None:
                try:
                    await self._prepare(self._engine)
                except CommandError as error:
                    raise sqlite.DatabaseGoneError("the file in its place is of another version") from error
            self._file.know(opened)


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
