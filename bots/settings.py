"""What an operator may set: environment variables, or a `.env` file beside them (see `.env.example`)."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRET_FILE = "mugmoji.secret"  # noqa: S105  (a file name)
CONSOLE_TOKEN_FILE = "console.token"  # noqa: S105  (a file name)


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what belongs there."""


class Settings(BaseSettings):
    """Every setting with its default; an empty token leaves that door closed."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    telegram_token: SecretStr = SecretStr("")
    telegram_api_url: str = ""
    discord_token: SecretStr = SecretStr("")
    web_chat: bool = True
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    console: bool = True
    console_token: SecretStr = SecretStr("")
    console_remote: bool = False
    database_url: SecretStr = SecretStr("sqlite:///data/mugmoji.db")
    data_dir: Path = Path("data")
    secret: SecretStr = SecretStr("")
    emoji_map: Path = Path(__file__).parents[1] / "emoji_map.yaml"
    candidates: Annotated[int, Field(ge=1, le=5)] = 3
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    waiting: Annotated[int, Field(ge=0, le=10_000)] = 8
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    def hashing_secret(self) -> str:
        """The secret under which ids are hashed: `SECRET`, else one made at the first start and kept in `DATA_DIR`.

        Raises `SettingsError` where it can be neither read nor written.
        """
        return self.secret.get_secret_value() or self._kept(SECRET_FILE, "SECRET")

    def console_secret(self) -> str:
        """What opens the console: `CONSOLE_TOKEN`, else a token made at the first start and kept in `DATA_DIR`.

        Raises `SettingsError` where it can be neither read nor written.
        """
        return self.console_token.get_secret_value() or self._kept(CONSOLE_TOKEN_FILE, "CONSOLE_TOKEN")

    def where_console_token_is(self) -> str:
        """For a log line: the file that holds the token, or the setting that does."""
        return "CONSOLE_TOKEN" if self.console_token.get_secret_value() else str(self.data_dir / CONSOLE_TOKEN_FILE)

    def for_retraining(self) -> dict[str, str]:
        """The environment by which the retraining process finds the same database and emoji map."""
        return {
            "DATABASE_URL": _from_anywhere(self.database_url.get_secret_value()),
            "SECRET": self.hashing_secret(),
            "EMOJI_MAP": str(self.emoji_map.absolute()),
            "DATA_DIR": str(self.data_dir.absolute()),
        }

    def _kept(self, name: str, setting: str) -> str:
        """The secret in a file of `DATA_DIR`, made where it is not there yet; readable by nobody else."""
        file = self.data_dir / name
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                    new.write(secrets.token_urlsafe(32))
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(
                f"{file} cannot be used ({reason}); set {setting}, or DATA_DIR to a writable folder."
            ) from error


def _from_anywhere(url: str) -> str:
    """A database address that means the same in another folder: the path of an SQLite file made absolute."""
    scheme, _, path = url.partition("///")
    is_relative = scheme.startswith("sqlite") and path != "" and not path.startswith(("/", ":memory:"))
    return f"{scheme}///{Path.cwd() / path}" if is_relative else url


def load_settings() -> Settings:
    """Read the settings. Raises `SettingsError`, which never quotes a value: it may be a token."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"Check .env or the environment. {faults}.") from error
