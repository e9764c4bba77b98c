"""Sustained load: how much of what reading alone reaches comes through the whole program in good time."""

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import httpx
import numpy as np

from recognizer import Recognizer
from tests.soak.finding import Extent, Finding
from tests.soak.visitors import Visitor, portraits, running

WORKERS = 2
LEAST_SHARE = 0.8
LONGEST_S = 1.0
_READ_ALONE = 400
_SENT = 2_000
_VISITORS = 6


async def run(extent: Extent) -> list[Finding]:
    """Return the share of what `read` alone reaches, and the 95th percentile of the seconds to an answer."""
    photos = portraits(40)
    alone = await asyncio.to_thread(_alone, photos, extent.of(_READ_ALONE))
    async with running(WORKERS=str(WORKERS)) as bot, httpx.AsyncClient(base_url=bot.url, timeout=60) as client:
        visitors = [Visitor(client) for _ in range(_VISITORS)]
        await asyncio.gather(*(each.send(photos[0]) for each in visitors))
        for each in visitors:
            each.seconds.clear()
        started = time.perf_counter()
        each_sends = extent.of(_SENT) // _VISITORS
        read = await asyncio.gather(*(_send(each, photos, each_sends) for each in visitors))
        rate = sum(read) / (time.perf_counter() - started)
    seconds = [second for each in visitors for second in each.seconds]
    slow = float(np.percentile(seconds, 95))
    share = rate / alone
    figure = f"{share:.0%} ({rate:.0f} of {alone:.0f} photos a second)"
    told = f"{slow:.2f} s (median {statistics.median(seconds):.2f} s)"
    return [
        Finding(
            "sustained load, of what `read` alone reaches", figure, f"at least {LEAST_SHARE:.0%}", share >= LEAST_SHARE
        ),
        Finding("then, seconds to an answer, 95th percentile", told, f"at most {LONGEST_S:.0f} s", slow <= LONGEST_S),
    ]


def _alone(photos: list[bytes], count: int) -> float:
    """Return the photos a second that as many threads as the program has workers read by themselves."""
    cv2.setNumThreads(1)  # as the program does
    recognizer = Recognizer.load()
    try:
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(recognizer.read, photos[:8]))
            started = time.perf_counter()
            list(threads.map(recognizer.read, (photos[number % len(photos)] for number in range(count))))
            return count / (time.perf_counter() - started)
    finally:
        recognizer.close()


async def _send(visitor: Visitor, photos: list[bytes], count: int) -> int:
    return sum([await visitor.send(photos[number % len(photos)]) for number in range(count)])
