"""The web adapter: serves a chat page to try the bot without a token, and the admins' console."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bots.adapter import AdapterError
from bots.console import MOST_PIECE_BYTES, UPLOAD_PATH, Console
from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.operations import HEALTH, METRICS, READY, Operations
from bots.serving.addresses import is_loopback
from bots.serving.admission import Admission
from bots.serving.post_route import PostRoute
from bots.serving.web_server import WebServer
from bots.web import guests, missing, page, uploads
from bots.web.bodies import BodyLimits, MemoryBudget, client_of
from bots.web.connections import MOST_HEAD_BYTES, BoundedProtocol
from bots.web.headers import SECURITY_HEADERS
from bots.web.interface import WITH_PHOTOS, WebInterface, malformed
from bots.web.origins import SOCKETS, SameOrigin, SecureCookies, allowed_hosts
from bots.web.visitor import Visitor
from db import Platform

MOST_BODY_BYTES = 64 * 1024
"""The limit for a request that brings no photo."""
MOST_BYTES_IN_MEMORY = 192 * 1024 * 1024
"""Photos that are coming in or wait for their answer, of all guests."""
MOST_BYTES_OF_ONE = 96 * 1024 * 1024
"""The same, of one address."""
LAST_WORDS_S = 0.5
"""Seconds for pages to receive that their photos were not answered before the end."""
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # what an operator may set to let others in
_STATIC = Path(str(files("bots.web") / "static"))
_log = structlog.get_logger()


class WebAdapter:
    """Serves the chat page, the console, or both until cancelled."""

    name: ClassVar[Platform] = Platform.WEB
    allowed_reactions: ClassVar[frozenset[str] | None] = None

    def __init__(  # noqa: PLR0913  # the operator's settings
        self,
        service: EmojiService,
        *,
        host: str,
        port: int,
        secret: str,
        has_chat: bool = True,
        console: Console | None = None,
        hosts: Sequence[str] = (),
        trusted_proxies: str = "127.0.0.1",
        operations: Operations | None = None,
        has_figures: bool = True,
        post_routes: Sequence[PostRoute] = (),
        stop_after_s: float = 3.0,
    ) -> None:
        """Configure the server.

        secret: signs the cookie that identifies a browser. console: the admins' pages, None for none. hosts: the names
        under which people reach the server, besides its own addresses. trusted_proxies: addresses, separated by
        commas, of those whose word on a request's origin is believed (X-Forwarded-For, X-Forwarded-Proto). operations:
        answers whether the bot is alive, None for nobody. has_figures: tells admins and this machine also whether it
        is ready, and the figures for Prometheus; False where these have a port of their own. post_routes: where
        platforms post something for other parts of the bot. stop_after_s: for how many seconds what is in hand is
        waited for at the end.
        """
        self._service = service
        self._console = console
        self._host, self._port = host, port
        self._has_chat = has_chat
        self._trusted_proxies = trusted_proxies
        self._budget = MemoryBudget(MOST_BYTES_IN_MEMORY, MOST_BYTES_OF_ONE)
        self._stop_after_s = stop_after_s
        self._admission = Admission()
        self._post_routes = {each.path: each for each in post_routes}
        self._app = self._guarded(hosts)
        nicegui_app.add_static_files("/static", _STATIC, max_cache_age=0)
        if operations is not None:
            self._app.add_route(HEALTH, operations.health)
            for path, answer in ((READY, operations.ready), (METRICS, operations.metrics)) if has_figures else ():
                nicegui_app.add_route(path, _only_if(self._is_operator, answer))
        for route in post_routes:
            self._app.add_route(route.path, route.receive, methods=["POST"])
        uploads.attach()
        guests.attach()
        missing.attach()
        if console is not None:
            console.attach()
        if has_chat:
            page.attach()
            nicegui_app.add_api_route("/", self._page, include_in_schema=False)
            nicegui_app.include_router(WebInterface(service, self._budget, self._admission).router)
            nicegui_app.add_exception_handler(RequestValidationError, malformed)
        elif console is not None:
            nicegui_app.add_api_route("/", lambda: RedirectResponse("/console"))
        ui.run_with(
            self._app,
            title=texts.WEB_TITLE,
            favicon="😄",
            storage_secret=secret,
            show_welcome_message=False,
        )

    async def run(self) -> None:
        """Serve until cancelled. Raise `AdapterError` if the address is in use."""
        config = uvicorn.Config(
            self._app,
            http=BoundedProtocol,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            ws_max_size=guests.MOST_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # a few hundred kilobytes of memory a socket
            headers=SECURITY_HEADERS,
            server_header=False,
            forwarded_allow_ips=self._trusted_proxies,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._admission.open()
        try:
            await self._serve(WebServer(config, self._announce))
        except OSError as error:
            reason = error.strerror or str(error)
            raise AdapterError(
                f"The web chat cannot listen on {self._host}:{self._port} ({reason}); set WEB_HOST or WEB_PORT."
            ) from error

    async def _serve(self, server: WebServer) -> None:
        """Serve until cancelled, then until what is in hand is done. Raise `OSError` if the address is in use."""
        serving = asyncio.create_task(server.serve_until_cancelled(self._host, self._port))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            if await self._admission.finish(self._stop_after_s):
                await asyncio.sleep(LAST_WORDS_S)
            raise
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    def _guarded(self, hosts: Sequence[str]) -> FastAPI:
        """Return the application with what every request has to pass, the last first."""
        guarded = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        guarded.add_middleware(guests.PagePlaces)
        guarded.add_middleware(SecureCookies)
        guarded.add_middleware(BodyLimits, most_bytes=self._most_bytes, budget=self._budget)
        guarded.add_middleware(SameOrigin, named=hosts)
        guarded.add_middleware(
            TrustedHostMiddleware, allowed_hosts=allowed_hosts(hosts, self._host), www_redirect=False
        )
        return guarded

    def _most_bytes(self, path: str) -> int:
        """Return the limit for the body of a request."""
        if path == UPLOAD_PATH and self._console is not None:
            return MOST_PIECE_BYTES
        route = self._post_routes.get(path)
        return route.most_bytes if route is not None else _most_bytes(path)

    def _is_operator(self, request: Request) -> bool:
        """Return whether somebody may see how the bot does: on this machine, or with a pass to the console."""
        is_admin = self._console is not None and self._console.is_admin(request)
        return is_admin or is_loopback(client_of(request.scope))

    def _announce(self) -> None:
        """Log the addresses, and print the one to open as the last line of the start."""
        address = f"http://{self._host}:{self._port}"
        _log.info("adapter_open", adapter=self.name, address=address)
        if self._console is not None:
            self._console.announce(address)
        if not self._has_chat and self._console is None:
            return
        here = "127.0.0.1" if self._host == _ANY_ADDRESS else self._host
        path = "" if self._has_chat else "/console"
        print(f"Open http://{here}:{self._port}{path}", flush=True)  # noqa: T201  # for people, not for the log

    async def _page(self, request: Request) -> Response:
        visitor = Visitor.of(request)
        return page.answer(await self._service.voice_for(visitor.person, visitor.language))


def _only_if(
    may_ask: Callable[[Request], bool], answer: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that is not there for others."""

    async def route(request: Request) -> Response:
        if not may_ask(request):
            raise HTTPException(404)
        return await answer(request)

    return route


def _most_bytes(path: str) -> int:
    """Return the limit for the body of a request to one of this server's own paths."""
    if path in WITH_PHOTOS:
        return uploads.MOST_UPLOAD_BYTES
    if path.startswith(SOCKETS):
        return guests.MOST_MESSAGE_BYTES
    return MOST_BODY_BYTES
