"""Take the retrainings that admins ask for elsewhere, one after the other, on a machine of its own.

Each runs as `python -m training retrain` in a process of its own: what a network takes of memory and of an accelerator
is free afterwards, and one that is killed does not end the worker. The process reports to the database itself; the
worker stores why it ended only where it could not.
"""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_fixed

from db import Depth, LostError, QueueError, State, Store
from db.retraining_queue import RetrainingQueue
from db.retrainings import LOST_AFTER
from training import MissingError
from training.feedback.retraining import require

_PROGRAM = (sys.executable, "-m", "training", "retrain")
_EXPLAINED = (1, 2, 3)
"""The exit statuses of `python -m training` whose last line says what was wrong."""
STOPPED_WITHIN_S = 15.0
"""How long a retraining that is told to stop may take to say so; then it is killed."""
_PAUSE_S = 5.0
_SHOWN_BYTES = 4096


class Worker:
    """Takes retrainings until it gets SIGTERM or Ctrl-C, which also stop the one in hand."""

    def __init__(
        self,
        store: Store,
        queue: RetrainingQueue,
        data: Path | None,
        say: Callable[[str], None],
        program: Sequence[str] = _PROGRAM,
    ) -> None:
        """data: base data for the full depth, as in `retrain`. say: tells the operator a sentence. program: the
        command for one retraining; `--depth`, `--job` and `--data` are appended.
        """
        self._store = store
        self._queue = queue
        self._say = say
        self._data = data
        self._program = program
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Do what is handed over, until a signal; where the database is away, wait for it. Raise `StoreError`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        working = asyncio.create_task(self._work(self._possible()))
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        self._say("Stopped.")

    def _possible(self) -> list[Depth]:
        """Return the depths that this machine can do, and say what is missing for the others."""
        possible = []
        for depth in Depth:
            try:
                require(depth, self._data)
            except MissingError as error:
                self._say(f"No retraining of the depth {depth} here: {error}")
            else:
                possible.append(depth)
        return possible

    async def _work(self, depths: Sequence[Depth]) -> None:
        while not self._stopping.is_set():
            self._say(f"Waiting for retrainings: {', '.join(depths)}.")
            try:
                await self._queue.work(depths, self._retrain)
            except QueueError as error:
                self._say_that_it_is_asked_again(str(error))
            await self._pause(_PAUSE_S)

    async def _retrain(self, number: int) -> None:
        """Do one retraining, unless it has ended or was begun by another process."""
        try:
            depth = await self._taken(number)
        except LostError as error:
            self._say(f"Retraining {number} is left out: {error}")
            return
        except (SQLAlchemyError, OSError) as error:
            self._say(f"Retraining {number} is left out: the database does not answer ({type(error).__name__}).")
            return
        self._say(f"Retraining {number} ({depth}) begins.")
        with tempfile.TemporaryFile() as errors:
            try:
                process = await self._started(number, depth, errors)
            except OSError as error:
                await self._finish(number, State.FAILED, f"The process could not be started ({error.strerror}).")
                return
            status = await self._ended(process)
            said = _last_of(errors) if status else ""
        self._say(f"Retraining {number} has ended with status {status}. {said}".rstrip())
        if self._stopping.is_set():
            await self._finish(number, State.CANCELLED, "It was stopped; nothing was changed.")
        elif status:
            told = said.splitlines()[-1] if said and status in _EXPLAINED else ""
            await self._finish(
                number, State.FAILED, told or f"The process ended with status {status}; nothing was changed."
            )

    async def _taken(self, number: int) -> Depth:
        """Begin a retraining in the database; ask again while that is away, until it counts as dead or the worker is
        stopped. Its order is used up: nobody else would begin it.
        """
        is_late = stop_after_delay(LOST_AFTER.total_seconds() - _PAUSE_S)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((SQLAlchemyError, OSError)),
            stop=lambda attempt: self._stopping.is_set() or is_late(attempt),
            wait=wait_fixed(_PAUSE_S),
            before_sleep=self._say_what_failed,
            sleep=self._pause,
            reraise=True,
        ):
            with attempt:
                return await self._store.retrainings.take(number)
        raise AssertionError("the last attempt raises")

    def _say_what_failed(self, attempt: RetryCallState) -> None:
        assert attempt.outcome is not None  # it has failed
        self._say_that_it_is_asked_again(type(attempt.outcome.exception()).__name__)

    def _say_that_it_is_asked_again(self, error: str) -> None:
        self._say(f"The database does not answer ({error}); it is asked again.")

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the worker is stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _started(self, number: int, depth: Depth, errors: IO[bytes]) -> Process:
        """Start the process of one retraining. Raise `OSError`."""
        data = ("--data", str(self._data)) if self._data is not None else ()
        command = (*self._program, "--depth", depth.value, "--job", str(number), *data)
        return await asyncio.create_subprocess_exec(*command, stderr=errors, start_new_session=True)

    async def _ended(self, process: Process) -> int:
        """Wait for the end of a process and return its exit status; stop it when the worker is stopped."""
        ending, stopped = asyncio.create_task(process.wait()), asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ending, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ending.done():
            with suppress(ProcessLookupError):  # it has just ended
                process.terminate()
            await asyncio.wait({ending}, timeout=STOPPED_WITHIN_S)
        if not ending.done():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return await ending

    async def _finish(self, number: int, state: State, message: str) -> None:
        """Store how a retraining ended, unless it did so itself."""
        with suppress(SQLAlchemyError, OSError):  # one that does not report counts as lost after a while
            await self._store.retrainings.finish(number, state, message)


def _last_of(errors: IO[bytes]) -> str:
    """Return the last lines of what a process wrote to standard error."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - _SHOWN_BYTES))
    return errors.read().decode(errors="replace").strip()
