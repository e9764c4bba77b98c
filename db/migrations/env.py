"""Alembic's entry point: at start `db.migrate` passes its connection; on the command line alembic.ini names one."""

from alembic import context
from sqlalchemy import Connection, create_engine

from db.schema import Base
from db.settings import DatabaseSettings, load_settings


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _migrate(handed_over)
else:
    context.config.attributes["secret"] = load_settings(DatabaseSettings).hashing_secret()
    with create_engine(context.config.get_main_option("sqlalchemy.url", "")).connect() as own:
        _migrate(own)
