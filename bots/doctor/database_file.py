"""Find the file of the database in the settings."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bots.settings import Settings


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of the database; None if it is no SQLite database in a file."""
    try:
        address = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        return None
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def nearest_folder(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    absolute = folder.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.is_dir())
