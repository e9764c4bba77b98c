"""See how old the newest backup is, where backups are kept in a folder that can be seen from here."""

import time
from datetime import timedelta
from pathlib import Path

from bots.doctor.database_file import sqlite_file
from bots.doctor.findings import Finding, fine, warning
from bots.settings import Settings

_OLD = timedelta(days=7)
_SUBJECT = "backups"
_ADVICE = (
    "Back up now (docs/operations.md says how), and every day from a timer. If they are elsewhere: --backups FOLDER."
)


def check_backups(settings: Settings, folder: Path) -> list[Finding]:
    """Return the age of the newest file in the folder of backups."""
    database = sqlite_file(settings)
    if database is not None and not database.exists():
        return [fine(_SUBJECT, "There is nothing to back up yet.")]
    files = [file for file in folder.glob("*") if file.is_file()]
    if not files:
        return [warning(_SUBJECT, f"There is none in {folder}.", _ADVICE)]
    newest = max(files, key=lambda file: file.stat().st_mtime)
    age = timedelta(seconds=max(0.0, time.time() - newest.stat().st_mtime))
    fact = f"The newest, {newest}, is {_said(age)} old."
    return [warning(_SUBJECT, fact, _ADVICE) if age > _OLD else fine(_SUBJECT, fact)]


def _said(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
