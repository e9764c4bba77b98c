"""Errors of Discord, or on the way there, that the bot logs and survives."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord
import structlog

TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)

_log = structlog.get_logger()


@contextmanager
def tolerated(action: str) -> Iterator[None]:
    """Log an error of `TROUBLE` in this context, and go on after it. action: what the log line calls the context."""
    try:
        yield
    except TROUBLE as error:
        status, code = getattr(error, "status", None), getattr(error, "code", None)
        _log.warning("discord_refused", action=action, reason=type(error).__name__, status=status, code=code)
