"""Split Discord's shards between processes: each takes its share, and those of one that dies go to the others.

A shard is served by the process that holds its lease, over a connection of its own. Each process also holds a lease
that tells the others that it is there; a fair share is as many shards as that makes for each. Who has more lets one go,
who has less takes a free one, so that within seconds after a change all shards are served again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.serving.lease import Lease
from db import Leases, Platform, utc_now

LOOKED_EVERY_S = 2.0
"""Seconds between two looks at who has what."""
IDENTIFY_PAUSE_S = 5.0
"""Seconds between two connections that a bot opens (https://discord.com/developers/docs/events/gateway#rate-limiting)."""
_PRESENT, _SHARD, _IDENTIFY = "discord process ", "discord shard ", "discord identify"

_log = structlog.get_logger()


@dataclass(frozen=True)
class Shard:
    """One of `count` shards, from 0. before_identify: waits for the turn of a new session of it."""

    number: int
    count: int
    before_identify: Callable[[], Awaitable[None]]


class Shards:
    """The shards that this process serves."""

    def __init__(
        self,
        count: int,
        leases: Leases,
        lease: Callable[[str], Lease],
        *,
        clock: Callable[[], datetime] = utc_now,
        looked_every_s: float = LOOKED_EVERY_S,
    ) -> None:
        """count: of all shards. lease: returns this process's lease of a name. clock: returns the time with a zone."""
        self.count = count
        self._leases = leases
        self._lease = lease
        self._clock = clock
        self._looked_every_s = looked_every_s
        self._presence = lease(f"{_PRESENT}{token_hex(16)}")
        self._served: dict[int, asyncio.Task[bool]] = {}
        self._leaving: set[int] = set()

    @property
    def served(self) -> frozenset[int]:
        """Return the shards that this process has."""
        return frozenset(self._served)

    async def run(self, serve: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        """Serve a fair share of the shards until cancelled, each by calling `serve`. Raise what that raises."""
        try:
            while True:
                try:
                    await self._balance(serve)
                except (SQLAlchemyError, OSError) as error:  # each goes on with what it has
                    _log.warning("shards_not_balanced", platform=Platform.DISCORD, reason=type(error).__name__)
                await self._wait()
        finally:
            await self._end()

    async def _balance(self, serve: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        """Take or give up at most one shard."""
        if not await self._presence.is_taken():
            return
        now = self._clock()
        present = len(await self._leases.held(_PRESENT, now))
        share = -(-self.count // max(present, 1))
        staying = self._served.keys() - self._leaving
        if len(staying) > share:
            shard = max(staying)
            self._leaving.add(shard)
            self._served[shard].cancel()
            _log.info("shard_given_up", platform=Platform.DISCORD, shard=shard)
        elif len(staying) < share:
            await self._take_one(await self._leases.held(_SHARD, now), serve)

    async def _take_one(self, held: frozenset[str], serve: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        for shard in range(self.count):
            name = f"{_SHARD}{shard} of {self.count}"
            if name in held or shard in self._served:
                continue
            lease = self._lease(name)
            if await lease.is_taken():
                _log.info("shard_taken", platform=Platform.DISCORD, shard=shard)
                self._served[shard] = asyncio.create_task(lease.during(partial(serve, shard)), name=name)
                return

    async def _wait(self) -> None:
        """Wait until the next look; raise what ended a shard, and forget those that another process took over."""
        if not self._served:
            await asyncio.sleep(self._looked_every_s)
            return
        done, _ = await asyncio.wait(
            self._served.values(), timeout=self._looked_every_s, return_when=asyncio.FIRST_COMPLETED
        )
        self._served = {shard: task for shard, task in self._served.items() if task not in done}
        self._leaving &= self._served.keys()
        for task in done:
            if not task.cancelled():
                task.result()

    async def _end(self) -> None:
        """End all shards at once, and let others have them; cancelled meanwhile, cancel them again."""
        try:
            while unfinished := [task for task in self._served.values() if not task.done()]:
                for task in unfinished:
                    task.cancel()
                await asyncio.wait(unfinished)
        except asyncio.CancelledError:
            for task in unfinished:
                task.cancel()
            await asyncio.wait(unfinished)
            raise
        finally:
            await asyncio.gather(*self._served.values(), return_exceptions=True)  # the first has been raised
            self._served.clear()
            await self._presence.give_back()


class Identifying:
    """Lets the processes of one bot open their connections one after the other, as Discord asks for."""

    def __init__(self, lease: Callable[[str], Lease], pause_s: float = IDENTIFY_PAUSE_S) -> None:
        """lease: returns this process's lease of a name. pause_s: seconds between two connections."""
        self._lease = lease(_IDENTIFY)
        self._pause_s = pause_s
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def wait(self) -> None:
        """Wait for the turn of a connection; without the database for that of this process alone."""
        await self._turn.acquire()
        try:
            while not await self._is_taken():  # noqa: ASYNC110  # by another process
                await asyncio.sleep(self._pause_s / 5)
        except BaseException:
            self._turn.release()
            raise
        task = asyncio.create_task(self._pass_on())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _is_taken(self) -> bool:
        try:
            return await self._lease.is_taken()
        except (SQLAlchemyError, OSError):
            return True

    async def _pass_on(self) -> None:
        try:
            await asyncio.sleep(self._pause_s)
            await self._lease.give_back()
        finally:
            self._turn.release()
