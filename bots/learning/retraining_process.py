"""Start `python -m training retrain` in a separate process, or hand it to a worker on another machine, and watch it.

The process reports to the database, so that every replica sees the same progress, and continues while the bot restarts.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from cachetools import TTLCache
from sqlalchemy.exc import SQLAlchemyError

from bots.learning.detached_process import DetachedProcess
from bots.serving.supervision import BackgroundTasks
from db import Actor, Depth, QueueError, Retraining, State, Store

if TYPE_CHECKING:
    from db.retraining_queue import RetrainingQueue

_PROGRAM = (sys.executable, "-m", "training", "retrain")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that limit linear algebra to one thread, so that photos have the other cores."""
_EXPLAINED = (1, 2, 3)
"""The exit statuses of `python -m training` whose last line says what was wrong."""
_ROOT = Path(__file__).parents[2]
"""The folder that contains the package `training`: the checkout, or that of an installed wheel."""
_OBSTACLE_LASTS_S = 600.0
"""After this time it is looked again whether what was missing is there."""
_OR_ELSEWHERE = "Or start a worker on a machine that has it: python -m training work."
_log = structlog.get_logger()


class RetrainingProcess:
    """Starts, watches and stops retrainings."""

    def __init__(
        self,
        store: Store,
        environment: Mapping[str, str],
        program: Sequence[str] = _PROGRAM,
        queue: "RetrainingQueue | None" = None,
    ) -> None:
        """environment: what the process needs to find the same database (DATABASE_URL, SECRET, EMOJI_MAP). program: the
        command to start; `--depth` and `--job` are appended. queue: of workers on other machines, which go first.
        """
        self._store = store
        self._environment = environment
        self._program = program
        self._queue = queue
        self._attending = BackgroundTasks()
        self._obstacles: TTLCache[Depth, str] = TTLCache(len(Depth), _OBSTACLE_LASTS_S)

    async def start(self, depth: Depth, asked_by: Actor) -> int:
        """Start a retraining and return its number: on the machine of a worker where one waits for it, else on this.

        Raise `BusyError` if one is running, here or elsewhere. Cancelled, it is started all the same.
        """
        queue = await self._queue_for(depth)
        starting = asyncio.create_task(self._start(depth, asked_by, queue))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:  # one that is claimed and not begun would be in the way of others
            await asyncio.wait({starting})
            raise

    async def _start(self, depth: Depth, asked_by: Actor, queue: "RetrainingQueue | None") -> int:
        """Claim a retraining, begin it and return its number. queue: where to hand it over; None: here."""
        number = await self._store.retrainings.start(depth, asked_by)
        if queue is not None:
            await self._hand_over(number, depth, queue)
        else:
            await self._start_here(number, depth)
        return number

    async def obstacle(self, depth: Depth) -> str:
        """Return what is missing for a retraining of this depth; empty where nothing is, on this machine or on that of
        a worker.
        """
        with suppress(SQLAlchemyError, OSError):  # then no worker can be asked either
            if await self._queue_for(depth) is not None:
                return ""
        missing = await self._obstacle_here(depth)
        return f"{missing} {_OR_ELSEWHERE}" if missing and self._queue is not None else missing

    async def _queue_for(self, depth: Depth) -> "RetrainingQueue | None":
        """Return the queue if a worker waits for retrainings of this depth."""
        return self._queue if self._queue is not None and await self._queue.has_worker(depth) else None

    async def _hand_over(self, number: int, depth: Depth, queue: "RetrainingQueue") -> None:
        """Hand a retraining to a worker. Where that fails it is not started here: a worker may have got it."""
        try:
            await queue.put(number, depth)
        except QueueError as error:
            _log.exception("retraining_not_handed_over")
            message = f"It could not be handed to the machine that trains ({error}); nothing was changed."
            await self._store.retrainings.finish(number, State.FAILED, message)
            return
        _log.info("retraining_handed_over", depth=depth.value, number=number)

    async def _start_here(self, number: int, depth: Depth) -> None:
        command = (*self._program, "--depth", depth.value, "--job", str(number))
        environment = {**os.environ, **dict.fromkeys(_THREADS, "1"), **self._environment}
        try:
            process = DetachedProcess.start(command, _ROOT, environment)
        except OSError as error:
            _log.exception("retraining_not_started")
            message = f"The process could not be started ({error.strerror})."
            await self._store.retrainings.finish(number, State.FAILED, message)
            return
        _log.info("retraining_started", depth=depth.value, number=number)
        self._attending.start("retraining", self._attend(number, process))

    async def _obstacle_here(self, depth: Depth) -> str:
        """Return what is missing on this machine; empty where nothing is."""
        if depth not in self._obstacles:
            environment = {**os.environ, **self._environment}
            try:
                process = DetachedProcess.start((*self._program, "--depth", depth.value, "--check"), _ROOT, environment)
            except OSError as error:
                return f"The process could not be started ({error.strerror})."
            status = await process.wait()
            said = process.last_error_line()
            self._obstacles[depth] = said if status in _EXPLAINED else ""
        return self._obstacles[depth]

    async def finished(self) -> None:
        """Wait until every process that was started here has ended, and its outcome is stored."""
        await self._attending.finish()

    async def _attend(self, number: int, process: DetachedProcess) -> None:
        """Wait for a process, and store why it ended if it could not do so itself."""
        status = await process.wait()
        last = process.last_error_line()
        if status == 0:
            return
        message = last if status in _EXPLAINED else f"The process ended with status {status}; nothing was changed."
        _log.warning("retraining_ended", number=number, status=status, reason=last)
        with suppress(SQLAlchemyError, OSError):  # a process that does not report counts as lost after a while
            await self._store.retrainings.finish(number, State.FAILED, message)

    async def watch(self, number: int, look_every_s: float = 1.0) -> AsyncIterator[Retraining]:
        """Yield a retraining each time its state, step or progress changes, until it has ended."""
        before: tuple[object, ...] | None = None
        while (seen := await self._store.retrainings.find(number)) is not None:
            now = (seen.state, seen.step, seen.progress)
            if now != before:
                before = now
                yield seen
            if seen.state is not State.RUNNING:
                return
            await asyncio.sleep(look_every_s)

    async def running(self) -> Retraining | None:
        """Return the retraining that is running, here or in another replica."""
        return await self._store.retrainings.running()

    async def stop(self) -> bool:
        """Ask the running retraining to stop; return whether one is running."""
        return await self._store.retrainings.ask_to_stop()
