"""Call Discord again after errors that pass: what discord.py has not tried itself, or has given up on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bots.discord.errors import TROUBLE, is_out_of_reach, is_passing, is_without_effect, pause_asked_for_s

PAUSES_S = (1.0, 4.0, 15.0)
"""Pauses before further attempts, unless Discord asks for longer ones."""

T = TypeVar("T")


async def delivered(call: Callable[[], Awaitable[T]], is_repeatable: Callable[[BaseException], bool] = is_passing) -> T:
    """Await `call()`, again and again where it fails with an error that is repeatable; raise the last one.

    By default it is repeated after all errors that pass, so `call` must be harmless if done twice. Where Discord stays
    out of reach, an error after which the call may have had its effect is raised rather than one without.
    """
    unsure: BaseException | None = None
    for pause in (*PAUSES_S, None):
        try:
            return await call()
        except TROUBLE as error:
            if not is_out_of_reach(error):
                raise
            if not is_without_effect(error):
                unsure = error
            if pause is None or not is_repeatable(error):
                raise (unsure or error) from None
            await asyncio.sleep(max(pause, pause_asked_for_s(error)))
    raise AssertionError  # the last attempt returned or raised


def is_not_done(error: BaseException) -> bool:
    """Check whether a call may be repeated that would have an effect each time: only if this one had none."""
    return is_passing(error) and is_without_effect(error)
