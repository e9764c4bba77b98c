"""Check who else on the machine can read what the bot stores, and whether the bot can write it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bots.doctor.database_file import sqlite_file
from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import CONSOLE_ACCOUNT_FILE, CONSOLE_PASS_FILE, CONSOLE_TOKEN_FILE, Settings
from db.settings import SECRET_FILE

_SUBJECT = "permissions"
_FOR_OTHERS = 0o077
_ENV_FILE = Path(".env")


def check_permissions(settings: Settings) -> list[Finding]:
    """Return each file and folder that others can read or that the bot cannot write."""
    if os.name == "nt":
        return [fine(_SUBJECT, "Windows keeps them by folder; put the bot's into your own user's.")]
    present = [path for path in _private(settings) if path.exists()]
    if not present:
        return [fine(_SUBJECT, "There are no files of the bot yet; it creates them for its own user only.")]
    faults = [each for path in present for each in _faults(path)]
    return faults or [fine(_SUBJECT, f"Only the bot's user can read its {len(present)} files and folders.")]


def _private(settings: Settings) -> list[Path]:
    """Return the paths of what is only for the bot."""
    names = (SECRET_FILE, CONSOLE_TOKEN_FILE, CONSOLE_PASS_FILE, CONSOLE_ACCOUNT_FILE)
    found = [_ENV_FILE, settings.data_dir, *(settings.data_dir / name for name in names)]
    database = sqlite_file(settings)
    if database is not None:
        found += [database, *(database.with_name(f"{database.name}{suffix}") for suffix in ("-wal", "-shm"))]
    return found


def _faults(path: Path) -> Iterator[Finding]:
    found = path.stat()
    if found.st_mode & _FOR_OTHERS:
        right = "700" if path.is_dir() else "600"
        fact = f"Others on this machine may use {path} ({stat.filemode(found.st_mode)})."
        yield warning(_SUBJECT, fact, f"chmod {right} {path}")
    needed = os.R_OK if path == _ENV_FILE else os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if not os.access(path, needed):
        yield problem(
            _SUBJECT, f"This user cannot use {path}.", "Call this as the bot's user, or chown it to that user."
        )
    elif found.st_uid != os.geteuid():
        fact = f"{path} belongs to user number {found.st_uid}, and this runs as number {os.geteuid()}."
        yield warning(_SUBJECT, fact, "Call this as the bot's user; what root creates, the bot cannot open.")
