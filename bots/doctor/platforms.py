"""Ask each platform that is switched on for its date: can it be reached from here, and do the clocks agree?

No token is sent.
"""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from bots.doctor.clock import ADVICE, MOST_APART_S
from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import Settings

TELEGRAM, DISCORD = "https://api.telegram.org", "https://discord.com"
_WITHIN_S = 5.0
_FAR_APART_S = 30.0
"""From here on people notice: a platform takes an answer for old, or a link for expired."""


def check_platforms(settings: Settings, now: Callable[[], float] = time.time) -> list[Finding]:
    """Return whether each platform with a token answers. now: seconds since 1970."""
    asked = {}
    if settings.telegram_token.get_secret_value():
        asked["Telegram"] = settings.telegram_api_url or TELEGRAM
    if settings.discord_token.get_secret_value():
        asked["Discord"] = DISCORD
    return [_of_platform(name, address, now) for name, address in asked.items()]


def _of_platform(name: str, address: str, now: Callable[[], float]) -> Finding:
    try:
        date = _date_at(address)
    except (OSError, HTTPException, ValueError) as error:
        advice = "Check the network, DNS and firewall of this machine. The bot tries again until it gets through."
        return warning(name, f"It cannot be reached from here ({type(error).__name__}).", advice)
    apart_s = 0.0 if date is None else date - now()
    if abs(apart_s) <= MOST_APART_S:
        return fine(name, "It can be reached from here." if date is None else "It can be reached; the clocks agree.")
    fact = f"It can be reached; its clock is {abs(apart_s):.0f} seconds {'ahead' if apart_s > 0 else 'behind'}."
    return (problem if abs(apart_s) > _FAR_APART_S else warning)(name, fact, ADVICE)


def _date_at(address: str) -> float | None:
    """Return the date that a server names, in seconds since 1970; None if it names none.

    Raise `OSError`, `HTTPException` or `ValueError`.
    """
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=_WITHIN_S)
    try:
        connection.request("HEAD", "/")
        date = connection.getresponse().getheader("Date")
    finally:
        connection.close()
    return None if date is None else parsedate_to_datetime(date).timestamp()
