"""Check the form of tokens and secrets, without printing any part of them."""

import base64
import re
from collections.abc import Iterator

from pydantic import SecretStr

from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import CONSOLE_TOKEN_FILE, Settings
from db.settings import SECRET_FILE

_TELEGRAM = re.compile(r"\d{6,12}:[\w-]{30,}", re.ASCII)
"""https://core.telegram.org/bots/api#authorizing-your-bot"""
_DISCORD = re.compile(r"([\w-]{20,30})\.[\w-]{6}\.[\w-]{27,}", re.ASCII)
"""The bot's id, a time and a signature, each in base 64."""
_LEAST_SECRET = 16
"""Characters, as for the console's token."""
_NEW_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one."  # noqa: S105  (a command)


def check_tokens(settings: Settings) -> list[Finding]:
    """Return whether each token that is set looks like one."""
    found = [*_telegram(settings.telegram_token), *_discord(settings.discord_token), *_secrets(settings)]
    return found or [fine("tokens", "None is set, and none is needed for the web chat.")]


def _telegram(token: SecretStr) -> Iterator[Finding]:
    value = token.get_secret_value()
    if not value:
        return
    if _TELEGRAM.fullmatch(value):
        yield fine("tokens", "TELEGRAM_TOKEN has the form of a token.")
        return
    advice = "Copy the whole token from @BotFather, /mybots, API Token: digits, a colon, 35 more characters."
    yield problem("tokens", f"TELEGRAM_TOKEN has not the form of a token{_trimmings(value)}.", advice)


def _discord(token: SecretStr) -> Iterator[Finding]:
    value = token.get_secret_value()
    if not value:
        return
    if (parts := _DISCORD.fullmatch(value)) and _is_number(parts[1]):
        yield fine("tokens", "DISCORD_TOKEN has the form of a token.")
        return
    advice = "Take the bot's token, not the client secret: Developer Portal, Bot, Reset Token. It has two dots in it."
    yield problem("tokens", f"DISCORD_TOKEN has not the form of a bot's token{_trimmings(value)}.", advice)


def _secrets(settings: Settings) -> Iterator[Finding]:
    for name, secret, file in (
        ("SECRET", settings.secret, SECRET_FILE),
        ("CONSOLE_TOKEN", settings.console_token, CONSOLE_TOKEN_FILE),
    ):
        value = secret.get_secret_value()
        if value and len(value) < _LEAST_SECRET:
            fact = f"{name} has fewer than {_LEAST_SECRET} characters, so it can be guessed."
            yield warning("tokens", fact, f"Leave it empty, so that one is stored in DATA_DIR/{file}, or {_NEW_SECRET}")


def _trimmings(value: str) -> str:
    """Return what surrounds a value by mistake, for the end of a sentence."""
    if value.strip() != value or " " in value:
        return " (there is a blank in it)"
    if value.strip("\"'") != value:
        return " (there are quotes around it)"
    return ""


def _is_number(part: str) -> bool:
    """Return whether the first part of a Discord token is a number in base 64, as a bot's id is."""
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).isdigit()
    except ValueError:
        return False
