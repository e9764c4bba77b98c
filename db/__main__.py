"""Back up and restore the database, and encrypt the faces in it with a new key: `python -m db COMMAND`."""

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from db.backup import BackupError, back_up
from db.backup import restore as put_back
from db.crop_keys import Rotation
from db.crop_sealing import CropKeyError, new_key
from db.settings import SECRET_FILE, DatabaseSettings, SettingsError, load_settings
from db.store import StoreError

_BAD_INPUT, _SOMETHING_MISSING = 1, 3
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; there must be none of that name.")]) -> None:
    """Copy the database as it is at one moment, while the bot runs."""
    settings = _settings()
    try:
        back_up(_database(settings), file)
    except BackupError as error:
        _fail(str(error), _BAD_INPUT)
    typer.echo(f"{file} holds the database, the versions of the model among it.")
    if not settings.secret.get_secret_value():
        secret = settings.data_dir / SECRET_FILE
        typer.echo(f"Keep {secret} with it, in a safe place: without it nobody is recognised any more.")
    if settings.crops_key.get_secret_value():
        typer.echo("Keep CROPS_KEY too, in another place than the backup: without it no face in it can be read.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A backup made by this program.")]) -> None:
    """Put a backup in the place of the database; what is there is kept beside it."""
    try:
        kept = put_back(file, _database(_settings()))
    except BackupError as error:
        _fail(str(error), _BAD_INPUT)
    typer.echo("Restored." if kept is None else f"Restored. What was there before is in {kept}.")


@app.command("new-key")
def print_new_key() -> None:
    """Print a key for CROPS_KEY, made at random."""
    typer.echo(new_key())


@app.command("rotate-key")
def rotate_key(
    delete_unreadable: Annotated[
        bool, typer.Option(help="Delete the faces that no key of CROPS_KEY fits: their key is lost for good.")
    ] = False,
) -> None:
    """Encrypt the stored faces with the first key of CROPS_KEY, also those that were not encrypted; the bot may run."""
    settings = _settings()
    try:
        done = asyncio.run(_rotate(settings, deletes_unreadable=delete_unreadable))
    except (CropKeyError, SettingsError, StoreError) as error:
        _fail(str(error), _SOMETHING_MISSING)
    except (SQLAlchemyError, OSError) as error:
        _fail(f"The database could not be used; try again. ({type(error).__name__})", _SOMETHING_MISSING)
    typer.echo(f"{done.changed} faces are encrypted anew, {done.current} were already.")
    if done.unreadable and not delete_unreadable:
        _fail(
            f"{done.unreadable} faces fit no key: add theirs to CROPS_KEY after the new one, or delete them with "
            "--delete-unreadable.",
            _BAD_INPUT,
        )
    if done.unreadable:
        typer.echo(f"{done.unreadable} faces that fitted no key are deleted.")
    if not done.is_scrubbed:
        typer.echo("The running bot kept SQLite from clearing its log of what they were before: call this again.")
    typer.echo(
        "Leave only the first key in CROPS_KEY once every bot has it. Older backups hold the faces as they were, and "
        "need the old key if there was one: delete them when you can."
    )
    if make_url(settings.database_url.get_secret_value()).get_backend_name() != "sqlite":
        typer.echo("PostgreSQL still holds what was there before: run VACUUM FULL readings (see docs/privacy.md).")


async def _rotate(settings: DatabaseSettings, *, deletes_unreadable: bool) -> Rotation:
    store = await settings.open_store_with_any_key()
    try:
        return await store.crop_keys.rotate(deletes_unreadable=deletes_unreadable)
    finally:
        await store.close()


def _settings() -> DatabaseSettings:
    try:
        return load_settings(DatabaseSettings)
    except SettingsError as error:
        _fail(str(error), _SOMETHING_MISSING)


def _database(settings: DatabaseSettings) -> Path:
    address = make_url(settings.database_url.get_secret_value())
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        _fail(
            "This is for SQLite's files. Back up PostgreSQL with pg_dump, and restore it with pg_restore.", _BAD_INPUT
        )
    return Path(str(address.database))


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    app()
