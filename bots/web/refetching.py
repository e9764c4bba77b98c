"""Fetch a photo again from the browser that sent it: the server keeps none."""

import asyncio
import json
import secrets

import structlog
from nicegui import ui
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bots.conversation import texts
from bots.messages import NotFetchedError, Picture
from db import Person

PREFIX = "/again/"
PATH = PREFIX + "{ticket}"
_MOST_S = 60.0
_log = structlog.get_logger()


class Refetching:
    """Asks browsers for photos, one of a guest at a time, and takes in what they send. A ticket is good for one."""

    def __init__(self, max_bytes: int) -> None:
        """max_bytes: the largest file that is taken in."""
        self._max_bytes = max_bytes
        self._expected: dict[str, asyncio.Future[bytes]] = {}
        self._asked: set[Person] = set()

    async def fetch(self, person: Person, name: str) -> Picture | None:
        """Return the photo that the current page, which is the person's, has under a name; None if it does not come.

        Raise `NotFetchedError` while another photo of the person is waited for.
        """
        if person in self._asked:
            raise NotFetchedError(texts.TOO_FAST)
        self._asked.add(person)
        try:
            return await self._fetch(name)
        finally:
            self._asked.remove(person)

    async def _fetch(self, name: str) -> Picture | None:
        ticket = secrets.token_urlsafe(24)
        arrived = self._expected[ticket] = asyncio.get_running_loop().create_future()
        try:
            asked = ui.run_javascript(
                f"return mugmoji.again({json.dumps(name)}, {json.dumps(ticket)})", timeout=_MOST_S
            )
            if not await asked:
                return None
            async with asyncio.timeout(_MOST_S):
                return Picture(await arrived)
        except TimeoutError:
            return None
        finally:
            del self._expected[ticket]

    async def receive(self, ticket: str, request: Request) -> Response:
        """Take in the body of a request as the photo that a ticket was issued for; `BodyLimits` bounds its time."""
        arrived = self._expected.get(ticket)
        if arrived is None or arrived.done():
            return Response(status_code=404)
        content = bytearray()
        try:
            async for chunk in request.stream():
                content += chunk
                if len(content) > self._max_bytes:
                    return Response(status_code=413)
        except ClientDisconnect:
            _log.info("upload_cut_off", platform="web")
            return Response(status_code=400)
        if not arrived.done():
            arrived.set_result(bytes(content))
        return Response(status_code=204)
