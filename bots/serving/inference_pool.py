"""A bounded pool of threads for the recogniser, outside the event loop, in fair turns.

A photo is fetched only when its turn is near. Until then it stays with its platform, so that a long queue is a list of
names, not of files.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import cv2
import structlog

from bots.serving.byte_budget import ByteBudget, Held
from bots.serving.fair_queue import NOBODY, FairQueue, Whose

MOST_FETCHED_BYTES = 64 * 2**20
"""Photos that are fetched and not yet answered: three of the largest files that platforms hand out, or some hundred
photos as they are usually sent, and little beside the memory of the program itself.
"""
MOST_NEAR = 16
"""Photos that are being fetched, or wait as bytes: as many as are read in the time that a download takes."""

LONGEST_S = 60.0
"""Seconds after which a thread is given up: a photo has five of processor time, and stays far below."""
_CLOSING_S = 10.0
_NAME = "inference"
Result = TypeVar("Result")
_log = structlog.get_logger()


class HangingError(Exception):
    """A thread did not come to its end; another one has taken its place."""


class InferencePool:
    """Runs at most `workers` recognitions at once, and tells those who have more than `waiting` before them."""

    def __init__(
        self, workers: int, waiting: int, most_fetched_bytes: int = MOST_FETCHED_BYTES, longest_s: float = LONGEST_S
    ) -> None:
        """longest_s: seconds after which work is given up."""
        cv2.setNumThreads(1)  # of OpenCV's own, which would wait for the ones here
        self._workers = workers
        self._longest_s = longest_s
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=_NAME)
        self._running: set[Future[Any]] = set()
        self._hanging: set[Future[Any]] = set()
        self._queue = FairQueue(workers)
        self._near = FairQueue(max(workers, MOST_NEAR))
        self._fetched = ByteBudget(most_fetched_bytes)
        self._waiting = waiting

    @property
    def waiting(self) -> int:
        """Return how many wait for their turn."""
        return self._near.waiting + self._queue.waiting

    @property
    def fetched_bytes(self) -> int:
        """Return the bytes of photos that are fetched, or about to be."""
        return self._fetched.taken

    def wait_of(self, whose: Whose) -> int:
        """Return how many come before the next one of a person, if that is longer than intended, else 0."""
        ahead = self._near.ahead_of(whose) + self._queue.ahead_of(whose)
        is_long = not self._queue.has_free_place and ahead >= self._waiting
        return ahead + 1 if is_long else 0

    @property
    def has_free_worker(self) -> bool:
        """Return whether the next one does not have to wait."""
        return self._queue.has_free_place

    @property
    def problem(self) -> str:
        """Return a sentence about threads that hang, empty if none does."""
        count = len(self._hanging)
        return f"{count} of its threads hang, with their memory; restart the bot." if count else ""

    @asynccontextmanager
    async def near(self, whose: Whose, most_bytes: int) -> AsyncIterator[Held]:
        """Hold room for a photo in this context, after waiting until its turn is near and there is room.

        most_bytes: that the photo may have; `Held.settle` says how many it has. Raise `TooManyError` as `run` does.
        """
        async with self._near.place(whose), self._fetched.holding(most_bytes) as held:
            yield held

    async def run(self, work: Callable[[], Result], whose: Whose = NOBODY) -> Result:
        """Run `work` in a thread when its turn comes; return its result or raise its error.

        Raise `TooManyError` if too much of the same person waits already, `HangingError` if it does not end.
        """
        async with self._queue.place(whose):
            running = self._threads.submit(work)
            self._running.add(running)
            running.add_done_callback(self._forget)
            try:
                async with asyncio.timeout(self._longest_s) as limit:
                    return await asyncio.wrap_future(running)
            except TimeoutError:
                if not limit.expired():
                    raise
            if running not in self._hanging:
                self._give_up()
            raise HangingError

    def _give_up(self) -> None:
        """Let other threads do the work from now on; of those that are at work, some come to their end."""
        _log.critical("inference_hangs", longest_s=self._longest_s)
        self._hanging |= self._running
        self._threads.shutdown(wait=False)
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix=_NAME)

    def _forget(self, done: Future[Any]) -> None:
        self._running.discard(done)
        self._hanging.discard(done)

    def close(self) -> None:
        """Finish the running work, as far as it comes to an end, and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if not wait(self._running - self._hanging, _CLOSING_S).not_done:
            self._threads.shutdown(wait=True)


def exit_past_hanging_threads(status: int) -> None:
    """End the process with this status if a thread hangs, for which Python would wait for ever; else do nothing."""
    if any(thread.name.startswith(_NAME) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
