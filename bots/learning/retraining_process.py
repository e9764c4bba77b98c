"""Retraining, as the bot sees it: starts `python -m training retrain` as a process of its own, and watches it.

The process reports to the database, so that every replica sees the same progress, and so that it goes on when the bot
is restarted.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Actor, Depth, Retraining, State, Store

_PROGRAM = (sys.executable, "-m", "training", "retrain")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""One thread of linear algebra, so that photos have the other cores."""
_SAID = (1, 2, 3)
"""The statuses with which `python -m training` says in its last line what was wrong."""
_ROOT = Path(__file__).parents[2]
_log = structlog.get_logger()


class RetrainingProcess:
    """Starts, watches and stops retrainings."""

    def __init__(self, store: Store, environment: Mapping[str, str], program: Sequence[str] = _PROGRAM) -> None:
        """environment: what the process needs to find the same database (DATABASE_URL, SECRET, EMOJI_MAP). program:
        what is started, with `--depth` and `--job` behind it."""
        self._store = store
        self._environment = environment
        self._program = program
        self._attending: asyncio.Task[None] | None = None  # held, so that it is not collected while it waits

    async def start(self, depth: Depth, asked_by: Actor) -> int:
        """Start a retraining; gives its number. Raises `BusyError` where one runs, here or in another replica."""
        number = await self._store.retrainings.start(depth, asked_by)
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # the process writes to it, also when the bot is gone
        try:
            process = await asyncio.create_subprocess_exec(
                *(*self._program, "--depth", depth, "--job", str(number)),
                cwd=_ROOT,
                env={**os.environ, **dict.fromkeys(_THREADS, "1"), **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # it outlives the bot, and Ctrl-C in the bot's terminal
            )
        except OSError as error:
            errors.close()
            _log.exception("retraining_not_started")
            message = f"The process could not be started ({error.strerror})."
            await self._store.retrainings.finish(number, State.FAILED, message)
            return number
        _log.info("retraining_started", depth=depth, number=number)
        self._attending = asyncio.create_task(self._attend(number, process, errors))
        return number

    async def _attend(self, number: int, process: asyncio.subprocess.Process, errors: IO[bytes]) -> None:
        """Wait for a process, and say why it ended where it could not say so itself."""
        with errors:
            status = await process.wait()
            if status == 0:
                return
            errors.seek(0)
            last = next((line for line in reversed(errors.read().decode(errors="replace").splitlines()) if line), "")
        message = last if status in _SAID else f"The process ended with status {status}; nothing was changed."
        _log.warning("retraining_ended", number=number, status=status, reason=last)
        with suppress(SQLAlchemyError, OSError):  # the place is free again after a while anyway
            await self._store.retrainings.finish(number, State.FAILED, message)

    async def watch(self, number: int, look_every_s: float = 1.0) -> AsyncIterator[Retraining]:
        """How a retraining stands, each time that changes, until it has ended; the last one says what came of it."""
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
        """The one that runs now, here or in another replica."""
        return await self._store.retrainings.running()

    async def stop(self) -> bool:
        """Ask the running one to stop; gives whether one runs."""
        return await self._store.retrainings.ask_to_stop()
