"""Explain the settings: what will run, what differs from the defaults, what was probably misspelt."""

from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from bots.doctor.findings import Finding, fine, problem, warning
from bots.pictures.artwork import Artwork, ArtworkError
from bots.settings import Settings
from recognizer import EmojiMap, EmojiMapError

_SUBJECT = "settings"
_ENV_FILE = Path(".env")
_ALIKE = 0.85
"""How alike (`difflib`, from 0 to 1) a name has to be to that of a setting to be taken for a slip of it."""


def check_settings(settings: Settings) -> list[Finding]:
    """Return what will run with these settings, and what in them is doubtful."""
    return [
        _source(_ENV_FILE),
        _doors(settings),
        _changes(settings),
        *_misspelt(_ENV_FILE),
        *_open_doors(settings),
        *_emoji_map(settings.emoji_map),
        *_artwork(),
    ]


def _source(file: Path) -> Finding:
    if file.is_file():
        return fine(_SUBJECT, f"They are from {file.absolute()} and the environment.")
    return fine(_SUBJECT, f"There is no {file.absolute()}; they are from the environment.")


def _doors(settings: Settings) -> Finding:
    doors = [
        name
        for name, is_on in (
            ("Telegram", bool(settings.telegram_token.get_secret_value())),
            ("Discord", bool(settings.discord_token.get_secret_value())),
            ("the web chat", settings.web_chat),
            ("the console", settings.console),
        )
        if is_on
    ]
    if not doors:
        advice = "Set TELEGRAM_TOKEN or DISCORD_TOKEN, or WEB_CHAT=true or CONSOLE=true."
        return problem(_SUBJECT, "Nothing would run.", advice)
    return fine(_SUBJECT, f"On are {', '.join(doors)}.")


def _changes(settings: Settings) -> Finding:
    """Return the settings that are not as they come; of secrets only that they are set."""
    changed = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.get_default():
            changed.append(name.upper() if isinstance(value, SecretStr) else f"{name.upper()}={value}")
    if not changed:
        return fine(_SUBJECT, "Every setting has its default.")
    return fine(_SUBJECT, f"Set are {', '.join(changed)}; the others have their defaults.")


def _misspelt(file: Path) -> Iterator[Finding]:
    """Yield the names in `.env` that are almost those of settings: they have no effect."""
    known = [name.upper() for name in Settings.model_fields]
    for name in dotenv_values(file) if file.is_file() else ():
        if name.upper() not in known and (meant := get_close_matches(name.upper(), known, 1, _ALIKE)):
            yield warning(_SUBJECT, f"{name} in {file} is no setting, so it does nothing.", f"Call it {meant[0]}.")


def _open_doors(settings: Settings) -> Iterator[Finding]:
    """Yield what other machines can reach without HTTPS or without a restriction."""
    if settings.console and settings.console_remote and not _is_local(settings.web_host):
        fact = f"Other machines reach the console over plain HTTP (CONSOLE_REMOTE, WEB_HOST={settings.web_host})."
        yield warning(_SUBJECT, fact, "Set WEB_HOST=127.0.0.1 and put a proxy with HTTPS in front of it.")
    if settings.ops_port is not None and not _is_local(settings.ops_host):
        fact = f"Other machines reach /readyz and /metrics at {settings.ops_host}:{settings.ops_port} without a pass."
        yield warning(_SUBJECT, fact, "Let only your monitor through, with a firewall or a network of its own.")


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _emoji_map(path: Path) -> Iterator[Finding]:
    try:
        EmojiMap.load(path)
    except EmojiMapError as error:
        yield problem(
            "emoji map", str(error), "Correct that line, or leave EMOJI_MAP empty for the map that came along."
        )


def _artwork() -> Iterator[Finding]:
    try:
        Artwork.load()
    except ArtworkError as error:
        yield problem("artwork", str(error), "Install the packages anew: make install.")
