"""The benchmark of the event loop measures what it says, on a small database."""

import asyncio
import time

from tests.bench.event_loop import LongestCallback, event_loop_tables


async def test_the_longest_callback_is_seen() -> None:
    with LongestCallback() as longest:
        asyncio.get_running_loop().call_soon(time.sleep, 0.05)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert longest.milliseconds >= 50
    seen = longest.milliseconds
    await asyncio.sleep(0)
    assert longest.milliseconds == seen


def test_every_read_is_in_the_tables() -> None:
    reads, tastes = asyncio.run(event_loop_tables(300))
    assert reads.row_count == 6
    assert tastes.row_count == 3
