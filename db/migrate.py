"""Brings a database to the newest schema with Alembic; run at every start."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_FOLDER = Path(str(files("db") / "migrations"))


def upgrade(connection: Connection) -> None:
    """Apply the migrations this database has not seen. Raises what SQLAlchemy raises."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
