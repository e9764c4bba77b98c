"""Several processes of the program behind one address: whatever befalls one of them, each photo is answered once."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.attacks.test_stopping import SORRY, answers, said, send_photos
from tests.bots.telegram.server import TOKEN, TelegramServer, telegram_server
from tests.bots.web.program import Bot
from tests.db import postgresql
from tests.waiting import PATIENCE_S, until

OUTAGE_S = 10.0


@pytest.fixture
def database() -> Iterator[postgresql.Cluster]:
    programs = postgresql.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed: apt-get install postgresql")
    with postgresql.cluster(programs) as made:
        yield made


class Replicas:
    """Processes of the program that share a database and a bot of Telegram's, with a proxy before them."""

    def __init__(self, folder: Path, telegram: TelegramServer, database: postgresql.Cluster) -> None:
        self._folder, self._telegram = folder, telegram
        self._settings = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram",
            "DATABASE_URL": database.address,
            "SECRET": "one secret for all processes of a test",
            "WEB_CHAT": "false",
            "CONSOLE": "false",
            "WORKERS": "1",
        }
        self.running: list[Bot] = []

    async def start(self) -> Bot:
        """Start another process, and wait until it takes part."""
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        bot = Bot(folder, **self._settings)
        self.running.append(bot)
        await until(lambda: bot.said().count("adapter_open") == 2 or bot.process.poll() is not None)
        assert bot.process.poll() is None, bot.said()
        self._telegram.webhook.targets = [f"http://127.0.0.1:{each.port}" for each in self.running]
        return bot

    async def kill(self, bot: Bot) -> None:
        """Let a process end in the middle of what it does."""
        bot.process.kill()
        await asyncio.to_thread(bot.process.wait, PATIENCE_S)
        self.running.remove(bot)

    async def stop(self, bot: Bot) -> None:
        """Ask a process to end, as a rolling update does; the proxy passes it over once it takes nothing more."""
        bot.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(bot.process.wait, PATIENCE_S) == 0
        self.running.remove(bot)
        assert "Traceback" not in bot.said()

    async def have_answered(self, people: list[int]) -> None:
        """Wait until everybody has an answer, and Telegram has nothing left to send."""
        async with asyncio.timeout(PATIENCE_S):
            while set(people) - set(await answers(self._telegram)) or self._telegram.webhook.waiting:
                await asyncio.sleep(0.1)


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server:
        yield server


@pytest.fixture
async def replicas(tmp_path: Path, telegram: TelegramServer, database: postgresql.Cluster) -> AsyncIterator[Replicas]:
    made = Replicas(tmp_path, telegram, database)
    yield made
    for bot in made.running:
        bot.stop()


async def test_of_two_processes_one_is_killed_and_no_photo_stays_without_an_answer(
    replicas: Replicas, telegram: TelegramServer, selfie: bytes
) -> None:
    first, _ = [await replicas.start() for _ in range(2)]
    sending = asyncio.create_task(send_photos(telegram, 30, selfie))
    await telegram.sent("sendMessage", 6)
    await replicas.kill(first)
    photos = await sending
    await replicas.have_answered(photos)
    await asyncio.sleep(2)
    assert set(await answers(telegram)) == set(photos)
    verdicts = Counter(chat for chat, text in await said(telegram) if "happy" in text)
    apologies = Counter(chat for chat, text in await said(telegram) if text in SORRY)
    assert max(verdicts.values()) == 1
    assert not apologies or max(apologies.values()) == 1
    assert set(verdicts) | set(apologies) == set(photos)
    assert len(verdicts) > 15


async def test_in_a_rolling_update_every_photo_is_answered_once(
    replicas: Replicas, telegram: TelegramServer, selfie: bytes
) -> None:
    old = [await replicas.start() for _ in range(2)]
    sent: list[int] = []
    for each in old:
        await replicas.start()
        sending = asyncio.create_task(send_photos(telegram, 12, selfie, first=1000 * (1 + len(sent))))
        await telegram.sent("sendMessage", len(sent) + 2)
        await replicas.stop(each)
        sent += await sending
    await replicas.have_answered(sent)
    await asyncio.sleep(1)
    assert await answers(telegram) == Counter(sent)


async def test_while_the_database_is_away_for_some_seconds_every_photo_is_answered_once(
    replicas: Replicas, telegram: TelegramServer, database: postgresql.Cluster, selfie: bytes
) -> None:
    for _ in range(2):
        await replicas.start()
    before = asyncio.create_task(send_photos(telegram, 20, selfie))
    await telegram.sent("sendMessage", 4)
    await asyncio.to_thread(database.stop)
    meanwhile = await send_photos(telegram, 6, selfie, first=2000)
    await asyncio.sleep(OUTAGE_S)
    await asyncio.to_thread(database.start)
    after = await send_photos(telegram, 6, selfie, first=3000)
    sent = [*await before, *meanwhile, *after]
    await replicas.have_answered(sent)
    await asyncio.sleep(15)  # longer than a process holds what it does not renew
    twice = {chat for chat, count in (await answers(telegram)).items() if count > 1}
    assert [(chat, text) for chat, text in await said(telegram) if chat in twice] == []
    assert await answers(telegram) == Counter(sent)
    assert all(bot.process.poll() is None for bot in replicas.running)
