"""Back up and restore the database: `python -m db backup FILE`, `python -m db restore FILE`."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy import make_url

from db.backup import BackupError, back_up
from db.backup import restore as put_back
from db.settings import SECRET_FILE, DatabaseSettings, SettingsError, load_settings

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


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A backup made by this program.")]) -> None:
    """Put a backup in the place of the database; what is there is kept beside it."""
    try:
        kept = put_back(file, _database(_settings()))
    except BackupError as error:
        _fail(str(error), _BAD_INPUT)
    typer.echo("Restored." if kept is None else f"Restored. What was there before is in {kept}.")


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
