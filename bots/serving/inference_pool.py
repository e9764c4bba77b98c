"""A bounded pool of threads for the recogniser, outside the event loop, in fair turns."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bots.serving.fair_queue import NOBODY, FairQueue, Whose

Result = TypeVar("Result")


class InferencePool:
    """Runs at most `workers` recognitions at once, and tells those who have more than `waiting` before them."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._queue = FairQueue(workers)
        self._waiting = waiting

    @property
    def waiting(self) -> int:
        """Return how many wait for their turn."""
        return self._queue.waiting

    def wait_of(self, whose: Whose) -> int:
        """Return how many come before the next one of a person, if that is longer than intended, else 0."""
        ahead = self._queue.ahead_of(whose)
        is_long = not self._queue.has_free_place and ahead >= self._waiting
        return ahead + 1 if is_long else 0

    @property
    def has_free_worker(self) -> bool:
        """Return whether the next one does not have to wait."""
        return self._queue.has_free_place

    async def run(self, work: Callable[[], Result], whose: Whose = NOBODY) -> Result:
        """Run `work` in a thread when its turn comes; return its result or raise its error.

        Raise `TooManyError` if too much of the same person waits already.
        """
        async with self._queue.place(whose):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish the running work and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
