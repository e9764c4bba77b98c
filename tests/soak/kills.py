"""Killed at random moments of a burst: nobody is left without a word, no photo is answered twice, no tap is lost."""

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.test_stopping import SORRY, Program, answers, said, send_photos
from tests.bots.telegram.server import telegram_server
from tests.soak.finding import Extent, Finding
from tests.soak.visitors import portraits

KILLS = 50
_PHOTOS = 12
_LONGEST_S = 90.0
_SEED = 50
_TAPPED = "\N{FACE WITH TEARS OF JOY}"


async def run(extent: Extent) -> list[Finding]:
    """Return how many of the kills lost anything."""
    chance, kills = random.Random(_SEED), extent.of(KILLS)
    losses = [each for _ in range(kills) if (each := await _killed(chance.uniform(0.05, 2.5)))]
    figure = f"{kills - len(losses)} of {kills}" + (f": {losses[:3]}" if losses else "")
    wanted = "all: every photo answered or apologised for, none twice, every tap kept"
    return [Finding("kill -9 at random moments of a burst, nothing lost", figure, wanted, not losses)]


async def _killed(after_s: float) -> str:
    """Kill the program after so many seconds of a burst and start it again; return what was lost, or nothing."""
    [photo] = portraits(1)
    with TemporaryDirectory() as folder:
        async with telegram_server() as telegram:
            program = Program(Path(folder), telegram)
            await program.is_open()
            asked = await telegram.send(person=7, photo=telegram.picture(photo))
            [answer] = await telegram.sent("sendMessage", 1)
            tapping = asyncio.create_task(telegram.tap(answer, _TAPPED, person=7, original=asked))
            sending = asyncio.create_task(send_photos(telegram, _PHOTOS, photo))
            await asyncio.sleep(after_s)
            acknowledged = await telegram.count("answerCallbackQuery")
            program.bot.process.kill()
            await program.ends()
            people = await sending
            await tapping
            await program.start_again()
            try:
                async with asyncio.timeout(_LONGEST_S):
                    while set(people) - set(await answers(telegram)):
                        await asyncio.sleep(0.2)
            except TimeoutError:
                return f"after {after_s:.2f} s: no word to {set(people) - set(await answers(telegram))}"
            await asyncio.sleep(1)
            told = await said(telegram)
            status = await asyncio.to_thread(program.bot.stop)
            with sqlite3.connect(Path(folder) / "data" / "mugmoji.db") as database:
                [(taps,)] = database.execute("SELECT count(*) FROM taps")
    verdicts = Counter(chat for chat, text in told if "happy" in text and chat in people)
    apologies = Counter(chat for chat, text in told if text in SORRY)
    problems = {
        "answered twice": max(verdicts.values(), default=0) > 1,
        "apologised twice": max(apologies.values(), default=0) > 1,
        "tap lost": acknowledged and not taps,
        "ended badly": status != 0,
    }
    wrong = [name for name, is_so in problems.items() if is_so]
    return f"after {after_s:.2f} s: {', '.join(wrong)}" if wrong else ""
