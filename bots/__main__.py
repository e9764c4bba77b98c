"""`python -m bots`: opens every door that is configured, around one service, until Ctrl-C.

Exit status: 0 when stopped, 3 when something needed is missing or wrong (the last line says what to set).
"""

import asyncio
import signal
import sys
from collections.abc import Callable

import structlog

from bots.artwork import ArtworkError
from bots.door import Door, DoorError
from bots.logs import configure_logs
from bots.parts import Parts, assembled
from bots.settings import Settings
from db import StoreError
from db.settings import SettingsError, load_settings
from recognizer import DetectorError, EmojiMapError, ModelError

MISSING = 3

_log = structlog.get_logger()


async def serve(settings: Settings) -> int:
    """Run the doors until a signal; gives the exit status."""
    openers = _openers(settings)
    if not openers:
        raise SettingsError("Nothing to do: set TELEGRAM_TOKEN or DISCORD_TOKEN, or WEB_CHAT=true or CONSOLE=true.")
    async with assembled(settings) as parts:
        doors = [asyncio.create_task(_open(opener, parts)) for opener in openers]
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, _cancel, doors)
        outcomes = await asyncio.gather(*doors, return_exceptions=True)
    failed = [outcome for outcome in outcomes if not isinstance(outcome, asyncio.CancelledError)]
    return MISSING if failed else 0


def main() -> int:
    """Wire everything together; gives the exit status."""
    try:
        settings = load_settings(Settings)
        configure_logs(settings.log_level, settings.log_format)
        return asyncio.run(serve(settings))
    except (SettingsError, StoreError, DetectorError, ModelError, EmojiMapError, ArtworkError, DoorError) as error:
        print(error, file=sys.stderr)
        return MISSING


def _openers(settings: Settings) -> list[Callable[[Parts], Door]]:
    """One for each door that is configured; a platform's library is only imported for its own door."""
    openers: list[Callable[[Parts], Door]] = []
    if token := settings.telegram_token.get_secret_value():
        from bots.telegram import TelegramDoor

        openers.append(lambda parts: TelegramDoor(parts.service, token, api_url=settings.telegram_api_url))
    if discord_token := settings.discord_token.get_secret_value():
        from bots.discord import DiscordDoor

        openers.append(lambda parts: DiscordDoor(parts.service, discord_token))
    if settings.web_chat or settings.console:
        openers.append(lambda parts: _web_door(settings, parts))
    return openers


def _web_door(settings: Settings, parts: Parts) -> Door:
    """The web chat, the console, or both."""
    from bots.console import Access, Console
    from bots.web import WebDoor

    console = None
    if settings.console:
        access = Access(settings.console_secret(), settings.where_console_token_is(), settings.console_remote)
        watch = parts.model_watch
        console = Console(parts.store, parts.map_watch.refresh, parts.retrainer, access, problem=lambda: watch.problem)
    return WebDoor(
        parts.service,
        host=settings.web_host,
        port=settings.web_port,
        secret=settings.hashing_secret(),
        has_chat=settings.web_chat,
        console=console,
    )


async def _open(opener: Callable[[Parts], Door], parts: Parts) -> None:
    """Serve one door; where it cannot be opened, say why in one line and leave the others alone."""
    try:
        await opener(parts).run()
    except DoorError as error:
        _log.error(str(error))
        raise
    except Exception:
        _log.exception("door_failed")
        raise


def _cancel(doors: list[asyncio.Task[None]]) -> None:
    for door in doors:
        door.cancel()


if __name__ == "__main__":
    sys.exit(main())
