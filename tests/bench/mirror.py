"""The live mirror of the web chat: frames a second and milliseconds a frame, over the real program's socket.

Frames are what the page sends: JPEGs of 480 pixels in which a face moves, each sent when the one before was answered.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import websockets
from rich.table import Table

from tests.bench.photos import live_frames
from tests.bots.web.program import Bot

VIEWERS = (1, 4)
_SECONDS = 8.0


async def mirror_table() -> Table:
    """Tabulate what one viewer gets, and what each of several gets at once, after a second to warm up."""
    table = Table(
        "viewers", "frames a second, each", "ms a frame, median", "ms, 95th percentile", title="The live mirror"
    )
    with tempfile.TemporaryDirectory() as folder:
        bot = Bot(Path(folder), CONSOLE="false")
        bot.wait_for("adapter_open")
        try:
            for viewers in VIEWERS:
                watched = await asyncio.gather(*(_watch(bot) for _ in range(viewers)))
                times = [1000 * each for one in watched for each in one]
                table.add_row(
                    str(viewers),
                    f"{statistics.mean(map(len, watched)) / _SECONDS:.1f}",
                    f"{statistics.median(times):.0f}",
                    f"{np.percentile(times, 95):.0f}",
                )
        finally:
            bot.stop()
    return table


async def _watch(bot: Bot) -> list[float]:
    """Return the seconds from each frame to its faces."""
    frames = live_frames()
    async with httpx.AsyncClient() as client:
        await client.get(bot.url)
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = f"ws://127.0.0.1:{bot.port}/api/v1/live"
    async with websockets.connect(url, additional_headers={"Cookie": cookies}) as mirror:
        await mirror.recv()
        times: list[float] = []
        number, began = 0, time.perf_counter()
        while (now := time.perf_counter()) - began < _SECONDS + 1:
            await mirror.send(frames[number % len(frames)])
            await mirror.recv()
            number += 1
            if now - began >= 1:
                times.append(time.perf_counter() - now)
        return times
