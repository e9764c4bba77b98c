"""Work that only one of several processes may do at a time: each waits for its turn, and takes over from one that dies.

A process keeps what it has while the database cannot be reached: nobody else can take it then. One that is cut off
alone may go on beside its successor for a while, so the work has to bear that (the journal answers no photo twice).
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Leases, utc_now

HELD_FOR = timedelta(seconds=12)
"""How long nobody takes over what a process no longer renews: several times `RENEWED_EVERY_S`, and short for people who
wait.
"""
RENEWED_EVERY_S = 4.0
LOOKED_EVERY_S = 2.0
"""Seconds between two attempts at what another process has."""

_log = structlog.get_logger()


class Lease:
    """One process's part in what only one does."""

    def __init__(  # noqa: PLR0913  # its pace
        self,
        leases: Leases,
        holder: str,
        name: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        renewed_every_s: float = RENEWED_EVERY_S,
        looked_every_s: float = LOOKED_EVERY_S,
    ) -> None:
        """holder: the process's name, at most 32 characters. name: of the work, at most 64. clock: returns the time
        with its zone.
        """
        self._leases = leases
        self._holder = holder
        self._name = name
        self._clock = clock
        self._renewed_every_s, self._looked_every_s = renewed_every_s, looked_every_s

    async def while_held(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for this process's turn and do the work, until it ends; where another process takes over, cancel it and
        wait again.

        Cancelled, it cancels the work, as often as it is cancelled itself, and waits for its end. Raise what the work
        raises.
        """
        while True:
            await self._wait_for_turn()
            if await self.during(work):
                return

    async def during(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do the work while the lease, which is this process's, stays so; return False where another one took over.

        Cancelled, and what is raised: as in `while_held`.
        """
        working = asyncio.create_task(work(), name=self._name)
        try:
            await self._hold_during(working)
        finally:
            try:
                await _end(working)
            finally:
                await self.give_back()
        if working.cancelled():
            _log.warning("lease_lost", lease=self._name)
            return False
        working.result()
        return True

    async def is_taken(self) -> bool:
        """Take or renew the lease; return whether it is this process's. Raise SQLAlchemy's errors, and `OSError`."""
        now = self._clock()
        return await self._leases.take(self._name, self._holder, now, now + HELD_FOR)

    async def give_back(self) -> None:
        """Let another process go on at once; where the database cannot be reached, it does so in a while."""
        try:
            await self._leases.give_back(self._name, self._holder)
        except (SQLAlchemyError, OSError):
            _log.warning("lease_not_given_back", lease=self._name)

    async def _wait_for_turn(self) -> None:
        has_told = False
        while not await self._asked(if_away=False):
            if not has_told:
                _log.info("lease_awaited", lease=self._name)
                has_told = True
            await asyncio.sleep(self._looked_every_s)

    async def _hold_during(self, working: "asyncio.Task[None]") -> None:
        """Renew the lease until the work ends, or another process has it."""
        while not (await asyncio.wait({working}, timeout=self._renewed_every_s))[0]:
            if not await self._asked(if_away=True):
                return

    async def _asked(self, *, if_away: bool) -> bool:
        """Return whether the lease is this process's. if_away: what to assume where the database cannot be reached."""
        try:
            return await self.is_taken()
        except (SQLAlchemyError, OSError) as error:
            _log.warning("lease_not_renewed", lease=self._name, reason=type(error).__name__)
            return if_away


def leases_of_a_process(leases: Leases) -> Callable[[str], Lease]:
    """Return a function that returns the lease of a name for this process, which gets a name of its own."""
    return partial(Lease, leases, secrets.token_hex(16))


async def _end(working: "asyncio.Task[None]") -> None:
    """Cancel work and wait for its end; cancelled meanwhile, cancel it again."""
    is_cancelled = False
    while not working.done():
        working.cancel()
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
