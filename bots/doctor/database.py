"""Check the database: reachable, writable, sound, and which version of the software it is of.

It is opened beside the bot and not migrated.
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bots.doctor.database_file import nearest_folder, sqlite_file
from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import Settings
from db.settings import SECRET_FILE

_SUBJECT = "database"
_MOST_READ_MB = 2_000
"""A larger SQLite file is not read through: that takes minutes."""
_WAIT_S = 5.0
_REVISION = "SELECT version_num FROM alembic_version"
_RESTORE = "Stop the bot and restore a backup: python -m db restore FILE."


def check_database(settings: Settings) -> list[Finding]:
    """Return what is right and wrong with the database that `DATABASE_URL` names."""
    try:
        address = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        advice = "Write sqlite:///data/mugmoji.db or postgresql://user:password@host/name."
        return [problem(_SUBJECT, "DATABASE_URL is not understood.", advice)]
    file = sqlite_file(settings)
    if file is not None:
        return _of_sqlite(file, settings)
    if address.get_backend_name() == "sqlite":
        advice = "Name a file: DATABASE_URL=sqlite:///data/mugmoji.db."
        return [warning(_SUBJECT, "It is in memory only, so all is lost when the bot stops.", advice)]
    return asyncio.run(_of_server(address))


def _of_sqlite(file: Path, settings: Settings) -> list[Finding]:
    if not file.exists():
        return [_creatable(file)]
    size_mb = file.stat().st_size / 1e6
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_WAIT_S)) as opened:
            revision = _revision_in(opened)
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("ROLLBACK")
            fault = opened.execute("PRAGMA quick_check(1)").fetchone()[0] if size_mb < _MOST_READ_MB else "ok"
    except sqlite3.DatabaseError as error:
        return [_broken(file, error)]
    if fault != "ok":
        return [problem(_SUBJECT, f"{file} is damaged ({fault}).", _RESTORE)]
    fact = (
        f"{file} ({size_mb:,.0f} MB) can be read and written{'' if size_mb < _MOST_READ_MB else '; not read through'}."
    )
    return [fine(_SUBJECT, fact), _of_revision(revision), *_without_secret(settings)]


def _creatable(file: Path) -> Finding:

    folder = nearest_folder(file.parent)
    if os.access(folder, os.W_OK | os.X_OK):
        return fine(_SUBJECT, f"{file} is not there yet; the bot creates it at its first start.")
    advice = f"Let the bot's user write to {folder}, or set DATABASE_URL to another place."
    return problem(_SUBJECT, f"{file} is not there, and {folder} cannot be written to.", advice)


def _revision_in(opened: sqlite3.Connection) -> str | None:
    try:
        found = opened.execute(_REVISION).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return None if found is None else str(found[0])


def _broken(file: Path, error: sqlite3.DatabaseError) -> Finding:
    said = str(error)
    if "locked" in said:
        advice = "See what else writes to it (fuser), such as a copy that was not made with python -m db backup."
        return problem(_SUBJECT, f"{file} was locked by another program for {_WAIT_S:.0f} seconds.", advice)
    if "readonly" in said or "unable to open" in said:
        advice = "Call this as the bot's user, or let it write to the file and to its folder."
        return problem(_SUBJECT, f"{file} cannot be written ({said}).", advice)
    return problem(_SUBJECT, f"{file} cannot be read ({said}).", _RESTORE)


def _of_revision(revision: str | None) -> Finding:
    """Return how the schema of a database fits this version of the software."""
    scripts = ScriptDirectory(str(files("db") / "migrations"))
    head = scripts.get_current_head()
    if revision == head:
        return fine(_SUBJECT, f"Its schema is the newest ({head}).")
    if revision is None:
        return fine(_SUBJECT, "It is empty; the bot creates its tables at the next start.")
    if revision in {script.revision for script in scripts.walk_revisions()}:
        fact = f"Its schema is {revision}; the next start of the bot makes it {head}, and there is no way back."
        return warning(_SUBJECT, fact, "Back up before that start.")
    fact = f"Its schema ({revision}) is of a newer version of Mugmoji, so this one cannot open it."
    return problem(_SUBJECT, fact, "Update Mugmoji, or restore a backup of before.")


def _without_secret(settings: Settings) -> list[Finding]:
    if settings.secret.get_secret_value() or (settings.data_dir / SECRET_FILE).is_file():
        return []
    fact = f"There is a database, but no secret for it ({settings.data_dir / SECRET_FILE}): nobody would be recognised."
    return [problem(_SUBJECT, fact, "Put the secret back from the backup before the next start, or set SECRET.")]


async def _of_server(address: URL) -> list[Finding]:
    if address.get_backend_name() not in ("postgresql", "postgres"):
        advice = "Write sqlite:///data/mugmoji.db or postgresql://user:password@host/name."
        return [problem(_SUBJECT, f"{address.get_backend_name()} is not supported.", advice)]
    if find_spec("asyncpg") is None:
        return [problem(_SUBJECT, "PostgreSQL needs the package asyncpg.", "pip install -e '.[postgresql]'")]
    engine = create_async_engine(address.set(drivername="postgresql+asyncpg"), connect_args={"timeout": _WAIT_S})
    try:
        async with engine.connect() as connection:
            size = (await connection.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
            read_only = (await connection.execute(text("SHOW transaction_read_only"))).scalar_one()
            creatable = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
            may_create = (await connection.execute(text(creatable))).scalar_one()
            known = (await connection.execute(text("SELECT to_regclass('alembic_version')"))).scalar_one()
            revision = None if known is None else (await connection.execute(text(_REVISION))).scalar_one_or_none()
    except (SQLAlchemyError, OSError, TypeError) as error:
        shown = address.set(query={}).render_as_string(hide_password=True)
        reason = type(getattr(error, "orig", None) or error).__name__
        advice = "Check that the server runs, and host, name, user and password in DATABASE_URL."
        return [problem(_SUBJECT, f"{shown} cannot be used ({reason}).", advice)]
    finally:
        await engine.dispose()
    if read_only == "on" or not may_create:
        advice = "Name the primary server in DATABASE_URL, and a user who owns the database."
        return [problem(_SUBJECT, "It can be read but not written.", advice), _of_revision(revision)]
    return [fine(_SUBJECT, f"PostgreSQL answers; the database has {size / 1e6:,.0f} MB."), _of_revision(revision)]
