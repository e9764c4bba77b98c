"""What goes wrong on Discord or on the way there, and is no one's to suffer."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord
import structlog

TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)

_log = structlog.get_logger()


@contextmanager
def tolerated(action: str) -> Iterator[None]:
    """Log what Discord (or the way there) refuses, and go on: it is the operator's to know and no one's to suffer."""
    try:
        yield
    except TROUBLE as error:
        status, code = getattr(error, "status", None), getattr(error, "code", None)
        _log.warning("discord_refused", action=action, reason=type(error).__name__, status=status, code=code)
