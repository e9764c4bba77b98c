"""A bounded pool of threads for the recogniser, outside the event loop, first come first served."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Result = TypeVar("Result")


class InferencePool:
    """Runs at most `workers` recognitions at once and queues up to `waiting` more before it reports that it is full."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._turns = asyncio.Semaphore(workers)  # wakes its waiters in the order of their arrival
        self._capacity = workers + waiting
        self._inside = 0

    @property
    def length(self) -> int:
        """Return how many are being read or wait for it."""
        return self._inside

    @property
    def is_full(self) -> bool:
        """Return whether the queue is full, so that the next one has to wait longer than intended."""
        return self._inside >= self._capacity

    @property
    def has_free_worker(self) -> bool:
        """Return whether the next one does not have to wait."""
        return not self._turns.locked()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread when its turn comes; return its result or raise its error."""
        async with self._turn():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish the running work and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._inside += 1
        try:
            async with self._turns:
                yield
        finally:
            self._inside -= 1
