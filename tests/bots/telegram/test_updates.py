"""Updates that cannot be read, and the end, which nothing holds up."""

import asyncio
import gc
import time
from typing import Any

import pytest
from telegram import Update

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.serving.admission import Admission
from bots.serving.rate_limits import RateLimit
from bots.telegram.rate_limiter import Limits
from bots.telegram.updates import LONGEST_END_S, UpdateProcessor
from tests.bots.telegram.server import Fault, TelegramServer, served, telegram_server, user
from tests.waiting import PATIENCE_S

SOON_S = LONGEST_END_S + 30
"""What ends in time has ended by then, on a busy machine, too; the limits and the work here hold up for longer."""


def _start(number: int, person: int = 7) -> dict[str, Any]:
    message = {
        "message_id": number,
        "date": 1_760_000_000,
        "from": user(person),
        "chat": {"id": person, "type": "private", "first_name": "Ada"},
        "text": "/start",
        "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    }
    return {"update_id": number, "message": message}


@pytest.mark.parametrize(
    "broken",
    [
        {"update_id": 11, "message": {"message_id": 3}},
        {"update_id": 11, "message": "a text in place of a message"},
        {"update_id": 11, "inline_query": {"id": "1"}},
        {"update_id": 11, "message": {**_start(11)["message"], "date": "tomorrow"}},
        {"update_id": 11, "kind_of_the_future": [1, 2]},
        {"update_id": 11, "message": {**_start(11)["message"], "from": {**user(7), "language_code": 1.5}}},
        {"update_id": 11, "message": {**_start(11)["message"], "from": {**user(7), "id": [7]}, "text": "hi"}},
        {"update_id": 11, "message": {**_start(11)["message"], "photo": [{"file_id": "a", "width": []}]}},
    ],
    ids=str,
)
async def test_an_update_that_cannot_be_read_is_skipped(
    telegram: TelegramServer, capsys: pytest.CaptureFixture[str], broken: Any
) -> None:
    for update in (_start(10), broken, _start(12), {**broken, "update_id": 13}):
        telegram.updates.put_nowait(update)
    answers = await telegram.sent("sendMessage", 2)
    assert [answer["text"] for answer in answers] == [texts.START] * 2
    await telegram.until(lambda: not telegram.fetched)
    logged = capsys.readouterr().out
    assert "Traceback" not in logged
    telegram.updates.put_nowait(_start(14))
    await telegram.sent("sendMessage", 3)
    assert await telegram.count("sendMessage") == 3


async def test_the_end_does_not_wait_for_what_the_limits_hold_up(
    service: EmojiService, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = Limits(RateLimit(1000, 1), RateLimit(1, 100), RateLimit(1, 100))
    async with telegram_server() as server:
        async with served(service, server, slow):
            for _ in range(5):
                await server.send(text="/start")
            await server.sent("sendMessage")
            began = time.monotonic()
        assert time.monotonic() - began < SOON_S
        assert await server.count("sendMessage") == 1
    logged = capsys.readouterr().out
    assert "updates_lost_at_the_end" in logged
    assert "Traceback" not in logged


async def test_the_end_leaves_no_picture_that_still_wants_to_be_sent(
    service: EmojiService, selfie: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    slow = Limits(RateLimit(1000, 1), RateLimit(1, 100), RateLimit(1, 100))
    async with telegram_server() as server:
        async with served(service, server, slow):
            message = await server.send(photo=server.picture(selfie))
            [answer] = await server.sent("sendMessage")
            await server.tap(answer, texts.EMOJI_ME, original=message)
            await server.until(lambda: len(server.called("getFile")) == 2)
            began = time.monotonic()
        assert time.monotonic() - began < SOON_S
        assert not [task for task in asyncio.all_tasks() if "try_to_say" in repr(task.get_coro())]
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert "Traceback" not in capsys.readouterr().out


async def test_at_the_end_what_is_nearly_done_is_done(service: EmojiService, selfie: bytes) -> None:
    async with telegram_server() as server:
        async with served(service, server) as adapter:
            adapter._updates._longest_end_s = PATIENCE_S
            server.fail("getFile", Fault(502, "Bad Gateway"))
            await server.send(photo=server.picture(selfie))
            await server.until(lambda: server.called("getFile"))
        assert await server.count("sendMessage") == 1


async def test_what_comes_after_the_end_is_counted_as_lost() -> None:
    def refuse(_update: Update) -> None:
        raise AssertionError

    settled: list[int] = []
    processor = UpdateProcessor(2, Admission(), settled.append, refuse, longest_end_s=0.05)
    began = asyncio.Event()

    async def answer() -> None:
        began.set()
        await asyncio.sleep(60)

    await processor.initialize()
    tasks = [asyncio.create_task(processor.process_update(Update(number), answer())) for number in range(5)]
    await began.wait()
    await processor.end()
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SOON_S)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2 + [type(None)] * 3
