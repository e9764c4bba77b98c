"""Waiting for what has no event to wait for: another process, a browser, a client that only keeps a list."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Long enough for a machine that does much else; nothing waits this long where all is well."""
_LOOK_EVERY_S = 0.02


async def until(holds: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE_S:.0f} s"
        await asyncio.sleep(_LOOK_EVERY_S)


def wait_until(holds: Callable[[], object], told: Callable[[], str] = str) -> None:
    """`until` where no event loop runs. told: what to say where it does not come to hold."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {PATIENCE_S:.0f} s. {told()}"
        time.sleep(_LOOK_EVERY_S)
