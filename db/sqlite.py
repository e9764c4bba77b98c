"""How a SQLite file is opened: its pragmas, and a connection that can be let go of at any moment."""

import asyncio
import sqlite3
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

_ROWS_AT_ONCE = 64
"""As `aiosqlite.connect` has it."""
_PRAGMAS = ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON")


class _Connection(aiosqlite.Connection):
    """Stops once, however often it is asked to. Where a task is cancelled a second time while SQLAlchemy closes the
    connection of its broken-off query, aiosqlite 0.22 asks its thread to stop twice and waits for an answer to the
    second, which never comes: the process hangs at its end (as https://github.com/wapiti-scanner/wapiti/issues/802)."""

    _stopped: "asyncio.Future[Any] | None" = None

    def stop(self) -> "asyncio.Future[Any] | None":
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped


def connection(database: str, **options: Any) -> aiosqlite.Connection:
    """A connection, not yet open, as SQLAlchemy's `async_creator_fn` gives it; options: of `sqlite3.connect`."""
    made = _Connection(partial(sqlite3.connect, database, **options), _ROWS_AT_ONCE)
    made._thread.daemon = True  # as SQLAlchemy does: a thread left behind keeps no process alive
    return made


def configure(connection: DBAPIConnection, _record: object) -> None:
    """Set the pragmas of a new connection; for SQLAlchemy's event `connect`."""
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
