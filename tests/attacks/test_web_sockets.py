"""What a guest's socket may not do: write the log, keep memory, or bring the program down."""

import json
import random
from typing import Any

import pytest
import socketio

from tests.attacks.guest import Guest
from tests.bots.web.test_adapter import Bot
from tests.waiting import until

FORGED = "2026-11-27 [info] console_entered admin=boss"
ARGUMENTS: list[Any] = [
    None,
    [],
    "text",
    {},
    ["no JSON"],
    [None],
    ["null"],
    ['"//evil.example/\\n"'],
    ["[" * 5_000],
    ['{"a": 1}', "[]", "1e999"],
    [json.dumps(FORGED)],
]
EVENTS = ["log", "event", "handshake", "javascript_response", "ack", "connect", "disconnect", "message", "error", "*"]


async def test_a_guest_writes_no_line_of_the_log(bot: Bot, guest: Guest) -> None:
    before = len(bot.said())
    for level in ("debug", "info", "warning", "error"):
        await guest.send("log", {"client_id": guest.id, "level": level, "message": f"{FORGED}\n{FORGED}"})
    for _ in range(500):
        await guest.send("log", {"client_id": guest.id, "level": "error", "message": "x" * 8_000})
    assert await guest.is_served()
    assert "boss" not in bot.said()
    assert len(bot.said()) - before < 1_000


async def test_a_stranger_who_misuses_the_path_of_sockets_writes_no_line_of_the_log(bot: Bot, guest: Guest) -> None:
    before = len(bot.said())
    for query in ("sid=", "EIO=4&transport=", "EIO=4&transport=polling&sid=", "EIO=", "EIO=4&transport=polling&j="):
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            await guest.http.request(method, f"/_nicegui_ws/socket.io/?{query}{FORGED}", content=b"4" + FORGED.encode())
    for path in (f"/{FORGED}", f"/console/{FORGED}", f"/static/{FORGED}", f"/_nicegui/{FORGED}"):
        assert (await guest.http.get(path)).status_code == 404
    assert await guest.is_served()
    assert bot.said()[before:] == ""


async def test_malformed_events_neither_write_the_log_nor_end_anything(bot: Bot, guest: Guest) -> None:
    before = len(bot.said())
    chance = random.Random(16)
    for _ in range(1_000):
        await guest.send(chance.choice(EVENTS), _nonsense(chance, guest.id))
    assert await guest.is_served()
    assert len(bot.said()) - before < 1_000
    assert await guest.socket.call("handshake", {"client_id": "x" * 5_000}) is False


async def test_a_message_that_is_too_long_ends_only_its_own_socket(bot: Bot, guest: Guest) -> None:
    await guest.send("event", "x" * 1_000_000)
    await until(lambda: not guest.socket.connected)
    async with Guest(bot.port) as another:
        assert await another.is_served()


async def test_a_socket_that_joins_no_page_is_closed(bot: Bot) -> None:
    stranger = socketio.AsyncClient(reconnection=False)
    await stranger.connect(bot.url, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
    await until(lambda: not stranger.connected)


@pytest.mark.parametrize("tab", ["x" * 10_000, 7, ["a"], {"a": 1}])
async def test_a_tab_has_a_short_name(guest: Guest, tab: object) -> None:
    await guest.socket.disconnect()
    async with Guest(guest.port) as another:
        message = {"client_id": another.id, "tab_id": tab, "document_id": "d"}
        assert await another.socket.call("handshake", message) is False


async def test_nonsense_sent_to_the_elements_of_a_page_neither_writes_the_log_nor_ends_anything(
    bot: Bot, guest: Guest
) -> None:
    before = len(bot.said())
    assert guest.listeners
    for number, listener in guest.listeners:
        for arguments in ARGUMENTS:
            message = {"client_id": guest.id, "id": number, "listener_id": listener, "args": arguments}
            await guest.send("event", message)
    assert await guest.is_served()
    assert len(bot.said()) - before < 1_000, bot.said()[before:]


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
