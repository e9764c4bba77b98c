"""The program is told to stop, or killed, in the middle of photos: each is answered or apologised for, once."""

import asyncio
import random
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.conversation import texts
from bots.serving.fair_queue import MOST_OF_ONE
from tests.attacks.guest import Guest
from tests.bots.telegram.server import TOKEN, Fault, TelegramServer, telegram_server
from tests.bots.web.program import Bot
from tests.waiting import PATIENCE_S, until

WAITING = texts.BUSY.one.partition(".")[0]
SORRY = {texts.MAYBE_ANSWERED, texts.DOWNLOAD_FAILED}


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server:
        yield server


class Program:
    """The program in a folder, with Telegram; it may be started again."""

    def __init__(self, folder: Path, telegram: TelegramServer, **settings: str) -> None:
        self._folder = folder
        self._settings = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "WEB_CHAT": "false",
            "CONSOLE": "false",
            **settings,
        }
        self.bot = Bot(folder, **self._settings)

    async def start_again(self) -> None:
        self.bot = Bot(self._folder, **self._settings)
        await self.is_open()

    async def is_open(self) -> None:
        await until(lambda: "adapter_open" in self.bot.said() or self.bot.process.poll() is not None)
        assert self.bot.process.poll() is None, self.bot.said()

    async def ends(self) -> int:
        return await asyncio.to_thread(self.bot.process.wait, PATIENCE_S)

    def open_messages(self) -> int:
        """Return how many photos are in the journal."""
        with sqlite3.connect(self._folder / "data" / "mugmoji.db") as database:
            return int(database.execute("SELECT count(*) FROM open_messages").fetchone()[0])


async def send_photos(telegram: TelegramServer, count: int, selfie: bytes, first: int = 100) -> list[int]:
    """Let as many people send a photo, all at once; return their numbers, which are those of their chats.

    first: the number of the first of them.
    """
    people = list(range(first, first + count))
    for person in people:
        await telegram.send(person=person, photo=telegram.picture(selfie))
    return people


async def said(telegram: TelegramServer) -> list[tuple[int, str]]:
    """Return what was said for good in each chat."""
    calls = [*await telegram._calls("sendMessage"), *await telegram._calls("editMessageText")]
    return [(each["chat_id"], each["text"]) for each in calls if not each["text"].startswith(WAITING)]


async def answers(telegram: TelegramServer) -> Counter[int]:
    """Return how often something was said for good in each chat."""
    return Counter(chat for chat, _ in await said(telegram))


async def test_photos_in_hand_are_answered_before_the_end(
    tmp_path: Path, telegram: TelegramServer, selfie: bytes
) -> None:
    program = Program(tmp_path, telegram, STOP_AFTER="60")
    await program.is_open()
    photos = await send_photos(telegram, 12, selfie)
    await telegram.sent("sendMessage")
    program.bot.process.send_signal(signal.SIGTERM)
    assert await program.ends() == 0
    assert await answers(telegram) == Counter(photos)
    assert program.open_messages() == 0
    assert "Traceback" not in program.bot.said()


async def test_what_is_not_answered_in_time_is_answered_after_the_next_start(
    tmp_path: Path, telegram: TelegramServer, selfie: bytes
) -> None:
    telegram.fail("getFile", Fault(502, "Bad Gateway", delay_s=15), times=99)  # until they are let through
    program = Program(tmp_path, telegram, STOP_AFTER="1")
    await program.is_open()
    photos = await send_photos(telegram, 3, selfie)
    await telegram.until(lambda: len(telegram.called("getFile")) >= 3)
    program.bot.process.send_signal(signal.SIGTERM)
    assert await program.ends() == 0
    assert (program.open_messages(), await answers(telegram)) == (3, Counter())
    telegram._faults.clear()
    await program.start_again()
    async with asyncio.timeout(PATIENCE_S):
        while len(await answers(telegram)) < 3:
            await asyncio.sleep(0.1)
    assert await answers(telegram) == Counter(photos)
    assert program.bot.stop() == 0
    assert program.open_messages() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_stops_at_once(
    tmp_path: Path, telegram: TelegramServer, selfie: bytes, number: signal.Signals
) -> None:
    telegram.fail("getFile", Fault(502, "Bad Gateway", delay_s=15), times=99)
    program = Program(tmp_path, telegram, STOP_AFTER="600", WEB_CHAT="true")
    await program.is_open()
    await send_photos(telegram, 1, selfie)
    await telegram.until(lambda: telegram.called("getFile"))
    program.bot.process.send_signal(number)
    await asyncio.sleep(1)
    assert program.bot.process.poll() is None
    program.bot.process.send_signal(number)
    assert await program.ends() == 0
    assert program.open_messages() == 1


@pytest.mark.parametrize("seed", range(3))
async def test_a_program_that_is_killed_leaves_no_photo_unanswered(
    tmp_path: Path, telegram: TelegramServer, selfie: bytes, seed: int
) -> None:
    chance = random.Random(seed)
    program = Program(tmp_path, telegram)
    await program.is_open()
    sending = asyncio.create_task(send_photos(telegram, 30, selfie))
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    program.bot.process.kill()
    await program.ends()
    photos = await sending
    await program.start_again()
    async with asyncio.timeout(PATIENCE_S):
        while len(await answers(telegram)) < len(photos):
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    answered = await answers(telegram)
    assert program.bot.stop() == 0
    assert program.open_messages() == 0
    verdicts = Counter(chat for chat, text in await said(telegram) if "happy" in text)
    apologies = Counter(chat for chat, text in await said(telegram) if text in SORRY)
    assert set(answered) == set(photos)
    assert max(verdicts.values()) == 1
    assert not apologies or max(apologies.values()) == 1
    assert set(verdicts) | set(apologies) == set(photos)


async def have_come(bot: Bot, guest: Guest, count: int) -> None:
    """Wait until so many photos have come to the program's one worker, and it has read one of them."""
    async with asyncio.timeout(PATIENCE_S):
        while not (read := bot.said().count("photo_read")) or read + 1 + await _queued(guest) < count:
            await asyncio.sleep(0.01)


async def _queued(guest: Guest) -> int:
    [length] = re.findall(r"^mugmoji_queue_length (\d+)", (await guest.http.get("/metrics")).text, re.MULTILINE)
    return int(length)


async def test_web_photos_in_hand_are_answered_before_the_end(tmp_path: Path, selfie: bytes) -> None:
    bot = Bot(tmp_path, WORKERS="1", STOP_AFTER="60")
    await until(lambda: "adapter_open" in bot.said())
    async with Guest(bot.port) as guest:
        sending = [asyncio.create_task(guest.send(selfie)) for _ in range(6)]
        await have_come(bot, guest, len(sending))
        bot.process.send_signal(signal.SIGTERM)
        said = [lines[-1]["text"] for lines in await asyncio.gather(*sending)]
        assert await asyncio.to_thread(bot.process.wait, PATIENCE_S) == 0
    assert all("You look happy" in each for each in said)
    assert "Traceback" not in bot.said()


async def test_web_photos_that_are_not_answered_in_time_are_apologised_for(tmp_path: Path, selfie: bytes) -> None:
    bot = Bot(tmp_path, WORKERS="1", STOP_AFTER="0")
    await until(lambda: "adapter_open" in bot.said())
    async with Guest(bot.port) as guest:
        sending = [asyncio.create_task(guest.send(selfie)) for _ in range(16)]  # more than are read in a moment
        await have_come(bot, guest, len(sending))
        bot.process.send_signal(signal.SIGTERM)
        last = [lines[-1] for lines in await asyncio.gather(*sending)]
        assert await asyncio.to_thread(bot.process.wait, PATIENCE_S) == 0
    sorry = [each for each in last if each.get("again")]
    assert {each["text"] for each in sorry} == {texts.STOPPING}
    assert all("You look happy" in each["text"] for each in last if each not in sorry)


async def test_a_guest_who_sends_too_much_may_send_it_again_later(tmp_path: Path, selfie: bytes) -> None:
    bot = Bot(tmp_path, WORKERS="1", STOP_AFTER="0")
    await until(lambda: "adapter_open" in bot.said())
    async with Guest(bot.port) as guest:
        answered = [lines[-1] for lines in await asyncio.gather(*(guest.send(selfie) for _ in range(60)))]
        refused = [each for each in answered if each.get("again")]
        assert {each["text"] for each in refused} == {texts.SLOW_DOWN}
        assert len(answered) - len(refused) >= MOST_OF_ONE
        assert "You look happy" in (await guest.send(selfie))[-1]["text"]
    assert await asyncio.to_thread(bot.stop) == 0
