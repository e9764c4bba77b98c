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
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.rate_limiter import Limits, RateLimiter
from bots.telegram.updates import (
    LONGEST_END_S,
    LOOK_AGAIN_S,
    MOST_IN_BATCH,
    MOST_REMEMBERED,
    MOST_SENT_AGAIN,
    Receipts,
    UpdateProcessor,
)
from tests.bots.telegram.server import QUICK, TOKEN, Fault, TelegramServer, served, telegram_server, user


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


async def test_more_updates_than_fit_a_batch_are_all_answered_once(telegram: TelegramServer) -> None:
    for number in range(250):
        telegram.updates.put_nowait(_start(1 + number, person=1 + number % 25))
    await telegram.sent("sendMessage", 250)
    await telegram.until(lambda: not telegram.fetched)
    assert await telegram.count("sendMessage") == 250


async def test_after_a_week_of_silence_updates_go_on_from_a_lower_number(telegram: TelegramServer) -> None:
    telegram.updates.put_nowait(_start(900_000))
    await telegram.sent("sendMessage")
    await telegram.until(lambda: not telegram.fetched)
    for number in (5, 6):
        telegram.updates.put_nowait(_start(number))
        await telegram.sent("sendMessage", number - 3)
        await telegram.until(lambda: not telegram.fetched)
    assert await telegram.count("sendMessage") == 3


async def test_what_was_not_settled_is_new_in_the_next_run_and_the_rest_is_not() -> None:
    receipts = Receipts()
    assert receipts.note([1, 2, 3]) == {1, 2, 3}
    receipts.settle(2)
    assert (receipts.offset(), receipts.note([1, 2, 3])) == (1, set())
    receipts.begin()
    assert (receipts.offset(), receipts.note([1, 2, 3])) == (0, {1, 3})


async def test_no_more_updates_are_remembered_than_may_come_again() -> None:
    receipts = Receipts()
    for number in range(3 * MOST_REMEMBERED):
        receipts.note([number])
        receipts.settle(number)
    assert len(receipts._seen) == MOST_REMEMBERED
    assert receipts.offset() == 3 * MOST_REMEMBERED


async def test_an_album_that_is_not_whole_at_the_end_is_answered_in_the_next_run(
    service: EmojiService, selfie: bytes
) -> None:
    async with telegram_server() as server:
        adapter = TelegramAdapter(
            service, TOKEN, api_url=server.url, album_quiet_s=5.0, rate_limiter=RateLimiter(QUICK), stop_after_s=0.1
        )
        running = asyncio.create_task(adapter.run())
        for _ in range(2):
            await server.send(photo=server.picture(selfie), media_group_id="a")
        await server.until(lambda: len(server.fetched) == 2)
        await asyncio.sleep(0.5)
        running.cancel()
        await asyncio.wait({running})
        assert len(server.fetched) == 2
        running = asyncio.create_task(adapter.run())
        [answer] = await server.sent("sendMessage")
        assert answer["text"].count(texts.OF_PICTURE.split("{", maxsplit=1)[0].strip()) == 2
        running.cancel()
        await asyncio.wait({running})


async def test_while_an_album_is_gathered_others_are_served_and_little_is_fetched_again(
    service: EmojiService, selfie: bytes
) -> None:
    others = 250
    async with telegram_server() as server, served(service, server, album_quiet_s=6.0):
        await server.send(photo=server.picture(selfie), media_group_id="a")
        for number in range(others):
            server.updates.put_nowait(_start(10_000 + number, person=100 + number % 25))
        began = time.monotonic()
        await server.sent("sendMessage", others)
        assert time.monotonic() - began < 6
        await server.sent("sendMessage", others + 1)
        await server.until(lambda: not server.fetched)
    assert await server.count("sendMessage") == others + 1


async def test_an_album_that_is_gathered_is_fetched_again_at_most_once_a_second(
    service: EmojiService, selfie: bytes
) -> None:
    async with telegram_server() as server, served(service, server, album_quiet_s=3.5):
        await server.send(photo=server.picture(selfie), media_group_id="a")
        await server.until(lambda: server.fetched)
        before = len(server.called("getUpdates"))
        await asyncio.sleep(3 * LOOK_AGAIN_S)
        assert server.fetched
        assert 1 <= len(server.called("getUpdates")) - before <= 4


def test_after_a_full_batch_half_of_the_next_one_is_for_others() -> None:
    receipts = Receipts()
    receipts.note(range(MOST_IN_BATCH))
    assert receipts.offset() == MOST_IN_BATCH - MOST_SENT_AGAIN
    assert receipts.last_offset() == 0
    receipts.note(range(MOST_SENT_AGAIN, MOST_IN_BATCH + 10))
    assert receipts.offset() == MOST_SENT_AGAIN


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
        assert time.monotonic() - began < LONGEST_END_S + 3
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
        assert time.monotonic() - began < LONGEST_END_S + 3
        assert not [task for task in asyncio.all_tasks() if "try_to_say" in repr(task.get_coro())]
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert "Traceback" not in capsys.readouterr().out


async def test_at_the_end_what_is_nearly_done_is_done(service: EmojiService, selfie: bytes) -> None:
    async with telegram_server() as server:
        async with served(service, server):
            server.fail("getFile", Fault(502, "Bad Gateway"))
            await server.send(photo=server.picture(selfie))
            await server.until(lambda: server.called("getFile"))
        assert await server.count("sendMessage") == 1


async def test_what_comes_after_the_end_is_counted_as_lost() -> None:
    def refuse(_update: Update) -> None:
        raise AssertionError

    processor = UpdateProcessor(2, Admission(), Receipts(), refuse, longest_end_s=0.05)
    began = asyncio.Event()

    async def answer() -> None:
        began.set()
        await asyncio.sleep(60)

    await processor.initialize()
    tasks = [asyncio.create_task(processor.process_update(Update(number), answer())) for number in range(5)]
    await began.wait()
    await processor.end()
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2 + [type(None)] * 3
