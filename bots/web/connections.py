"""Connections of strangers: each has to get on with it, and those that do not make room for those that do."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bots.serving.addresses import is_loopback

MOST_CONNECTIONS = 512
"""Connections at once, those of open pages among them; half of the 1,024 files that systems let a process open."""
MOST_SOCKETS = 384
"""How many of them may be open pages, so that there is always room for the requests of others."""
MOST_OF_ONE_ADDRESS = 64
"""Connections of one other machine. This machine may have all: a proxy that runs here speaks for everybody."""
HEAD_WITHIN_S = 10.0
"""Time for the head of a request, from the opening of its connection or from its first byte."""
REST_WITHIN_S = 10.0
"""Time for the rest of a request that was answered before all of it had come, so that its sender reads the answer."""
READ_WITHIN_S = 60.0
"""Time in which the other side has to read something of what waits to be sent."""
MOST_HEAD_BYTES = 16 * 1024

_SOCKETS_ARE_TAKEN = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol with limits of time for both directions, and with places for connections.

    Where all places are taken, the connection that has waited longest for its own next request makes room.
    """

    _deadline: asyncio.TimerHandle | None = None
    _reading_deadline: asyncio.TimerHandle | None = None
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._expect_within(HEAD_WITHIN_S)
        self._take_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place."""
        self._expect_nothing()
        self._stop_reading_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Handle what came, and start or stop the time for the next head."""
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # the protocol of sockets has it
            return
        if not self.is_between_requests:
            self._expect_nothing()
        elif self._deadline is None:
            self._expect_within(HEAD_WITHIN_S)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the protocol of sockets, if there is room for one more."""
        self._expect_nothing()
        if sum(not isinstance(each, H11Protocol) for each in self.connections) >= MOST_SOCKETS:
            self.transport.write(_SOCKETS_ARE_TAKEN)
            self.transport.close()
            return
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Give the rest of a request that was answered early a limited time."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._expect_within(REST_WITHIN_S)

    def pause_writing(self) -> None:
        """Wait only so long for a client that does not read."""
        super().pause_writing()
        self._stop_reading_deadline()
        self._reading_deadline = self.loop.call_later(READ_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._stop_reading_deadline()
        super().resume_writing()

    @property
    def is_between_requests(self) -> bool:
        """Return whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def is_waiting_for_body(self) -> bool:
        """Return whether the body of a request has not come completely."""
        return self.cycle is not None and self.cycle.more_body

    def _take_place(self) -> None:
        rivals: list[Any] = list(self.connections)
        limit = MOST_CONNECTIONS
        if self.client is not None and not is_loopback(self.client[0]):
            here = self.client[0]
            own = [each for each in rivals if each.client is not None and each.client[0] == here]
            if len(own) > MOST_OF_ONE_ADDRESS:
                rivals, limit = own, MOST_OF_ONE_ADDRESS
        if len(rivals) <= limit:
            return
        http = [each for each in rivals if isinstance(each, BoundedProtocol) and each is not self]
        idle = [each for each in http if each.is_between_requests] or [
            each for each in http if each.is_waiting_for_body
        ]
        leaving = min(idle, key=lambda each: each._since, default=self)
        leaving.connections.discard(leaving)  # now, since what is aborted is lost only in the next turn of the loop
        leaving.transport.abort()

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_reading_deadline(self) -> None:
        if self._reading_deadline is not None:
            self._reading_deadline.cancel()
            self._reading_deadline = None
