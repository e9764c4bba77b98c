"""Delete every day what is older than it may be kept, unless the clock looks wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Store, utc_now

MOST_LEAP = timedelta(days=3)
"""How far the clock may be from the last time that was believed: so much too early may something be deleted at most,
and so long may the bot be off."""
STEADY_AFTER, STEADY_UNTIL = timedelta(hours=44), timedelta(days=30)
"""When a clock that leapt is believed all the same: if it shows, so long after it was noticed, that so much passed."""
_FIRST_AFTER_S, _EVERY_S, _AGAIN_AFTER_S = 60.0, 24 * 3600.0, 3600.0

_log = structlog.get_logger()


class DailyRetention:
    """Deletes once a day what is too old. Several processes may do so at once, but one is enough."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """clock: the current time with its zone. sleep: waits for the given seconds."""
        self._store = store
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Delete what is too old soon after the start, and every day, until cancelled; where the database cannot be
        reached, an hour later.
        """
        await self._sleep(_FIRST_AFTER_S)
        while True:
            try:
                await self.expire()
            except (SQLAlchemyError, OSError):
                _log.exception("retention_failed")
                await self._sleep(_AGAIN_AFTER_S)
            else:
                await self._sleep(_EVERY_S)

    async def expire(self) -> bool:
        """Delete what is too old; return False, and delete nothing, if the clock looks wrong."""
        now = self._clock()
        if not await self._is_believed(now):
            return False
        await self._store.retention.believe(now)
        expired = await self._store.retention.expire(now)
        _log.info("retention_done", crops=expired.crops, photos=expired.photos)
        return True

    async def _is_believed(self, now: datetime) -> bool:
        """Return whether the clock is near the time that was last believed, or goes on from where it leapt to."""
        seen = await self._store.retention.clock()
        if seen.believed_at is not None and abs(now - seen.believed_at) <= MOST_LEAP:
            return True
        passed = now - seen.doubted_at if seen.doubted_at is not None else None
        if passed is not None and STEADY_AFTER <= passed <= STEADY_UNTIL:
            return True
        if passed is None or not timedelta() <= passed <= STEADY_UNTIL:
            await self._store.retention.doubt(now)
        _log.warning("retention_put_off", reason="the clock is far from the last time that was believed")
        return False
