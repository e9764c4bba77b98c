"""The address of the database, and the secret that hashes ids: environment variables, or a `.env` file beside them.

Every program that opens the database (the bot, the command line of `training`) reads these; see `.env.example`.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from db.crop_sealing import CropSealing
from db.keeping import Keeping
from db.store import Store

if TYPE_CHECKING:
    from db.retraining_queue import RetrainingQueue

SECRET_FILE = "mugmoji.secret"  # noqa: S105  (a file name)

_Settings = TypeVar("_Settings", bound="DatabaseSettings")


_Days = Annotated[int, Field(ge=0, le=36_500)]


def _keys_of(keys: SecretStr) -> SecretStr:
    try:
        _sealing_with(keys)
    except ValueError:
        raise ValueError("each has to be a key that `python -m db new-key` made, separated by commas") from None
    return keys


def _sealing_with(keys: SecretStr) -> CropSealing:
    return CropSealing([key for each in keys.get_secret_value().split(",") if (key := each.strip())])


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what is expected."""


class DatabaseSettings(BaseSettings):
    """The settings needed to open the database."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    database_url: SecretStr = SecretStr("sqlite:///data/mugmoji.db")
    data_dir: Path = Path("data")
    secret: SecretStr = SecretStr("")
    crops_key: Annotated[SecretStr, AfterValidator(_keys_of)] = SecretStr("")
    keep_crops_days: _Days = 90
    keep_readings_days: _Days = 365

    def hashing_secret(self) -> str:
        """Return the secret that hashes ids: `SECRET`, else one created at the first start and stored in `DATA_DIR`.

        Raise `SettingsError` if it can be neither read nor written.
        """
        return self.secret.get_secret_value() or self.kept_secret(SECRET_FILE, "SECRET")

    def kept_secret(self, name: str, setting: str) -> str:
        """Return the content of this file of `DATA_DIR`; if there is none, create it at random. setting: what to set
        instead.

        Raise `SettingsError` if it can be neither read nor written.
        """
        file = self.data_dir / name
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not file.exists():
                _make_secret(file)
            secret = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(
                f"{file} cannot be used ({reason}); set {setting}, or DATA_DIR to a writable folder."
            ) from error
        if not secret:
            raise SettingsError(f"{file} is empty; remove it, so that a new one is made, or set {setting}.")
        return secret

    async def open_store(self) -> Store:
        """Open the database, if `CROPS_KEY` fits what is in it. Raise `SettingsError` or `StoreError`."""
        store = await self.open_store_with_any_key()
        try:
            await store.require_crop_key()
        except BaseException:
            await store.close()
            raise
        return store

    async def open_store_with_any_key(self) -> Store:
        """Open the database, whatever its crops are encrypted with. Raise `SettingsError` or `StoreError`."""
        return await Store.open(
            self.database_url.get_secret_value(),
            self.hashing_secret(),
            keeping=Keeping(self.keep_crops_days, self.keep_readings_days),
            sealing=self.crop_sealing(),
        )

    def crop_sealing(self) -> CropSealing:
        """Return what encrypts the crops of faces with `CROPS_KEY`."""
        return _sealing_with(self.crops_key)

    def retraining_queue(self, store: Store) -> "RetrainingQueue | None":
        """Return what hands retrainings to workers on other machines; None where there can be none: on SQLite, without
        procrastinate, and on Windows, whose event loop psycopg cannot use.

        store: as `open_store` returned it.
        """
        if store.transactions.is_sqlite or os.name == "nt":
            return None
        try:
            from db.retraining_queue import RetrainingQueue  # noqa: PLC0415  # an extra, and only needed on PostgreSQL
        except ImportError:
            return None
        return RetrainingQueue(self.database_url.get_secret_value(), store.leases)

    def for_another_process(self) -> dict[str, str]:
        """Return the environment variables with which a process in any folder finds the same database and files.

        Raise `SettingsError`, as `hashing_secret` does, and what SQLAlchemy raises for an invalid address.
        """
        address = make_url(self.database_url.get_secret_value())
        if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
            address = address.set(database=str(Path(str(address.database)).resolve()))
        return {
            "DATABASE_URL": address.render_as_string(hide_password=False),
            "SECRET": self.hashing_secret(),
            "DATA_DIR": str(self.data_dir.resolve()),
            "CROPS_KEY": self.crops_key.get_secret_value(),
            "KEEP_CROPS_DAYS": str(self.keep_crops_days),
            "KEEP_READINGS_DAYS": str(self.keep_readings_days),
        }


def _make_secret(file: Path) -> None:
    """Write a secret that nobody else can read, completely or not at all; if another process was faster, keep its
    secret.
    """
    fresh = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            os.link(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)


def load_settings(kind: type[_Settings]) -> _Settings:
    """Read the settings of a kind. Raise `SettingsError`, which never quotes a value, because it may be a token."""
    try:
        return kind()
    except ValidationError as error:
        faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"Check .env or the environment. {faults}.") from error
