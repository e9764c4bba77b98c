"""Updates by webhook: only from Telegram, each once, and acknowledged only when nothing can be lost any more."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs
from telegram.error import InvalidToken

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.serving.post_route import PostRoute
from bots.serving.web_server import WebServer
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.claims import Claims
from bots.telegram.source import UPDATES
from bots.telegram.webhook import MOST_CONNECTIONS, MOST_UPDATE_BYTES, Webhook
from db import Store
from tests.bots.telegram.server import TOKEN, Fault, TelegramServer, served, telegram_server, user
from tests.faults import Faults
from tests.ports import free_port
from tests.rows import count_rows
from tests.waiting import until

URL = "https://bot.example.org/telegram"
SECRET = "a-secret-of-a-test"
START = texts.START


class Process:
    """A process of the bot's as far as updates are concerned: its address, and what takes them there."""

    def __init__(self, store: Store) -> None:
        self.port = free_port()
        self.route = PostRoute("/telegram", MOST_UPDATE_BYTES)
        self.webhook = Webhook(URL, SECRET, self.route, Claims(store, TOKEN), looked_after_every_s=0.1)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        app = Starlette(routes=[Route(self.route.path, self.route.receive, methods=["POST"])])
        started = asyncio.Event()
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        serving = asyncio.create_task(WebServer(config, started.set).serve_until_cancelled("127.0.0.1", self.port))
        await started.wait()
        yield
        serving.cancel()
        await asyncio.wait({serving})


@pytest.fixture
async def process(store: Store) -> AsyncIterator[Process]:
    process = Process(store)
    async with process.listening():
        yield process


@pytest.fixture
async def server(process: Process, service: EmojiService) -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server, served(service, server, source=process.webhook):
        server.webhook.targets = [process.address]
        await until(lambda: server.webhook.registered)
        yield server


def update(number: int, text: str = "/start") -> dict[str, Any]:
    message = {
        "message_id": number,
        "date": 1_760_000_000,
        "from": user(7),
        "chat": {"id": 7, "type": "private", "first_name": "Ada"},
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}],
    }
    return {"update_id": number, "message": message}


async def test_telegram_is_told_where_to_send_what_and_with_which_secret(server: TelegramServer) -> None:
    assert server.webhook.registered == {
        "url": URL,
        "secret_token": SECRET,
        "max_connections": str(MOST_CONNECTIONS),
        "allowed_updates": list(UPDATES),
    }
    [call] = server.called("setWebhook")
    assert "drop_pending_updates" not in call.fields
    assert not server.called("getUpdates")


async def test_what_comes_is_answered(server: TelegramServer, selfie: bytes) -> None:
    await server.send(text="/start")
    await server.send(photo=server.picture(selfie))
    greeting, answer = await server.sent("sendMessage", 2)
    assert greeting["text"] == START
    assert "happy" in answer["text"]
    await until(lambda: not server.webhook.waiting)
    assert server.webhook.statuses == [200, 200]


@pytest.mark.parametrize("secret", ["", "a-secret-of-a-tesu", SECRET + "x", "ä", SECRET.upper()])
async def test_who_has_not_the_secret_is_refused_and_nothing_is_done(
    server: TelegramServer, store: Store, secret: str
) -> None:
    with capture_logs() as logs:
        for content in (update(1), b"[" * 100_000):
            answer = await server.webhook.post(content, secret=secret)
            assert (answer.status_code, answer.text) == (403, "")
    assert [each["code"] for each in logs if each["event"] == "request_refused"] == ["403"] * 2
    assert await count_rows(store, "update_claims") == 0
    assert not server.called("sendMessage")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"update_id": "7"}',
        b'{"update_id": true}',
        b'{"update_id": 1e3}',
        b'{"update_id": -1}',
        b'{"update_id": %d}' % 2**63,
        b'{"message": {}}',
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_what_is_no_update_is_refused(server: TelegramServer, body: bytes) -> None:
    with capture_logs() as logs:
        assert (await server.webhook.post(body)).status_code == 400
    assert not [each for each in logs if each["log_level"] in ("error", "critical")]


@pytest.mark.parametrize(
    "broken", [{"message": "a text in place of a message"}, {"inline_query": {"id": "1"}}, {"kind_of_the_future": [1]}]
)
async def test_an_update_that_cannot_be_read_is_acknowledged_and_skipped(
    server: TelegramServer, broken: dict[str, Any]
) -> None:
    assert (await server.webhook.post({"update_id": 5, **broken})).status_code == 200
    assert (await server.webhook.post(update(6))).status_code == 200
    assert [each["text"] for each in await server.sent("sendMessage")] == [START]


async def test_an_update_that_comes_twice_is_answered_once(server: TelegramServer) -> None:
    answers = await asyncio.gather(*(server.webhook.post(update(9)) for _ in range(5)))
    assert {each.status_code for each in answers} <= {200, 503}
    assert (await server.webhook.post(update(9))).status_code == 200
    await server.sent("sendMessage")
    await asyncio.sleep(0.3)
    assert await server.count("sendMessage") == 1


async def test_a_photo_is_acknowledged_when_it_is_in_the_journal_not_when_it_is_answered(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    server.fail("getFile", Fault(502, "Bad Gateway", delay_s=5))
    await server.send(photo=server.picture(selfie))
    await until(lambda: not server.webhook.waiting)
    assert await count_rows(store, "open_messages") == 1
    assert not server.called("sendMessage")


async def test_a_photo_that_cannot_be_written_down_is_not_acknowledged_before_its_answer(
    server: TelegramServer, selfie: bytes, faults: Faults
) -> None:
    with faults.full_disk():
        server.fail("getFile", Fault(502, "Bad Gateway", delay_s=1))
        await server.send(photo=server.picture(selfie))
        await server.until(lambda: server.called("getFile"))
        assert server.webhook.waiting
        await server.sent("sendMessage")
        await until(lambda: not server.webhook.waiting)
    assert server.webhook.statuses == [200]


async def test_two_processes_answer_each_update_once(service: EmojiService, store: Store, selfie: bytes) -> None:
    one, other = Process(store), Process(store)
    async with (
        one.listening(),
        other.listening(),
        telegram_server() as server,
        served(service, server, source=one.webhook),
        served(service, server, source=other.webhook),
    ):
        server.webhook.targets = [one.address, other.address]
        await until(lambda: len(server.called("setWebhook")) == 2)
        for number in range(20):
            both = [server.webhook.post(update(100 + number), target=each.address) for each in (one, other)]
            assert 200 in {each.status_code for each in await asyncio.gather(*both)}
        await server.sent("sendMessage", 20)
        for person in range(50, 56):
            await server.send(person=person, photo=server.picture(selfie))
        await server.sent("sendMessage", 26)
        await until(lambda: not server.webhook.waiting)
        await asyncio.sleep(0.3)
        assert await server.count("sendMessage") == 26


async def test_what_a_process_cannot_settle_before_its_end_is_anothers_at_once(
    service: EmojiService, store: Store
) -> None:
    one, other = Process(store), Process(store)
    server: TelegramServer
    async with one.listening(), other.listening(), telegram_server() as server:
        server.webhook.targets = [one.address]
        async with served(service, server, source=one.webhook, album_quiet_s=5):
            await until(lambda: server.webhook.registered)
            await server.send(chat=-5, photo=server.picture(b""), media_group_id="a")
            await until(lambda: one.webhook._unsettled)
        await until(lambda: server.webhook.statuses)
        assert server.webhook.statuses[0] == 503
        assert (await server.webhook.post(update(1), target=one.address)).status_code == 503
        server.webhook.targets = [other.address]
        async with served(service, server, source=other.webhook):
            began = time.monotonic()
            await until(lambda: not server.webhook.waiting)
            assert time.monotonic() - began < 10  # before the claim of the first one would have run out
    assert server.webhook.statuses[-1] == 200
    assert server.webhook.registered is not None  # others may serve it


async def test_an_address_that_somebody_has_taken_away_is_set_again(server: TelegramServer) -> None:
    with capture_logs() as logs:
        server.webhook.registered = None
        await until(lambda: server.webhook.registered)
    assert "webhook_replaced" in [each["event"] for each in logs]
    await server.send(text="/start")
    await server.sent("sendMessage")


async def test_what_telegram_says_of_the_address_is_logged_once(server: TelegramServer) -> None:
    with capture_logs() as logs:
        server.webhook_errors = {"last_error_date": 1_760_000_000, "last_error_message": "Connection refused"}
        asked = len(server.called("getWebhookInfo"))
        await server.until(lambda: len(server.called("getWebhookInfo")) >= asked + 5)
    troubles = [each for each in logs if each["event"] == "webhook_troubled"]
    assert [each["reason"] for each in troubles] == ["Connection refused"]


async def test_a_token_that_is_revoked_while_it_runs_ends_the_adapter(service: EmojiService, store: Store) -> None:
    process = Process(store)
    async with telegram_server() as server:
        adapter = TelegramAdapter(service, TOKEN, source=process.webhook, api_url=server.url)
        running = asyncio.create_task(adapter.run())
        await until(lambda: server.webhook.registered)
        server.token_is_revoked = True
        with pytest.raises(AdapterError, match=re.escape("TELEGRAM_TOKEN")) as error:
            await asyncio.wait_for(running, 60)
        assert isinstance(error.value.__cause__, InvalidToken)
