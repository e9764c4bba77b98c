"""What guests leave behind in NiceGUI, and what they may ask of it: the library keeps both without a limit."""

import asyncio
import ctypes
import gc
import inspect
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from nicegui import app as nicegui_app
from nicegui import core
from nicegui.client import Client
from starlette.types import ASGIApp, Receive, Scope, Send

SWEEP_EVERY_S = 5.0
CONNECT_WITHIN_S = 30.0
"""Time from the answer with a page to its socket, long enough for a slow network."""
JOIN_WITHIN_S = 10.0
"""Time from a socket to its page."""
MOST_WAITING_PAGES = 150
"""Pages whose socket is still to come; beyond it the oldest is given up, and a browser that is there loads it again."""
TAB_LASTS_S = 60.0
MOST_MESSAGE_BYTES = 256 * 1024
_MOST_ID = 100
"""Characters of the ids that browsers invent for their tabs."""
_STATIC = ("/_nicegui/", "/_nicegui_ws/", "/static/", "/console-static/")
_INVENTED = ("client_id", "tab_id", "document_id", "old_tab_id")

_log = structlog.get_logger()
_Handler = Callable[..., Any]


def attach() -> None:
    """Limit what NiceGUI takes from guests and keeps of them, before it starts."""
    handlers: dict[str, _Handler] = core.sio.handlers["/"]
    handlers.pop("log", None)  # a guest would write the log
    for event in ("handshake", "event", "javascript_response", "ack"):
        handlers[event] = _tolerating(handlers[event])
    handlers["connect"] = _tolerating(handlers["connect"])
    for logger in (core.sio.logger, core.sio.eio.logger):  # they write what strangers send, past the bot's own log
        logger.handlers.clear()
        logger.setLevel(logging.CRITICAL)
    core.sio.eio.cors_allowed_origins = []  # no other site may read; `SameOrigin` refuses them before
    core.sio.eio.max_http_buffer_size = MOST_MESSAGE_BYTES
    nicegui_app.storage.max_tab_storage_age = TAB_LASTS_S
    sweep = _Sweep(time.monotonic)
    nicegui_app.on_startup(lambda: nicegui_app.timer(SWEEP_EVERY_S, sweep.run))


class PagePlaces:
    """Middleware: makes room for a page before it is made."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and not scope["path"].startswith(_STATIC):
            waiting = [each for each in Client.instances.values() if _is_waiting(each)]
            for client in waiting[: max(0, len(waiting) + 1 - MOST_WAITING_PAGES)]:  # they are in order of their age
                client.delete()
        await self.app(scope, receive, send)


class _Sweep:
    """Deletes pages that nobody has come for, and closes sockets that belong to no page."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._first_seen: dict[str, float] = {}
        self._pages: set[str] = set()

    async def run(self) -> None:
        Client.prune_instances(client_age_threshold=CONNECT_WITHIN_S)
        if _gone(self._pages):
            await asyncio.to_thread(_give_memory_back)
        self._pages = set(Client.instances)
        now = self._clock()
        strangers = set(core.sio.eio.sockets) - _joined()
        self._first_seen = {each: self._first_seen.get(each, now) for each in strangers}
        for stranger, since in list(self._first_seen.items()):
            if now - since >= JOIN_WITHIN_S:
                await core.sio.eio.disconnect(stranger)


def _gone(pages: set[str]) -> bool:
    """Return whether any of these pages was deleted."""
    return not pages.issubset(Client.instances)


def _give_memory_back() -> None:
    """Free what deleted pages leave: their elements know each other, and the C library keeps what Python frees."""
    gc.collect()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)  # glibc only


def _is_waiting(client: Client) -> bool:
    return not client.has_socket_connection and not client._delete_tasks  # as NiceGUI prunes them


def _joined() -> set[str]:
    """Return the ids of the sockets that belong to a page."""
    sockets = (each for client in Client.instances.values() for each in client._socket_to_document_id)
    return {core.sio.manager.eio_sid_from_sid(each, "/") for each in sockets}


def _tolerating(handler: _Handler) -> Callable[..., Awaitable[Any]]:
    """Return a handler of a socket's event that takes what a browser never sends for nothing."""

    async def tolerant(*arguments: Any) -> Any:
        if not all(_is_plausible(each) for each in arguments[1:]):
            return False
        try:
            result = handler(*arguments)
            return await result if inspect.isawaitable(result) else result
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            _log.debug("malformed_event", platform="web", reason=type(error).__name__)
            return False

    return tolerant


def _is_plausible(argument: object) -> bool:
    if not isinstance(argument, dict):
        return argument is None
    invented = (argument[name] for name in _INVENTED if argument.get(name) is not None)
    return all(isinstance(each, str) and len(each) <= _MOST_ID for each in invented)
