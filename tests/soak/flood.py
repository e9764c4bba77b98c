"""A burst on Telegram: many people in many groups at once, and one group that sends as much as all others together.

The bot keeps to Telegram's limit of twenty messages a minute in a group, so that the flooding group waits for a while.
"""

import asyncio
import random
import statistics
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.test_stopping import WAITING, Program
from tests.bots.telegram.server import TelegramServer, telegram_server
from tests.soak.finding import Extent, Finding
from tests.soak.visitors import portraits

PHOTOS, PEOPLE, CHATS = 2_000, 200, 60
MOST_SLOWER = 2.0
_MESSAGES_A_MINUTE = 20
_SPARE_S = 120.0
_FLOODED = -5_000
_SEED = 16
_ANSWERS = frozenset({"sendMessage", "sendPhoto", "editMessageText"})


async def run(extent: Extent) -> list[Finding]:
    """Return whether everything is answered once, and how much the flood slows the other groups."""
    half = extent.of(PHOTOS) // 2
    _, calm = await _burst(half, 0)
    missed, flooded = await _burst(half, half)
    slower = flooded / calm
    return [
        Finding(f"{2 * half:,} photos of a burst, answered once", f"all but {missed}", "all", missed == 0),
        Finding(
            "median wait of the other groups in a flood",
            f"{slower:.2f} times that without ({calm:.1f} to {flooded:.1f} s)",
            f"at most {MOST_SLOWER:.0f} times",
            slower <= MOST_SLOWER,
        ),
    ]


async def _burst(others: int, flood: int) -> tuple[int, float]:
    """Send photos to a program that has just been started; return how many were not answered exactly once, and the
    median seconds to the answers of those outside the flood.

    others: photos of people in all groups but one. flood: photos of people in that one.
    """
    pictures, sends = portraits(20), [False] * others + [True] * flood
    random.Random(_SEED).shuffle(sends)
    with TemporaryDirectory() as folder:
        async with telegram_server() as telegram:
            program = Program(Path(folder), telegram, WORKERS="2")
            await program.is_open()
            shown = [telegram.picture(each) for each in pictures]
            sent: Counter[int] = Counter()
            began = time.monotonic()
            for number, is_flood in enumerate(sends):
                chat = _FLOODED if is_flood else _FLOODED - 1 - number % (CHATS - 1)
                photo = shown[number % len(shown)]
                await telegram.send(person=100 + number % PEOPLE, chat=chat, photo=photo, caption="@telemelya_bot")
                sent[chat] += 1
            longest_s = _SPARE_S + 60 * max(sent.values()) / _MESSAGES_A_MINUTE
            while (answered := _answered(telegram, began)).keys() != sent.keys() or any(
                len(answered[chat]) < count for chat, count in sent.items()
            ):
                if time.monotonic() - began > longest_s:
                    break
                await asyncio.sleep(0.5)
            status = await asyncio.to_thread(program.bot.stop)
            assert (status, "Traceback" in program.bot.said()) == (0, False), program.bot.said()
    missed = sum(abs(count - len(answered.get(chat, ()))) for chat, count in sent.items())
    return missed, statistics.median(wait for chat, waits in answered.items() if chat != _FLOODED for wait in waits)


def _answered(telegram: TelegramServer, began: float) -> dict[int, list[float]]:
    """Return the seconds after which something was said for good, for each chat."""
    answered: dict[int, list[float]] = {}
    for call in telegram.requests:
        text = call.fields.get("text", call.fields.get("caption", ""))
        if call.method in _ANSWERS and not text.startswith(WAITING):
            answered.setdefault(int(call.fields["chat_id"]), []).append(call.at_s - began)
    return answered
