"""Check that `CROPS_KEY` opens the faces that are stored."""

import asyncio

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bots.doctor.database_file import sqlite_file
from bots.doctor.findings import Finding, fine, problem
from bots.settings import Settings
from db import CropKeyError
from db.crop_keys import CropKeys
from db.transactions import Transactions

_SUBJECT = "CROPS_KEY"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def check_crops_key(settings: Settings) -> list[Finding]:
    """Return whether the oldest and the newest face can be read; nothing where there is no database to look into."""
    try:
        address = make_url(settings.database_url.get_secret_value())
        driver = _DRIVERS[address.get_backend_name()]
    except (ArgumentError, KeyError, ValueError):
        return []
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return []
    return asyncio.run(_found_in(address.set(drivername=driver), settings))


async def _found_in(address: URL, settings: Settings) -> list[Finding]:
    sealing = settings.crop_sealing()
    engine = create_async_engine(address)
    try:
        await CropKeys(Transactions(engine), sealing).require()
    except CropKeyError as error:
        return [problem(_SUBJECT, "It does not open the faces in the database.", str(error))]
    except (SQLAlchemyError, OSError, ImportError):
        return []  # what is wrong with the database is said elsewhere
    finally:
        await engine.dispose()
    if not sealing.has_key:
        return [fine(_SUBJECT, "It is not set: faces are stored as they are.")]
    return [fine(_SUBJECT, "It opens the faces in the database.")]
