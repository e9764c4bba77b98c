"""The address to which Telegram posts, as strangers find it: nothing is done for them, and little is read."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bots.telegram.webhook import MOST_UPDATE_BYTES, SECRET_HEADER
from tests.bots.telegram.server import TOKEN, TelegramServer, telegram_server
from tests.bots.web.program import Bot
from tests.waiting import until

SECRET = "a-secret-of-an-operator"
RIGHT = {SECRET_HEADER: SECRET}
START = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hi"}}


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server:
        yield server


@pytest.fixture
async def bot(tmp_path: Path, telegram: TelegramServer) -> AsyncIterator[Bot]:
    bot = Bot(
        tmp_path,
        TELEGRAM_TOKEN=TOKEN,
        TELEGRAM_API_URL=telegram.url,
        TELEGRAM_WEBHOOK_URL="https://bot.example.org/telegram",
        TELEGRAM_WEBHOOK_SECRET=SECRET,
    )
    await until(lambda: bot.said().count("adapter_open") == 2 or bot.process.poll() is not None)
    yield bot
    assert bot.stop() == 0
    assert "Traceback" not in bot.said()
    assert SECRET not in bot.said()


@pytest.fixture
async def http(bot: Bot) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=bot.url, timeout=60) as client:
        yield client


async def test_what_strangers_send_is_refused_and_telegram_is_heard(
    http: httpx.AsyncClient, bot: Bot, telegram: TelegramServer
) -> None:
    for headers in ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: SECRET[:-1]}, {"Cookie": SECRET}):
        assert (await http.post("/telegram", json=START, headers=headers)).status_code == 403
    for host in ("evil.example.org", "bot.example.org.evil.example.org"):
        assert (await http.post("/telegram", json=START, headers={**RIGHT, "Host": host})).status_code == 400
    page = {**RIGHT, "Origin": "https://evil.example.org"}
    assert (await http.post("/telegram", json=START, headers=page)).status_code == 403
    for path in ("/telegram/", "/telegram/x", "/Telegram"):
        assert (await http.post(path, json=START, headers=RIGHT)).status_code in (404, 405)
    assert (await http.get("/telegram", headers=RIGHT)).status_code == 404
    assert not telegram.called("sendMessage")
    through_the_proxy = {**RIGHT, "Host": "bot.example.org"}
    assert (await http.post("/telegram", json=START, headers=through_the_proxy)).status_code == 200
    await telegram.sent("sendMessage")
    assert (await http.get("/")).status_code == 200


async def test_a_body_without_end_is_cut_off(http: httpx.AsyncClient, bot: Bot, telegram: TelegramServer) -> None:
    large = json.dumps({**START, "more": "x" * MOST_UPDATE_BYTES})
    assert (await http.post("/telegram", content=large, headers=RIGHT)).status_code == 413

    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    with suppress(httpx.WriteError, httpx.ReadError):  # it may hang up while more is being sent
        assert (await http.post("/telegram", content=pieces(), headers=RIGHT)).status_code == 413
    assert not telegram.called("sendMessage")


async def test_a_stranger_is_refused_before_the_body_has_come(bot: Bot) -> None:
    with socket.create_connection(("127.0.0.1", bot.port), timeout=60) as stranger:
        head = f"POST /telegram HTTP/1.1\r\nHost: 127.0.0.1:{bot.port}\r\nContent-Length: 1000000\r\n\r\n"
        stranger.sendall(head.encode())
        assert stranger.recv(4096).startswith(b"HTTP/1.1 403")
