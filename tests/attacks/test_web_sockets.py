"""What a guest's socket may not do: write the log, keep memory, or bring the program down."""

import random
from typing import Any

import pytest
import socketio

from tests.attacks.conftest import TOKEN
from tests.attacks.guest import ConsoleGuest
from tests.bots.web.program import Bot
from tests.waiting import until

FORGED = "2026-11-27 [info] console_entered admin=boss"
EVENTS = ["log", "event", "handshake", "javascript_response", "ack", "connect", "disconnect", "message", "error", "*"]


async def test_a_guest_writes_no_line_of_the_log(bot: Bot, admin: ConsoleGuest) -> None:
    before = len(bot.said())
    for level in ("debug", "info", "warning", "error"):
        await admin.emit("log", {"client_id": admin.id, "level": level, "message": f"{FORGED}\n{FORGED}"})
    for _ in range(500):
        await admin.emit("log", {"client_id": admin.id, "level": "error", "message": "x" * 8_000})
    assert await admin.is_served()
    assert "boss" not in bot.said()
    assert len(bot.said()) - before < 1_000


async def test_a_stranger_who_misuses_the_path_of_sockets_writes_no_line_of_the_log(
    bot: Bot, admin: ConsoleGuest
) -> None:
    before = len(bot.said())
    for query in ("sid=", "EIO=4&transport=", "EIO=4&transport=polling&sid=", "EIO=", "EIO=4&transport=polling&j="):
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            await admin.http.request(method, f"/_nicegui_ws/socket.io/?{query}{FORGED}", content=b"4" + FORGED.encode())
    for path in (f"/{FORGED}", f"/console/{FORGED}", f"/static/{FORGED}", f"/_nicegui/{FORGED}"):
        assert (await admin.http.get(path)).status_code == 404
    assert await admin.is_served()
    assert bot.said()[before:] == ""


async def test_malformed_events_neither_write_the_log_nor_end_anything(bot: Bot, admin: ConsoleGuest) -> None:
    before = len(bot.said())
    chance = random.Random(16)
    for _ in range(1_000):
        await admin.emit(chance.choice(EVENTS), _nonsense(chance, admin.id))
    assert await admin.is_served()
    assert len(bot.said()) - before < 1_000
    assert await admin.socket.call("handshake", {"client_id": "x" * 5_000}) is False


async def test_a_message_that_is_too_long_ends_only_its_own_socket(bot: Bot, admin: ConsoleGuest) -> None:
    await admin.emit("event", "x" * 1_000_000)
    await until(lambda: not admin.socket.connected)
    async with ConsoleGuest(bot.port, TOKEN) as another:
        assert await another.is_served()


async def test_a_socket_that_joins_no_page_is_closed(bot: Bot) -> None:
    stranger = socketio.AsyncClient(reconnection=False)
    await stranger.connect(bot.url, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
    await until(lambda: not stranger.connected)


@pytest.mark.parametrize("tab", ["x" * 10_000, 7, ["a"], {"a": 1}])
async def test_a_tab_has_a_short_name(admin: ConsoleGuest, tab: object) -> None:
    await admin.socket.disconnect()
    async with ConsoleGuest(admin.port, TOKEN) as another:
        message = {"client_id": another.id, "tab_id": tab, "document_id": "d"}
        assert await another.socket.call("handshake", message) is False


def _nonsense(chance: random.Random, client: str) -> Any:
    odd: list[Any] = [None, True, -1, 1e308, "", "\x00\n", "x" * 1_000, [], {}, [[[]]], {"a": {"b": []}}, FORGED]
    message = {
        key: chance.choice(odd)
        for key in (
            "id",
            "listener_id",
            "args",
            "level",
            "message",
            "request_id",
            "result",
            "tab_id",
            "next_message_id",
        )
        if chance.random() < 0.6
    }
    if chance.random() < 0.7:
        message["client_id"] = client
    if chance.random() < 0.5:
        message["id"], message["listener_id"] = chance.randrange(60), chance.choice(odd)
    return chance.choice([message, message, message, chance.choice(odd)])
