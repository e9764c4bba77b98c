"""The door, served by an emulated Telegram whose limits hold nobody up."""

from collections.abc import AsyncIterator

import pytest

from bots.conversation.service import EmojiService
from tests.bots.telegram.server import TelegramServer, served, telegram_server


@pytest.fixture
async def telegram(service: EmojiService) -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server, served(service, server):
        yield server
