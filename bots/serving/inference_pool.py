"""A bounded pool of threads for the recogniser, outside the event loop, in fair turns.

A photo is fetched only when its turn is near. Until then it stays with its platform, so that a long queue is a list of
names, not of files.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from bots.serving.byte_budget import ByteBudget, Held
from bots.serving.fair_queue import NOBODY, FairQueue, Whose

MOST_FETCHED_BYTES = 64 * 2**20
"""Photos that are fetched and not yet answered: three of the largest files that platforms hand out, or some hundred
photos as they are usually sent, and little beside the memory of the program itself.
"""
MOST_NEAR = 16
"""Photos that are being fetched, or wait as bytes: as many as are read in the time that a download takes."""

Result = TypeVar("Result")


class InferencePool:
    """Runs at most `workers` recognitions at once, and tells those who have more than `waiting` before them."""

    def __init__(self, workers: int, waiting: int, most_fetched_bytes: int = MOST_FETCHED_BYTES) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inference")
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

    @asynccontextmanager
    async def near(self, whose: Whose, most_bytes: int) -> AsyncIterator[Held]:
        """Hold room for a photo in this context, after waiting until its turn is near and there is room.

        most_bytes: that the photo may have; `Held.settle` says how many it has. Raise `TooManyError` as `run` does.
        """
        async with self._near.place(whose), self._fetched.holding(most_bytes) as held:
            yield held

    async def run(self, work: Callable[[], Result], whose: Whose = NOBODY) -> Result:
        """Run `work` in a thread when its turn comes; return its result or raise its error.

        Raise `TooManyError` if too much of the same person waits already.
        """
        async with self._queue.place(whose):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish the running work and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
