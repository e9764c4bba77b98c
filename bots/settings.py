"""The operator's settings: environment variables, or a `.env` file beside them (see `.env.example`)."""

import hashlib
import hmac
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bots.admin.allowlist import Allowlist
from db.settings import DatabaseSettings
from recognizer.emoji_map import DEFAULT_PATH

CONSOLE_TOKEN_FILE = "console.token"  # noqa: S105  (a file name)
CONSOLE_PASS_FILE = "console.passes.json"  # noqa: S105  (a file name)
CONSOLE_ACCOUNT_FILE = "console.accounts.json"
_HOST = re.compile(r"(\*\.)?[\w.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
_WEBHOOK_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
"""What Telegram takes (https://core.telegram.org/bots/api#setwebhook), and nothing that is guessed."""


def _admins_named(text: str) -> str:
    Allowlist.parse(text)
    return text


def _hosts_named(text: str) -> str:
    for each in _names_in(text):
        if _HOST.fullmatch(each) is None:
            raise ValueError("each has to be a name, such as bot.example.org or *.example.org, without https://")
    return text


def _webhook_named(text: str) -> str:
    parts = urlsplit(text)
    is_whole = parts.scheme in ("https", "http") and parts.hostname and _WEBHOOK_PATH.fullmatch(parts.path)
    if text and (not is_whole or parts.query or parts.fragment or parts.username):
        raise ValueError("it has to be an address with a path of its own, such as https://bot.example.org/telegram")
    return text


def _secret_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and _WEBHOOK_SECRET.fullmatch(text) is None:
        raise ValueError("it has to be 16 to 256 of the characters A-Z, a-z, 0-9, _ and -")
    return secret


def _names_in(text: str) -> list[str]:
    return [name for each in text.split(",") if (name := each.strip())]


class Settings(DatabaseSettings):
    """Every setting with its default; a platform without a token is left out."""

    telegram_token: SecretStr = SecretStr("")
    telegram_api_url: str = ""
    telegram_webhook_url: Annotated[str, AfterValidator(_webhook_named)] = ""
    telegram_webhook_secret: Annotated[SecretStr, AfterValidator(_secret_header)] = SecretStr("")
    discord_token: SecretStr = SecretStr("")
    discord_message_content: bool = False
    discord_shards: Annotated[int, Field(ge=0, le=1000)] = 0
    admins: Annotated[str, AfterValidator(_admins_named)] = ""
    web_chat: bool = True
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    web_allowed_hosts: Annotated[str, AfterValidator(_hosts_named)] = ""
    web_trusted_proxies: str = "127.0.0.1"
    console: bool = True
    console_token: SecretStr = SecretStr("")
    console_remote: bool = False
    ops_host: str = "127.0.0.1"
    ops_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    retrain_at: time | None = None
    retrain_after: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    emoji_map: Path = DEFAULT_PATH
    candidates: Annotated[int, Field(ge=1, le=5)] = 3
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    waiting: Annotated[int, Field(ge=0, le=10_000)] = 8
    stop_after: Annotated[float, Field(ge=0, le=3600)] = 20
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    def for_another_process(self) -> dict[str, str]:
        """Return what `DatabaseSettings.for_another_process` returns, and the emoji map. Raise as that does."""
        return {**super().for_another_process(), "EMOJI_MAP": str(self.emoji_map.resolve())}

    def allowed_hosts(self) -> list[str]:
        """Return the names that `WEB_ALLOWED_HOSTS` lists."""
        return _names_in(self.web_allowed_hosts)

    def cookie_secret(self) -> str:
        """Return the key that signs the web chat's cookies. Raise `SettingsError` as `hashing_secret` does."""
        return self._derived(b"mugmoji: web cookies")

    def webhook_secret(self) -> str:
        """Return what Telegram is to send with each update: `TELEGRAM_WEBHOOK_SECRET`, else derived. Raise
        `SettingsError` as `hashing_secret` does.
        """
        return self.telegram_webhook_secret.get_secret_value() or self._derived(b"mugmoji: telegram webhook")

    def _derived(self, purpose: bytes) -> str:
        """Return a secret derived from the hashing secret, so that neither reveals the other (HMAC-SHA256 as a key
        derivation, NIST SP 800-108).
        """
        return hmac.new(self.hashing_secret().encode(), purpose, hashlib.sha256).hexdigest()

    def console_secret(self) -> str:
        """Return the token of the console: `CONSOLE_TOKEN`, else one created at the first start and stored in
        `DATA_DIR`.

        Raise `SettingsError` if it can be neither read nor written.
        """
        return self.console_token.get_secret_value() or self.kept_secret(CONSOLE_TOKEN_FILE, "CONSOLE_TOKEN")

    def console_pass_file(self) -> Path:
        """Return the file for the passes of admins who entered the console; its folder exists."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.data_dir / CONSOLE_PASS_FILE

    def console_account_file(self) -> Path:
        """Return the file for the accounts of the console's admins; its folder exists."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.data_dir / CONSOLE_ACCOUNT_FILE

    def training_folder(self) -> Path:
        """Return the folder for what admins upload to train with, and for what is trained in the console."""
        return self.data_dir / "training"

    def where_console_token_is(self) -> str:
        """Return the file that contains the token, or the name of the setting that does, for a log line."""
        return "CONSOLE_TOKEN" if self.console_token.get_secret_value() else str(self.data_dir / CONSOLE_TOKEN_FILE)
