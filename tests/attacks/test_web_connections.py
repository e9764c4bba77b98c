"""Connections that are opened and not used, and pages that are loaded and left."""

import asyncio
import contextlib
import socket
import time

import httpx
import psutil
import pytest

from bots.web.connections import HEAD_WITHIN_S, MOST_CONNECTIONS
from bots.web.guests import CONNECT_WITHIN_S, SWEEP_EVERY_S
from tests.attacks.guest import Guest
from tests.bots.web.program import Bot
from tests.waiting import PATIENCE_S, until

MB = 1 << 20
HALF = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
    "no body": b"POST /console/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\na=",
    "an answered request": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a socket": (
        b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
}


def _open(port: int, sent: bytes) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    with contextlib.suppress(OSError):
        opened.sendall(sent)
    return opened


@pytest.mark.parametrize("sent", HALF.values(), ids=HALF)
async def test_600_unused_connections_leave_the_door_open(bot: Bot, sent: bytes) -> None:
    async with Guest(bot.port) as before:
        opened = [await asyncio.to_thread(_open, bot.port, sent) for _ in range(600)]
        try:
            started = time.monotonic()
            async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
                for _ in range(5):
                    assert (await client.get(bot.url)).status_code == 200
            assert time.monotonic() - started < PATIENCE_S / 2
            assert len(psutil.Process(bot.process.pid).net_connections()) < MOST_CONNECTIONS + 20
            assert await before.is_served()  # who was there stays
        finally:
            for each in opened:
                each.close()


@pytest.mark.parametrize("piece", [b"X-A: b\r\n", b"a"])
async def test_a_head_that_comes_drop_by_drop_is_given_up(bot: Bot, piece: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bot.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    started = time.monotonic()
    with contextlib.suppress(OSError):
        while not reader.at_eof() and time.monotonic() - started < PATIENCE_S:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.5)
    assert time.monotonic() - started < HEAD_WITHIN_S + PATIENCE_S / 2


@pytest.mark.parametrize("line", [b"GET /", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "])
async def test_a_head_without_end_is_refused(bot: Bot, line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bot.port)
    answer = b""
    with contextlib.suppress(OSError):
        writer.write(line + b"a" * MB)
        await writer.drain()
        answer = await reader.read(100)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert bot.said().count("\n") < 20


@pytest.mark.timeout(300)
async def test_2000_page_loads_are_freed_within_a_minute(bot: Bot) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:

        async def load(count: int) -> None:
            for _ in range(count):
                client.cookies.clear()
                assert (await client.get(bot.url)).status_code == 200

        process = psutil.Process(bot.process.pid)
        await load(50)
        before = peak = process.memory_info().rss
        for _ in range(20):
            await asyncio.gather(*(load(25) for _ in range(4)))
            peak = max(peak, process.memory_info().rss)
        assert peak - before < 150 * MB
        await asyncio.sleep(CONNECT_WITHIN_S + SWEEP_EVERY_S)
        await until(lambda: process.memory_info().rss - before < 60 * MB)
    folder = bot.log.parent
    assert not [*folder.rglob("storage-*")]
