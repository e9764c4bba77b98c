"""Check what several copies of the bot need: an address that Telegram can post to, and secrets that all have."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from bots.doctor.findings import Finding, fine, problem, warning
from bots.settings import Settings

_SUBJECT = "replicas"
_PORTS = (443, 80, 88, 8443)
"""Those that Telegram posts to (https://core.telegram.org/bots/api#setwebhook)."""


def check_replicas(settings: Settings) -> list[Finding]:
    """Return what is right and wrong with the settings by which copies of the bot share the work."""
    return [*_webhook(settings), *_shards(settings), *_secret(settings)]


def _webhook(settings: Settings) -> Iterator[Finding]:
    url = settings.telegram_webhook_url
    if not url:
        return
    parts = urlsplit(url)
    has_own_server = bool(settings.telegram_api_url)
    if not settings.telegram_token.get_secret_value():
        yield warning(_SUBJECT, "There is a TELEGRAM_WEBHOOK_URL but no TELEGRAM_TOKEN.", "Set the token too.")
    elif parts.scheme != "https" and not has_own_server:
        advice = "Put a proxy with HTTPS before the bot, and its address into TELEGRAM_WEBHOOK_URL."
        yield problem(_SUBJECT, f"Telegram posts to HTTPS only, not to {url}.", advice)
    elif (parts.port or 443) not in _PORTS and not has_own_server:
        advice = f"Let the proxy listen on one of {', '.join(map(str, _PORTS))}."
        yield problem(_SUBJECT, f"Telegram does not post to port {parts.port}.", advice)
    else:
        here = f"{settings.web_host}:{settings.web_port}{parts.path}"
        yield fine(_SUBJECT, f"Telegram posts to {url}; the proxy there has to pass it on to {here}.")


def _shards(settings: Settings) -> Iterator[Finding]:
    if settings.discord_shards and not _is_on_a_server(settings):
        fact = "DISCORD_SHARDS divides the work between copies of the bot, and on SQLite there is one."
        yield warning(_SUBJECT, fact, "Set DISCORD_SHARDS=0, or DATABASE_URL to PostgreSQL.")


def _secret(settings: Settings) -> Iterator[Finding]:
    if _is_on_a_server(settings) and not settings.secret.get_secret_value():
        fact = f"SECRET is not set; each copy of the bot whose DATA_DIR is not {settings.data_dir} would make its own."
        yield warning(_SUBJECT, fact, "Set SECRET, to what is in mugmoji.secret there, for all of them.")


def _is_on_a_server(settings: Settings) -> bool:
    return settings.database_url.get_secret_value().startswith("postgres")
