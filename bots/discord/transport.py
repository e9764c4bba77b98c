"""The HTTP client of discord.py, with bounds of its own: calls a second in all, time, and bytes of a file."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
from discord.http import HTTPClient, Route

from bots.discord.errors import ReplacedError
from bots.messages import MOST_FILE_BYTES
from bots.serving.rate_limits import DISCORD_OVERALL, RateLimit

CALL_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=15, sock_read=30)
"""discord.py has none of its own, so that aiohttp's five minutes would count."""
_CHUNK_BYTES = 2**16


class FileTooLargeError(Exception):
    """A file has more bytes than `MOST_FILE_BYTES`."""


class Pace:
    """Lets at most so many calls go in any window of time, in the order in which they came."""

    def __init__(
        self,
        limit: RateLimit = DISCORD_OVERALL,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """clock: returns seconds. sleep: waits for the given seconds."""
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._gone: deque[float] = deque(maxlen=limit.calls)
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until the next call may go."""
        async with self._turn:
            if len(self._gone) == self._limit.calls:
                pause = self._gone[0] + self._limit.seconds - self._clock()
                if pause > 0:
                    await self._sleep(pause)
            self._gone.append(self._clock())


def paced(pace: Pace) -> aiohttp.TraceConfig:
    """Return the hook that holds back calls beyond a limit.

    Calls that answer an interaction are free (https://discord.com/developers/docs/topics/rate-limits), and so are
    downloads.
    """

    async def wait(_session: Any, _context: Any, parameters: aiohttp.TraceRequestStartParams) -> None:
        path = parameters.url.path
        if path.startswith("/api/") and "/interactions/" not in path and "/webhooks/" not in path:
            await pace.wait()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    return trace


class BoundedHTTPClient(HTTPClient):
    """discord.py's client, whose calls and downloads end by themselves, and say so where it is closed."""

    _is_over = False

    async def close(self) -> None:
        """Close it for good."""
        self._is_over = True
        await super().close()

    async def request(self, route: Route, **parameters: Any) -> Any:
        """Call Discord. Raise `TimeoutError` where it does not answer, `ReplacedError` after the end, and else what
        discord.py raises.

        The time-out is the session's own: to cancel a call that waits for a rate limit would hold up all others.
        """
        parameters.setdefault("timeout", CALL_TIMEOUT)
        try:
            return await super().request(route, **parameters)
        except RuntimeError as error:  # what aiohttp raises for a call on a closed session
            if self._is_over:
                raise ReplacedError from error
            raise

    async def get_from_cdn(self, url: str) -> bytes:
        """Download a file, and stop where it gets too large, whatever its announced size.

        Raise `FileTooLargeError`, `discord.HTTPException`, `aiohttp.ClientError` or `OSError`.
        """
        if self._is_over:
            raise ReplacedError
        content = bytearray()
        async with (
            aiohttp.ClientSession(connector=self.connector, connector_owner=False, timeout=CALL_TIMEOUT) as session,
            session.get(url, proxy=self.proxy, proxy_auth=self.proxy_auth, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise discord.HTTPException(response, "the file is not there")
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > MOST_FILE_BYTES:
                    raise FileTooLargeError
        return bytes(content)
