"""Limit the processor time that one photo may take, so that no picture holds a worker up."""

import time
from collections.abc import Callable

from recognizer.photo_error import PhotoError, PhotoProblem

LIMIT_S = 5.0
"""Processor time, in seconds, after which a photo is given up."""


class ProcessorClock:
    """Counts the processor time spent on one photo, in the thread that reads it and, as reported, in other processes.

    Belongs to one thread.
    """

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        now: Callable[[], float] = time.thread_time,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        """limit_s: time allowed, in seconds. now: returns the processor time of the calling thread, in seconds. wall:
        returns the time that has passed, in seconds.
        """
        self._now, self._wall = now, wall
        self._end, self._earliest_end = now() + limit_s, wall() + limit_s

    @property
    def left_s(self) -> float:
        """Return the time left, in seconds; below 0 if it is over."""
        return self._end - self._now()

    def spend(self, seconds: float) -> None:
        """Count time that another process has spent on the photo."""
        self._end -= seconds
        self._earliest_end -= seconds

    def check(self) -> None:
        """Raise `PhotoError` with the code `took_too_long` if no time is left.

        A thread has no more processor time than time passes. That is asked first: to ask for the former is a call of
        the system, in which Linux likes to let others go first, while this thread holds Python's lock.
        """
        if self._wall() >= self._earliest_end and self.left_s < 0:
            raise PhotoError(PhotoProblem.TOOK_TOO_LONG)
