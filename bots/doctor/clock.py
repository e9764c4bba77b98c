"""Check the clock of this machine against files that are there already, and against that of the file system."""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bots.doctor.database_file import nearest_folder, sqlite_file
from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import Settings

MOST_APART_S = 2.0
ADVICE = "Set the clock and keep it set: timedatectl set-ntp true. Retrainings, limits and deletions go by it."
_SUBJECT = "clock"


def check_clock(settings: Settings, now: Callable[[], float] = time.time) -> list[Finding]:
    """Return whether the time can be right. now: seconds since 1970."""
    newest = max((file.stat().st_mtime for file in _known_files(settings)), default=0.0)
    if now() < newest - MOST_APART_S:
        fact = f"It says {_said(now())}, but there are files of {_said(newest)}."
        return [problem(_SUBJECT, fact, ADVICE)]
    try:
        apart_s = _apart_from_disk(nearest_folder(settings.data_dir), now)
    except OSError:
        return [fine(_SUBJECT, f"It says {_said(now())}.")]
    if abs(apart_s) > MOST_APART_S:
        fact = f"It is {abs(apart_s):.0f} seconds {'behind' if apart_s > 0 else 'ahead of'} that of the file system."
        return [warning(_SUBJECT, fact, ADVICE)]
    return [fine(_SUBJECT, f"It says {_said(now())}, as the file system does.")]


def _known_files(settings: Settings) -> list[Path]:
    database = sqlite_file(settings)
    files = [Path(__file__), *([database] if database is not None else [])]
    return [file for file in files if file.exists()]


def _apart_from_disk(folder: Path, now: Callable[[], float]) -> float:
    """Return the seconds by which the clock of the file system, which a server may have, is ahead. Raise `OSError`."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"now")
        file.flush()
        return os.fstat(file.fileno()).st_mtime - now()


def _said(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
