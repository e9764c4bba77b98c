"""Polling: what comes is fetched once, and again only as long as it may be lost."""

import asyncio
from typing import Any

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.polling import LOOK_AGAIN_S, MOST_IN_BATCH, MOST_REMEMBERED, MOST_SENT_AGAIN, Receipts
from bots.telegram.rate_limiter import RateLimiter
from tests.bots.telegram.server import QUICK, TOKEN, TelegramServer, served, telegram_server, user


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
    others = 150
    async with telegram_server() as server, served(service, server, album_quiet_s=15.0):
        await server.send(photo=server.picture(selfie), media_group_id="a")
        for number in range(others):
            server.updates.put_nowait(_start(10_000 + number, person=100 + number % 25))
        assert {each["text"] for each in await server.sent("sendMessage", others)} == {texts.START}
        await server.sent("sendMessage", others + 1)
        await server.until(lambda: not server.fetched)
    assert await server.count("sendMessage") == others + 1


async def test_an_album_that_is_gathered_is_fetched_again_at_most_once_a_second(
    service: EmojiService, selfie: bytes
) -> None:
    async with telegram_server() as server, served(service, server, album_quiet_s=5.0):
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
