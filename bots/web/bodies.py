"""Bodies of requests: counted while they come, in a limited time, and in a limited part of the memory."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.serving.addresses import is_loopback

NEXT_PIECE_WITHIN_S = 15.0
START_WITHIN_S = 30.0
LEAST_BYTES_A_SECOND = 20_000
"""What a sender has to manage on average after the first `START_WITHIN_S`: a slow mobile network does."""

_LOST: Message = {"type": "http.disconnect"}
_log = structlog.get_logger()


class Refused(HTTPException):
    """A body that is not taken in; the answer says why."""

    _reasons: ClassVar[dict[int, str]] = {
        400: "The body does not have the form that belongs here.\n",
        408: "The body came too slowly.\n",
        413: "The body is too large.\n",
        429: "Too much at once; please send less, or wait a moment.\n",
        503: "Too much is coming in at the moment; please try again soon.\n",
    }

    def __init__(self, status: int) -> None:
        """status: one of 400, 408, 413, 429 and 503."""
        headers = {"Retry-After": "5"} if status in (429, 503) else None
        super().__init__(status, self._reasons[status], headers)


class MemoryBudget:
    """Bytes of bodies that may be in memory at once, of all clients together and of each.

    Programs on this machine share only the first: a proxy that runs here speaks for everybody.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Return the bytes that are in use."""
        return self._taken.total()

    def take(self, client: str, count: int) -> None:
        """Take `count` bytes for a client's address. Raise `Refused` if there are not so many left."""
        if not is_loopback(client) and self._taken[client] + count > self._most_of_one:
            raise Refused(429)
        if self.taken + count > self._most:
            raise Refused(503)
        self._taken[client] += count

    def give_back(self, client: str, count: int) -> None:
        """Give `count` bytes back."""
        self._taken[client] -= count
        if not self._taken[client]:
            del self._taken[client]

    @contextmanager
    def holding(self, client: str, count: int) -> Iterator[None]:
        """Count bytes that are in memory in any case, until the context is left."""
        self._taken[client] += count
        try:
            yield
        finally:
            self.give_back(client, count)


class BodyLimits:
    """Middleware: refuses bodies that are too large with 413, too slow ones with 408, and too many with 429 or 503.

    It counts what comes, whatever the request's head says of it.
    """

    def __init__(self, app: ASGIApp, most_bytes: Callable[[str], int], budget: MemoryBudget) -> None:
        """most_bytes: returns the limit for a path."""
        self.app = app
        self._most_bytes = most_bytes
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, self._budget, client_of(scope), self._most_bytes(scope["path"]))
        try:
            body.expect(_declared(scope))
            await self.app(scope, body.receive, body.only_if_whole(send))
        except Exception as error:
            body.note(error)
        finally:
            body.let_go()
        if (refusal := body.refusal) is not None:
            _log.debug("request_refused", platform="web", code=str(refusal.status_code))  # counted, but no line
            await PlainTextResponse(refusal.detail, refusal.status_code, refusal.headers)(scope, receive, send)


class _Body:
    """The body of one request. refusal: why it was not taken in; to the application it looks like a lost connection."""

    def __init__(self, receive: Receive, budget: MemoryBudget, client: str, most_bytes: int) -> None:
        self._receive, self._budget, self._client, self._most_bytes = receive, budget, client, most_bytes
        self._started = asyncio.get_running_loop().time()
        self._came = self._reserved = 0
        self._is_whole = self._is_answered = False
        self.refusal: Refused | None = None

    def expect(self, length: int) -> None:
        """Reserve memory for what the head announces. Raise `Refused`."""
        if length > self._most_bytes:
            raise Refused(413)
        if length > self._reserved:
            self._budget.take(self._client, length - self._reserved)
            self._reserved = length

    def let_go(self) -> None:
        self._budget.give_back(self._client, self._reserved)
        self._reserved = 0

    def note(self, error: Exception) -> None:
        """Take an error for what follows from a refusal or a client that has gone, or for the refusal itself; raise any
        other.
        """
        if isinstance(error, Refused):
            self.refusal = error
        elif self.refusal is None and not isinstance(error, ClientDisconnect):
            raise error

    def only_if_whole(self, send: Send) -> Send:
        """Return `send` for an answer to this body; what the application says of one that was refused is dropped."""

        async def send_unless_refused(message: Message) -> None:
            if self.refusal is None:
                self._is_answered = True
                await send(message)

        return send_unless_refused

    async def receive(self) -> Message:
        """Return the next piece."""
        if self.refusal is not None:
            return _LOST
        try:
            return await self._next()
        except Refused as refusal:
            if not self._is_answered:
                self.refusal = refusal
            return _LOST

    async def _next(self) -> Message:
        if self._is_whole:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        latest = self._started + START_WITHIN_S + self._came / LEAST_BYTES_A_SECOND
        try:
            async with asyncio.timeout(min(NEXT_PIECE_WITHIN_S, latest - now)):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408) from None
        self._is_whole = not message.get("more_body", False)
        self._came += len(message.get("body", b""))
        self.expect(self._came)
        return message


def client_of(scope: Scope) -> str:
    """Return the address that a request came from, as a trusted proxy reports it; empty if it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _declared(scope: Scope) -> int:
    """Return the length of the body that the head of a request announces, 0 if it does not."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
