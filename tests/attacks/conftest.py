"""The program under attack, and a guest of its web chat."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.attacks.guest import ConsoleGuest, Guest
from tests.bots.web.program import Bot

TOKEN = "a token for tests"


@pytest.fixture
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    bot = Bot(tmp_path_factory.mktemp("bot"), CONSOLE_TOKEN=TOKEN, LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    yield bot
    assert bot.stop() == 0
    assert "Traceback" not in bot.said()


@pytest.fixture
async def guest(bot: Bot) -> AsyncIterator[Guest]:
    async with Guest(bot.port) as guest:
        yield guest


@pytest.fixture
async def admin(bot: Bot) -> AsyncIterator[ConsoleGuest]:
    async with ConsoleGuest(bot.port, TOKEN) as guest:
        yield guest
