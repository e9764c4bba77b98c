"""Handle errors of Discord and of the connection to it that must not stop the bot."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord
import structlog

TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)

_log = structlog.get_logger()


@contextmanager
def tolerated(action: str) -> Iterator[None]:
    """Log errors of Discord or the connection within the block, and continue after it."""
    try:
        yield
    except TROUBLE as error:
        status, code = getattr(error, "status", None), getattr(error, "code", None)
        _log.warning("discord_refused", action=action, reason=type(error).__name__, status=status, code=code)
