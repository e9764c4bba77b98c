"""How a SQLite file is opened: its pragmas, real transactions, and a connection that can be closed at any moment.

By default the driver begins a transaction late and commits at every savepoint, so that half of a transaction may be
stored. As SQLAlchemy documents (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "Serializable isolation /
Savepoints / Transactional DDL"), the driver's own handling is switched off and BEGIN is sent explicitly.
"""

import asyncio
import sqlite3
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

_ROWS_AT_ONCE = 64
"""The default of `aiosqlite.connect`."""
BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for one in another process."""
_PRAGMAS = (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON")
_BEGIN = "sqlite_begin"
WRITING = {_BEGIN: "BEGIN IMMEDIATE"}
"""Execution options of a transaction that writes: it waits for the lock at its beginning, when nothing has been read
that could be outdated by then. Other databases ignore them.
"""


class _Connection(aiosqlite.Connection):
    """A connection that stops once, however often it is asked to.

    If a task is cancelled a second time while SQLAlchemy closes the connection of its cancelled query, aiosqlite 0.22
    asks its thread to stop twice and waits for an answer to the second request, which never comes: the process hangs at
    its end (as in https://github.com/wapiti-scanner/wapiti/issues/802).
    """

    _stopped: "asyncio.Future[Any] | None" = None

    def stop(self) -> "asyncio.Future[Any] | None":
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped


def connection(database: str, **options: Any) -> aiosqlite.Connection:
    """Return a connection, not yet open, for SQLAlchemy's `async_creator_fn`. options: those of `sqlite3.connect`."""
    made = _Connection(partial(sqlite3.connect, database, **options), _ROWS_AT_ONCE)
    made._thread.daemon = True  # as SQLAlchemy does: a thread left behind keeps no process alive
    return made


def is_busy(error: BaseException) -> bool:
    """Return whether the database was locked by another process."""
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def listen(engine: Engine) -> None:
    """Configure every connection of an engine, and begin its transactions."""
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)


def _configure(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
