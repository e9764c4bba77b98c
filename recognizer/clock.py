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

    def __init__(self, limit_s: float = LIMIT_S, now: Callable[[], float] = time.thread_time) -> None:
        """limit_s: time allowed, in seconds. now: returns the processor time of the calling thread, in seconds."""
        self._now = now
        self._end = now() + limit_s

    @property
    def left_s(self) -> float:
        """Return the time left, in seconds; below 0 if it is over."""
        return self._end - self._now()

    def spend(self, seconds: float) -> None:
        """Count time that another process has spent on the photo."""
        self._end -= seconds

    def check(self) -> None:
        """Raise `PhotoError` with the code `took_too_long` if no time is left."""
        if self.left_s < 0:
            raise PhotoError(PhotoProblem.TOOK_TOO_LONG)
