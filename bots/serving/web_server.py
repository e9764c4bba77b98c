"""Run uvicorn beside the other parts of the bot, whose process and signals it would otherwise take for its own."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn


class WebServer(uvicorn.Server):
    """A server that says when it answers requests, and leaves signals to the bot."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, as uvicorn does, then call `started`."""
        try:
            await super().startup(sockets)
        except SystemExit as error:  # uvicorn would end the whole process, the other platforms with it
            raise RuntimeError("the web server could not start") from error
        if self.started:
            self._started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def serve_until_cancelled(self, host: str, port: int) -> None:
        """Serve until cancelled, then let what is being answered end. Raise `OSError` if the address is in use."""
        with socket.create_server((host, port)) as listener:
            serving = asyncio.create_task(self.serve(sockets=[listener]))
            try:
                await asyncio.shield(serving)
            finally:
                self.should_exit = True
                await serving
