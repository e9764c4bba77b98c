"""Logs for an operator: one line an event, never a token, a link to a file, an id or a picture.

The bot's own events name nobody. Of what libraries write, only warnings and errors are shown, whatever the level, and
from every line, tracebacks among them, all that looks like a token, a link or an id is removed.

What comes from outside may be in any value: every one is escaped, so that none can look like a line of its own or
control a terminal, and cut to a length.
"""

import logging
import re
import sys
import unicodedata
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

Listener = Callable[[str, MutableMapping[str, Any]], None]
"""Is told the level and the facts of each event of the bot's own, whatever level is written."""

MOST_TEXT = 500
"""Characters of one value."""
MOST_TRACEBACK = 20_000
_MOST_VALUES = 50
_TRACEBACK = "Traceback (most recent call last):"
_TRACEBACKS = frozenset({"exception", "stack"})
_REMOVED = "[removed]"
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that control something or look like nothing."""

_SECRETS = re.compile(
    r"(?P<version>\b[a-z]\w*-[0-9a-f]{8}\b(?![-\w]))"  # the name of a model, which stays
    r"|(?<!\d)\d{6,12}:[\w-]{30,}"  # Telegram: https://core.telegram.org/bots/api#authorizing-your-bot
    r"|[\w-]{20,30}\.[\w-]{6}\.[\w-]{27,}"  # Discord: id, time and signature in base 64
    r"|(?<![\w/-])(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{24,}=*"  # ids of files, keys, tokens of others
    r"|\b[0-9a-f]{32,}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # hashes; ids of browsers
    # ids of people, chats and messages, in names of files, too; no fraction of a second, no day or time of a retraining
    r"|(?<!\d)(?<!\d\.)-?(?<!-20\d{6}-)(?!20\d{6}-\d{6}-)\d{6,20}(?!\d)"
)
_LINK = re.compile(
    r"\b(?P<site>[a-z][a-z0-9+.-]*://)([^\s/@\"'<>\\]+@)?(?P<host>[^\s/?#\"'<>\\]+)(?P<rest>[/?#][^\s\"'<>\\]*)?",
    re.IGNORECASE,
)
_OF_SOMETHING = re.compile(r"[?#@]|\d{5,}|[\w-]{20,}|\.\w{2,5}\b")
"""What a link has that leads to a file or a message; links in the bot's own advice have none of it."""
_SILENT_BUT_FOR_ERRORS = ("uvicorn", "engineio", "socketio", "websockets")
"""They warn of every malformed request, so strangers decide how much they write."""


def configure_logs(level: str, style: str, listener: Listener | None = None) -> None:
    """Send structlog and the standard library's loggers to standard error; style is "console" or "json"."""
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    told: list[Any] = [_telling(listener)] if listener is not None else []
    structlog.configure(
        processors=[*told, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # the listener is told everything; the standard library's loggers drop what is below the level
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        _SafeFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                contain,
                renderer,
            ],
        )
    )
    logging.raiseExceptions = False  # what cannot be written would be shown as it came, with its secrets
    handler.addFilter(_is_for_operators)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _SILENT_BUT_FOR_ERRORS:
        logging.getLogger(name).setLevel(logging.ERROR)


def contain(_logger: object, _method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape and cut every value of an event; a traceback keeps its lines, indented."""
    return {
        _contained(str(name)): _traceback(value) if name in _TRACEBACKS else _contained(value)
        for name, value in facts.items()
    }


def _contained(value: object, depth: int = 3) -> Any:
    """Return a value with every text in it escaped and cut; what is nested deeper than `depth` as one text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict) and depth:
        return {str(_contained(key, 0)): _contained(each, depth - 1) for key, each in [*value.items()][:_MOST_VALUES]}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_contained(each, depth - 1) for each in [*value][:_MOST_VALUES]]
    return _cut(_escaped((value if isinstance(value, str) else repr(value)).strip()), MOST_TEXT)


def _traceback(value: object) -> str:
    return _cut("\n".join(f"    {_escaped(line)}" for line in str(value).splitlines()), MOST_TRACEBACK)


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) in _UNSEEN else each for each in text
    )


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that is too long, but the end of a traceback that a library wrote as a text: there
    it says what happened.
    """
    if len(text) > most and _TRACEBACK in text:
        return f"({len(text) - most} characters before) …{text[-most:]}"
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def _telling(listener: Listener) -> Any:
    """Return a processor that tells a listener of each event."""

    def tell(_logger: object, method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        listener(method, facts)
        return facts

    return tell


def _is_for_operators(record: logging.LogRecord) -> bool:
    """Return whether a record is an event of the bot's own, or a warning of a library: at lower levels these write
    whole requests and messages.
    """
    return isinstance(record.msg, dict) or record.levelno >= logging.WARNING


def _without_secrets(line: str) -> str:
    return _SECRETS.sub(lambda found: found["version"] or _REMOVED, _LINK.sub(_short_link, line))


def _short_link(found: re.Match[str]) -> str:
    """Return a link without credentials, and without what leads to a file."""
    rest = found["rest"] or ""
    return f"{found['site']}{found['host']}{f'/{_REMOVED}' if _OF_SOMETHING.search(rest) else rest}"


class _SafeFormatter(structlog.stdlib.ProcessorFormatter):
    """Removes tokens, links and ids from every line, also from what a library or a traceback wrote."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_secrets(super().format(record))
