"""Ask the database again while it is away for some seconds, as it is when a server hands over to another.

Only what decides which process answers waits so; all else goes on without it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from db import Store

PATIENT_FOR_S = 15.0
"""Seconds from the first failure on for which the database is asked again; after that everybody goes on without it."""
_AGAIN_AFTER_S = 0.25

_Answer = TypeVar("_Answer")


class Patience:
    """Waits for a database, all callers together, until its absence has lasted too long."""

    def __init__(
        self,
        longest_s: float = PATIENT_FOR_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """longest_s: how long an absence is waited out. clock: returns seconds. sleep: waits for the given seconds."""
        self._longest_s = longest_s
        self._clock, self._sleep = clock, sleep
        self._away_since: float | None = None

    @classmethod
    def with_store(cls, store: Store) -> "Patience":
        """Return patience with a server; none with a file, whose faults do not pass by themselves."""
        return cls(0.0 if store.transactions.is_sqlite else PATIENT_FOR_S)

    async def ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Return what the database answers. Raise SQLAlchemy's errors, and `OSError`, if it has been away for long."""
        while True:
            try:
                answer = await question()
            except (SQLAlchemyError, OSError):
                now = self._clock()
                self._away_since = now if self._away_since is None else self._away_since
                if now - self._away_since >= self._longest_s:
                    raise
                await self._sleep(_AGAIN_AFTER_S)
            else:
                self._away_since = None
                return answer
