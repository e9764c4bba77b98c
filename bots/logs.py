"""Logs for an operator: one line an event, never a token, a file link or a picture."""

import logging
import re
import sys
from typing import Any

import structlog

_SECRETS = re.compile(
    r"(?<!\d)\d{6,12}:[\w-]{30,}"  # Telegram: https://core.telegram.org/bots/api#authorizing-your-bot
    r"|[\w-]{20,30}\.[\w-]{6}\.[\w-]{27,}"  # Discord: id, time and signature in base 64
    r"|https://(cdn|media)\.discordapp\.\w+/\S+"
)
_QUIET = (
    "httpx",
    "httpcore",
    "telegram",
    "discord",
    "uvicorn",
    "nicegui",
    "alembic",
    "aiosqlite",
    "asyncio",
    "apscheduler",
)


def configure_logs(level: str, style: str) -> None:
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
    tail = [structlog.processors.format_exc_info] if style == "json" else []
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        _SafeFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)  # at INFO, httpx logs links that hold the token


class _SafeFormatter(structlog.stdlib.ProcessorFormatter):
    """Removes tokens from every line, also from what a library or a traceback wrote."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("[removed]", super().format(record))
