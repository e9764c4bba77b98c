"""Back up a SQLite database while the bot runs, and put a backup in its place."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

_OWN_FILE = 0o600


class BackupError(Exception):
    """A backup cannot be made or used; the message says why and what to do."""


def back_up(database: Path, target: Path) -> None:
    """Copy a database as it is at one moment, completely or not at all; only its owner can read the copy.

    Raise `BackupError`.
    """
    if not database.exists():
        raise BackupError(f"There is no database {database}: check DATABASE_URL.")
    if target.exists():
        raise BackupError(f"{target} is there already: name another file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(database, target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{database} cannot be copied to {target} ({error}).") from error


def restore(backup: Path, database: Path) -> Path | None:
    """Put a sound backup in the place of a database; return where the one that was there is kept, if there was one.

    A bot that runs notices it. Raise `BackupError`; then the database is as it was, and nothing lies beside it, unless
    the message says where it is kept.
    """
    _require_sound(backup)
    kept = database.with_name(f"{database.name}.before-{secrets.token_hex(4)}")
    fresh = database.with_name(f".{database.name}-{secrets.token_hex(4)}")
    try:
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(backup, fresh)
        if database.exists():
            _copy(database, kept)
    except (OSError, sqlite3.Error) as error:
        for each in (fresh, kept):
            each.unlink(missing_ok=True)
        raise BackupError(f"{backup} cannot be restored to {database} ({error}).") from error
    try:
        for suffix in ("-wal", "-shm"):  # of the old one; with the new one they would be damage
            database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
        fresh.replace(database)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        where = f"; what was there is in {kept}" if kept.exists() else ""
        raise BackupError(f"{backup} cannot be restored to {database} ({error}){where}.") from error
    return kept if kept.exists() else None


def _copy(source: Path, target: Path) -> None:
    """Copy what is in a database and its log, by way of a file of another name."""
    unfinished = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_FILE))
    try:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(unfinished)) as other:
            one.backup(other)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _require_sound(backup: Path) -> None:
    if not backup.is_file():
        raise BackupError(f"There is no backup {backup}.")
    try:
        with closing(sqlite3.connect(f"file:{backup}?mode=ro", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            known = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{backup} is no backup of this bot ({error}).") from error
    if found != "ok" or known is None:
        raise BackupError(f"{backup} is damaged ({found}): take another one.")
