"""Runs the recogniser in a bounded pool of threads, off the event loop, first come first served."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Result = TypeVar("Result")


class InferencePool:
    """At most `workers` recognitions at once; up to `waiting` more are queued before the pool calls itself full."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._turns = asyncio.Semaphore(workers)  # wakes its waiters in the order they came
        self._capacity = workers + waiting
        self._inside = 0

    @property
    def is_full(self) -> bool:
        """Whether someone who comes now waits longer than the queue was made for."""
        return self._inside >= self._capacity

    @property
    def has_free_worker(self) -> bool:
        """Whether someone who comes now waits for nobody."""
        return not self._turns.locked()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread when its turn comes, and give what it gives or raise what it raises."""
        async with self._turn():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish what is running and let go of the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._inside += 1
        try:
            async with self._turns:
                yield
        finally:
            self._inside -= 1
