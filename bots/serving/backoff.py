"""Pauses before restarts: they double from one second to a minute, and start over after a healthy period."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

LONGEST_PAUSE_S = 60.0
HEALTHY_AFTER_S = 60.0
"""If the work ran for this long before it failed, it is started again after the shortest pause."""


def is_being_cancelled() -> bool:
    """Return whether somebody has asked the task that calls this to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def restarts(
    should_restart: Callable[[BaseException], bool],
    told: Callable[[BaseException, float], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncRetrying:
    """Return the attempts at work that is to run for ever, to iterate over with `async for`.

    should_restart: whether an exception is worth another attempt; any other one is raised, and so is every one of a
    task that is being cancelled: its clean-up may fail, but it shall end. told: receives the exception and the pause
    in seconds before each further attempt. clock: returns seconds. sleep: waits for the given seconds.
    """
    began = clock()

    def begin(_: RetryCallState) -> None:
        nonlocal began
        began = clock()

    def forgive(state: RetryCallState) -> None:
        if clock() - began >= HEALTHY_AFTER_S:
            state.attempt_number = 1

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if error is not None and state.next_action is not None:
            told(error, state.next_action.sleep)

    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_exception(lambda error: should_restart(error) and not is_being_cancelled()),
        wait=wait_exponential(max=LONGEST_PAUSE_S),
        before=begin,
        after=forgive,
        before_sleep=tell,
        reraise=True,
    )
