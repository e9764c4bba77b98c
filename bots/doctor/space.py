"""Check how much room is left where the bot writes."""

import shutil
import tempfile
from pathlib import Path

from bots.doctor.database_file import nearest_folder, sqlite_file
from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import Settings

_LITTLE_MB, _TOO_LITTLE_MB = 1_000, 100
"""The shipped model alone takes 16 MB of a new database, and every version that is learned takes as much."""


def check_space(settings: Settings) -> list[Finding]:
    """Return the free space of every disk that the bot writes to."""
    database = sqlite_file(settings)
    folders = [settings.data_dir, *([database.parent] if database is not None else []), Path(tempfile.gettempdir())]
    disks = {place.stat().st_dev: place for place in map(nearest_folder, reversed(folders))}
    return [_of_disk(place) for place in disks.values()]


def _of_disk(place: Path) -> Finding:
    free_mb = shutil.disk_usage(place).free // 1_000_000
    fact = f"{free_mb:,} MB are free at {place}."
    advice = "Make room, or set DATA_DIR and DATABASE_URL to another disk; without room nothing is stored."
    if free_mb < _TOO_LITTLE_MB:
        return problem("disk", fact, advice)
    return warning("disk", fact, advice) if free_mb < _LITTLE_MB else fine("disk", fact)
