"""Faults while the program runs: what nobody can help holds up some answers, and loses none."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.attacks.test_stopping import Program, answers, send_photos
from tests.bots.telegram.server import TelegramServer, telegram_server
from tests.waiting import PATIENCE_S

LOCKED_S = 10.0


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server:
        yield server


async def have_answers(telegram: TelegramServer, count: int) -> None:
    async with asyncio.timeout(2 * PATIENCE_S):
        while len(await answers(telegram)) < count:
            await asyncio.sleep(0.1)


async def test_while_another_program_locks_the_database_photos_are_answered_once(
    tmp_path: Path, telegram: TelegramServer, selfie: bytes
) -> None:
    program = Program(tmp_path, telegram)
    await program.is_open()
    file = tmp_path / "data" / "mugmoji.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        photos = await send_photos(telegram, 4, selfie)
        await asyncio.sleep(LOCKED_S)
        other.execute("ROLLBACK")
    photos += await send_photos(telegram, 4, selfie, first=200)
    await have_answers(telegram, len(photos))
    await asyncio.sleep(2)
    assert await answers(telegram) == Counter(photos)
    assert program.bot.stop() == 0
    assert program.open_messages() == 0
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM photos").fetchone()[0] >= 4  # it stores again


async def test_a_token_that_is_revoked_while_it_runs_is_said_and_the_other_parts_go_on(
    tmp_path: Path, telegram: TelegramServer
) -> None:
    program = Program(tmp_path, telegram, CONSOLE="true")
    await program.is_open()
    telegram.token_is_revoked = True
    async with asyncio.timeout(PATIENCE_S):
        while "Telegram refused TELEGRAM_TOKEN" not in program.bot.said():
            await asyncio.sleep(0.05)
    assert program.bot.process.poll() is None
    assert program.bot.stop() == 3
