"""A path of the web server at which another part of the bot takes what a platform posts, as long as it is ready to."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

Answer = Callable[[Request], Awaitable[Response]]


class PostRoute:
    """Answers requests with what another part says, and with 503 while that takes none."""

    def __init__(self, path: str, most_bytes: int) -> None:
        """most_bytes: the limit for a body; the web server sees to it."""
        self.path = path
        self.most_bytes = most_bytes
        self._answer: Answer | None = None

    @contextmanager
    def answered_by(self, answer: Answer) -> Iterator[None]:
        """Let a part answer until the context is left."""
        self._answer = answer
        try:
            yield
        finally:
            self._answer = None

    async def receive(self, request: Request) -> Response:
        """Answer a request."""
        if self._answer is None:
            return PlainTextResponse("", 503, {"Retry-After": "1"})
        return await self._answer(request)
