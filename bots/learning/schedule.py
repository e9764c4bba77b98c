"""Retraining at a time of day: once a day, if enough was said since the last one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.learning.retraining_process import RetrainingProcess
from db import Actor, BusyError, Depth, Store, utc_now

_log = structlog.get_logger()


class RetrainingSchedule:
    """Starts an adaptation at a time of day; of several replicas one does, and it never promotes anything."""

    def __init__(
        self,
        store: Store,
        retraining_process: RetrainingProcess,
        at: time,
        least: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """at: the time of day, in UTC. least: minimum number of new taps and labels. clock: the current time
        with its zone.
        """
        self._store = store
        self._retraining_process = retraining_process
        self._at = at
        self._least = least
        self._clock = clock

    async def run(self) -> None:
        """Wait for the time of day and retrain, every day, until cancelled."""
        while True:
            await asyncio.sleep(self.seconds_to_go())
            await self.retrain_if_due()

    def seconds_to_go(self) -> float:
        """Return the seconds until the time of day, above 0."""
        now = self._clock()
        then = datetime.combine(now.date(), self._at, tzinfo=UTC)
        return (then if then > now else then + timedelta(days=1)).timestamp() - now.timestamp()

    async def retrain_if_due(self) -> bool:
        """Start a retraining if enough was said since the last one; return whether it was started.

        Where the database cannot be reached, log it and wait for the next day.
        """
        try:
            new = await self._store.feedback.new_answers()
            if new < self._least:
                _log.info("retraining_not_due", new=new, least=self._least)
                return False
            await self._retraining_process.start(Depth.ADAPT, Actor("the schedule"))
        except BusyError:
            return False
        except (SQLAlchemyError, OSError):
            _log.exception("retraining_not_scheduled")
            return False
        return True
