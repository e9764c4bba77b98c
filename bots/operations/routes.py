"""Answer /healthz, /readyz and /metrics, on the port of the web chat or on one of their own."""

from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bots.operations.readiness import Readiness
from bots.serving.measures import CONTENT_TYPE, Measures
from bots.serving.web_server import WebServer

HEALTH, READY, METRICS = "/healthz", "/readyz", "/metrics"
_MOST_AT_ONCE = 32


class Operations:
    """What operators and their tools ask for."""

    def __init__(self, readiness: Readiness, measures: Measures) -> None:
        self._readiness = readiness
        self._measures = measures

    async def health(self, _request: Request) -> Response:
        """Say that the process is alive; anybody may ask."""
        return PlainTextResponse("alive\n", headers={"Cache-Control": "no-store"})

    async def ready(self, _request: Request) -> Response:
        """Say whether every part works: 200, or 503 with those that do not."""
        report = await self._readiness.report()
        return JSONResponse(report, 200 if report["ready"] else 503, {"Cache-Control": "no-store"})

    async def metrics(self, _request: Request) -> Response:
        """Return the figures for Prometheus."""
        return Response(
            self._measures.exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        )

    async def serve(self, host: str, port: int, started: Callable[[], None]) -> None:
        """Serve on a port of their own until cancelled. Raise `OSError` if the address is in use."""
        routes = [Route(HEALTH, self.health), Route(READY, self.ready), Route(METRICS, self.metrics)]
        config = uvicorn.Config(
            Starlette(routes=routes),
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=1,
        )
        await WebServer(config, started).serve_until_cancelled(host, port)
