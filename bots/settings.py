"""What an operator may set: environment variables, or a `.env` file beside them (see `.env.example`)."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from bots.admins import Admins

SECRET_FILE = "mugmoji.secret"  # noqa: S105  (a file name)


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what belongs there."""


def _admins_named(text: str) -> str:
    Admins.parse(text)
    return text


class Settings(BaseSettings):
    """Every setting with its default; an empty token leaves that door closed."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    telegram_token: SecretStr = SecretStr("")
    telegram_api_url: str = ""
    discord_token: SecretStr = SecretStr("")
    admins: Annotated[str, AfterValidator(_admins_named)] = ""
    web_chat: bool = True
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    database_url: SecretStr = SecretStr("sqlite:///data/mugmoji.db")
    data_dir: Path = Path("data")
    secret: SecretStr = SecretStr("")
    emoji_map: Path = Path(__file__).parents[1] / "emoji_map.yaml"
    candidates: Annotated[int, Field(ge=1, le=5)] = 3
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    waiting: Annotated[int, Field(ge=0, le=10_000)] = 8
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    def for_another_process(self) -> dict[str, str]:
        """What a process in any folder needs to find the same database, people, emoji and files: environment variables.

        Raises `SettingsError`, as `hashing_secret` does, and what SQLAlchemy raises for an address that is none.
        """
        address = make_url(self.database_url.get_secret_value())
        if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
            address = address.set(database=str(Path(str(address.database)).resolve()))
        return {
            "DATABASE_URL": address.render_as_string(hide_password=False),
            "SECRET": self.hashing_secret(),
            "EMOJI_MAP": str(self.emoji_map.resolve()),
            "DATA_DIR": str(self.data_dir.resolve()),
        }

    def hashing_secret(self) -> str:
        """The secret under which ids are hashed: `SECRET`, else one made at the first start and kept in `DATA_DIR`.

        Raises `SettingsError` where it can be neither read nor written.
        """
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        file = self.data_dir / SECRET_FILE
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                    new.write(secrets.token_urlsafe(32))
            return file.read_text(encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(
                f"{file} cannot be used ({reason}); set SECRET, or DATA_DIR to a writable folder."
            ) from error


def load_settings() -> Settings:
    """Read the settings. Raises `SettingsError`, which never quotes a value: it may be a token."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"Check .env or the environment. {faults}.") from error
