"""How a SQLite file is opened: its pragmas, real transactions, and a connection that can be closed at any moment.

By default the driver begins a transaction late and commits at every savepoint, so that half of a transaction may be
stored. As SQLAlchemy documents (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "Serializable isolation /
Savepoints / Transactional DDL"), the driver's own handling is switched off and BEGIN is sent explicitly.
"""

import asyncio
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

_ROWS_AT_ONCE = 64
"""The default of `aiosqlite.connect`."""
BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for one in another process."""
_OWN_FILE, _OWN_FOLDER, _FOR_OTHERS = 0o600, 0o700, 0o077
_PRAGMAS = (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON")
_BEGIN = "sqlite_begin"
WRITING = {_BEGIN: "BEGIN IMMEDIATE"}
"""Execution options of a transaction that writes: it waits for the lock at its beginning, when nothing has been read
that could be outdated by then. Other databases ignore them.
"""

OUTSIDE = {_BEGIN: ""}
"""Execution options of a connection whose statements are not in a transaction."""


class _Connection(aiosqlite.Connection):
    """A connection that stops once, however often it is asked to, and leaves no transaction open.

    If a task is cancelled a second time while SQLAlchemy closes the connection of its cancelled query, aiosqlite 0.22
    asks its thread to stop twice and waits for an answer to the second request, which never comes: the process hangs at
    its end (as in https://github.com/wapiti-scanner/wapiti/issues/802).

    SQLite keeps a connection whose statements are not finished until Python has collected their cursors
    (https://www.sqlite.org/c3ref/close.html), and with it the lock of its transaction: nobody could write meanwhile.
    """

    _stopped: "asyncio.Future[Any] | None" = None

    def stop(self) -> "asyncio.Future[Any] | None":
        if self._stopped is None:
            self._tx.put_nowait((None, self._roll_back))
            self._stopped = super().stop()
        return self._stopped

    async def close(self) -> None:
        """Roll back what is open, and close."""
        self._tx.put_nowait((None, self._roll_back))
        await super().close()

    def _roll_back(self) -> None:
        """End the transaction that is open, if there is one; runs in the connection's own thread."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()


def connection(database: str, **options: Any) -> aiosqlite.Connection:
    """Return a connection, not yet open, for SQLAlchemy's `async_creator_fn`. options: those of `sqlite3.connect`."""
    made = _Connection(partial(sqlite3.connect, database, **options), _ROWS_AT_ONCE)
    made._thread.daemon = True  # as SQLAlchemy does: a thread left behind keeps no process alive
    return made


class DatabaseGoneError(OSError):
    """The file of the database is not there any more, so nothing written to it would be kept."""


class DatabaseFile:
    """The file of a database, as it is on disk: only for its owner, and the same one all the time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def prepare(self) -> "tuple[int, int]":
        """Return what identifies the file, to `know` it once it is ready. Create the file and its folder, if there are
        none, for nobody else to read; take an older file's permissions for others away. Raise `OSError`.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=_OWN_FOLDER)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, _OWN_FILE))
        for file in (self._path, *(self._path.with_name(f"{self._path.name}{suffix}") for suffix in ("-wal", "-shm"))):
            if file.exists() and file.stat().st_mode & _FOR_OTHERS:
                file.chmod(_OWN_FILE)
        return self._identity()

    def know(self, opened: "tuple[int, int]") -> None:
        """Remember the file that `prepare` returned as the one that is open."""
        self._known = opened

    def is_same(self) -> bool:
        """Return whether the file is the one that is open. Raise `DatabaseGoneError` if there is none."""
        try:
            return self._identity() == self._known
        except FileNotFoundError as error:
            raise DatabaseGoneError(f"{self._path} is gone: stop the bot, and restore it from a backup") from error

    def _identity(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_dev, found.st_ino


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
    if statement := connection.get_execution_options().get(_BEGIN, "BEGIN"):
        connection.exec_driver_sql(statement)
