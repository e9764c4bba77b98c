"""Waiting for what has no event to wait for: another process, a browser, a client that only keeps a list."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Long enough for a machine that does much else; nothing waits this long where all is well."""
TRAINING_PATIENCE_S = 240.0
"""The same for what starts TensorFlow, perhaps in several processes."""
_LOOK_EVERY_S = 0.02


async def until(holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {patience_s:.0f} s"
        await asyncio.sleep(_LOOK_EVERY_S)


def wait_until(holds: Callable[[], object], told: Callable[[], str] = str, patience_s: float = PATIENCE_S) -> None:
    """`until` where no event loop runs. told: what to say where it does not come to hold."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {patience_s:.0f} s. {told()}"
        time.sleep(_LOOK_EVERY_S)
