"""Migrate a database to the newest schema with Alembic; run at every start.

If several replicas start at once on one database, the first migrates it and the others wait until that is done.
"""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_FOLDER = Path(str(files("db") / "migrations"))
_POSTGRESQL_LOCK = 0x6D75676D6F6A69
"""Any number that nothing else on the server locks: "mugmoji" in ASCII."""


def upgrade(connection: Connection, secret: str) -> None:
    """Apply the migrations that this database has not had. Raise what SQLAlchemy raises.

    connection: in a transaction, which on SQLite was begun with `sqlite.WRITING`, so that no other process is in one.
    secret: hashes ids that older versions stored unhashed.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})")
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["secret"] = secret
    command.upgrade(config, "head")
