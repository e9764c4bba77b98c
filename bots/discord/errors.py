"""Errors of Discord, or on the way there: which of them pass, and how they are logged."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import discord
import structlog

from db import Platform


class ReplacedError(ConnectionError):
    """The connection to Discord was given up for a new one, and nothing more goes through this one."""


TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What may be raised by any call of Discord; time-outs are among them."""

UNKNOWN_CHANNEL = 10003
UNKNOWN_EMOJI = 10014
CANNOT_REPLY_WITHOUT_HISTORY = 160002
INVALID_FORM = 50035
"""Codes of https://discord.com/developers/docs/topics/opcodes-and-status-codes#json."""

_LIBRARY_LOGGERS = (
    "app_commands.tree",
    "client",
    "gateway",
    "http",
    "shard",
    "state",
    "ui.modal",
    "ui.view",
    "webhook",
)

_log = structlog.get_logger()


def facts_of(error: BaseException) -> dict[str, object]:
    """Return what a log line says of an error: never its message, which may quote what people wrote."""
    facts: dict[str, object] = {"reason": type(error).__name__}
    for name in ("status", "code"):
        if (value := getattr(error, name, None)) is not None:
            facts[name] = value
    return facts


def place_of(error: BaseException) -> str:
    """Return the file and line that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""


def log_refused(action: str, error: BaseException) -> None:
    """Log an error of `TROUBLE` after which the bot goes on. action: what the log line calls what failed."""
    _log.warning("discord_refused", action=action, **facts_of(error))


@contextmanager
def tolerated(action: str) -> Iterator[None]:
    """Log an error of `TROUBLE` in this context, and go on after it. action: what the log line calls the context."""
    try:
        yield
    except TROUBLE as error:
        log_refused(action, error)


@contextmanager
def losing_no_answer_silently(action: str) -> Iterator[None]:
    """Log that an answer is lost for an error of `TROUBLE` in this context, and go on after it."""
    try:
        yield
    except TROUBLE as error:
        _log.error("answer_lost", platform=Platform.DISCORD, action=action, **facts_of(error))


def is_out_of_reach(error: BaseException) -> bool:
    """Check whether what failed may succeed later, be it through another connection."""
    return isinstance(error, ReplacedError) or is_passing(error)


def is_passing(error: BaseException) -> bool:
    """Check whether the same call may succeed in a moment: a rate limit, a server's error, a lost connection."""
    if isinstance(error, ReplacedError):
        return False
    if isinstance(error, discord.HTTPException):
        return error.status == 429 or error.status >= 500
    return isinstance(error, discord.RateLimited | aiohttp.ClientError | OSError)


def is_without_effect(error: BaseException) -> bool:
    """Check whether a failed call certainly changed nothing, unlike one whose answer got lost on the way."""
    return isinstance(error, discord.DiscordException | aiohttp.ClientConnectorError | ReplacedError)


def pause_asked_for_s(error: BaseException) -> float:
    """Return for how long a rate limit asks to wait; 0 where an error does not say."""
    if isinstance(error, discord.RateLimited):
        return error.retry_after
    if not isinstance(error, discord.HTTPException):
        return 0
    try:
        return float(error.response.headers.get("Retry-After", 0))
    except ValueError:
        return 0


def is_gone(error: BaseException) -> bool:
    """Check whether a call failed because the message that it names, or its channel, is no longer there."""
    if not isinstance(error, discord.HTTPException):
        return False
    if error.code == INVALID_FORM:  # what it says of a reply to a deleted message
        return "message_reference" in error.text and "unknown message" in error.text.lower()
    return error.status == 404 and error.code != UNKNOWN_EMOJI


def is_about_the_reply(error: BaseException) -> bool:
    """Check whether a message was refused because of the message that it replies to, although that is there."""
    if not isinstance(error, discord.HTTPException) or is_gone(error):
        return False
    return error.code == CANNOT_REPLY_WITHOUT_HISTORY or (
        error.code == INVALID_FORM and "message_reference" in error.text
    )


def is_about_an_icon(error: BaseException) -> bool:
    """Check whether a message was refused for an emoji on a button: one of a server's own that is gone by now."""
    return isinstance(error, discord.HTTPException) and error.code == INVALID_FORM and ".emoji" in error.text


class _ShortErrors(logging.Filter):
    """Replaces the traceback of the library's log lines, whose messages may quote people, by the error's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None:
            record.msg, record.args = f"{record.getMessage()} ({type(error).__name__}, {place_of(error)})", ()
            record.exc_info = record.exc_text = None
        return True


_SHORT_ERRORS = _ShortErrors()


def shorten_library_errors() -> None:
    """Let discord.py log errors in one line."""
    for name in _LIBRARY_LOGGERS:
        logging.getLogger(f"discord.{name}").addFilter(_SHORT_ERRORS)
