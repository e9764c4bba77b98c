"""Which updates are a process's: the first one's, also when they are polled, and everybody's without a database."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import Update

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.serving.lease import HELD_FOR, leases_of_a_process
from bots.telegram.claims import Claims
from bots.telegram.polling import Polling
from db import Store
from tests.bots.telegram.server import TOKEN, TelegramServer, served, telegram_server
from tests.faults import Faults
from tests.waiting import until


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def update(number: int, **content: Any) -> Update:
    chat = {"id": 7, "type": "private", "first_name": "Ada"}
    message = {"message_id": number, "date": 1_760_000_000, "chat": chat, **content}
    return Update.de_json({"update_id": number, "message": message}, None)


def text(number: int) -> Update:
    return update(number, text="hello")


def photo(number: int) -> Update:
    return update(number, photo=[{"file_id": "x", "file_unique_id": "x", "width": 9, "height": 9}])


async def test_a_photo_is_held_for_a_while_and_all_else_for_good(store: Store) -> None:
    clock = Clock()
    one, other = (Claims(store, TOKEN, clock=clock) for _ in range(2))
    assert (await one.claim([text(1), photo(2), Update(3)])).mine == {1, 2, 3}
    claimed = await other.claim([text(1), photo(2), Update(3)])
    assert (sorted(claimed.mine), sorted(claimed.held)) == ([], [2])
    clock.now += HELD_FOR + timedelta(seconds=1)
    assert (await other.claim([text(1), photo(2), Update(3)])).mine == {2}


async def test_what_is_given_back_is_free_at_once(store: Store) -> None:
    one, other = (Claims(store, TOKEN) for _ in range(2))
    await one.claim([text(1), photo(2), text(3)])
    one.settle(1)
    await one.give_back()
    assert (await other.claim([text(1), photo(2), text(3)])).mine == {2, 3}


async def test_the_updates_of_another_bot_are_others(store: Store) -> None:
    assert (await Claims(store, "1:a").claim([text(1)])).mine == {1}
    assert (await Claims(store, "2:a").claim([text(1)])).mine == {1}


async def test_without_the_database_all_are_taken(store: Store, faults: Faults) -> None:
    claims = Claims(store, TOKEN)
    with faults.no_database():
        assert (await claims.claim([text(1), photo(2)])).mine == {1, 2}
        await claims.give_back()


@pytest.fixture
def polling(store: Store) -> Any:
    """Return a function that returns the polling of another process."""
    return lambda: Polling(Claims(store, TOKEN), leases_of_a_process(store.leases)("telegram polling"))


async def test_of_two_processes_that_poll_one_does_and_the_other_follows_it(
    service: EmojiService, polling: Any
) -> None:
    async with telegram_server() as server, AsyncExitStack() as first, AsyncExitStack() as second:
        await first.enter_async_context(served(service, server, source=polling()))
        await server.until(lambda: len(server.called("getUpdates")) >= 2)
        await second.enter_async_context(served(service, server, source=polling()))
        await server.send(text="/start")
        await server.sent("sendMessage")
        assert len(server.called("getMe")) == 1
        await first.aclose()
        await server.send(text="/start")
        answers = await server.sent("sendMessage", 2)
        assert [each["text"] for each in answers] == [texts.START] * 2
        assert len(server.called("getMe")) == 2


async def test_what_a_process_has_answered_before_it_died_is_not_answered_again(
    service: EmojiService, store: Store, polling: Any
) -> None:
    server: TelegramServer
    async with telegram_server() as server:
        await server.send(text="/start")
        await server.send(text="/start")
        first, second = list(server.updates._queue)  # type: ignore[attr-defined]
        dead = Claims(store, TOKEN)
        assert (await dead.claim([Update.de_json(first, None)])).mine
        async with served(service, server, source=polling()):
            await server.until(lambda: not server.fetched and server.updates.empty())
            await server.send(text="/help")
            await server.sent("sendMessage", 2)
    said = [each["text"] for each in await server._calls("sendMessage")]
    assert said.count(texts.START) == 1
    assert second["message"]["text"] == "/start"


async def test_a_photo_that_a_dead_process_may_have_lost_is_answered_when_its_claim_is_over(
    service: EmojiService, store: Store, selfie: bytes, polling: Any
) -> None:
    async with telegram_server() as server:
        await server.send(photo=server.picture(selfie))
        [lost] = list(server.updates._queue)  # type: ignore[attr-defined]
        dead = Claims(store, TOKEN)
        assert (await dead.claim([Update.de_json(lost, None)])).mine
        async with served(service, server, source=polling()):
            await server.until(lambda: len(server.called("getUpdates")) > 3)
            assert not server.called("sendMessage")
            await dead.give_back()
            [answer] = await server.sent("sendMessage")
            assert "happy" in answer["text"]
            await until(lambda: not server.fetched)
