"""What a process left unanswered is answered by the next one, once; edits and repeated updates are not."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from db import Chat, ChatChoices, Person, Platform, Store
from tests.bots.telegram.server import BAD_GATEWAY, Fault, TelegramServer, served, telegram_server
from tests.rows import count_rows, execute, nothing_is_open
from tests.waiting import until

PERSON, CHAT = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "7")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def address(telegram: TelegramServer, photo: bytes, message: int, **facts: Any) -> dict[str, Any]:
    file = {"id": telegram.file(photo)["file_id"], "size": 0, "is_photo": True, "has_spoiler": False}
    return {
        "wish": "emoji",
        "chat": 7,
        "type": "private",
        "message": message,
        "answered": message,
        "person": 7,
        "speaks_as": None,
        "language": "en",
        "topic": None,
        "direct_topic": None,
        "files": [file],
        "numbers": [message],
        "sender": None,
        **facts,
    }


async def leave_open(store: Store, address: dict[str, Any], since: datetime | None = None) -> int:
    """Store a photo as another process leaves it."""
    message = CHAT.message(f"{address['message']}:{address['wish']}")
    now = since or datetime.now(UTC)
    opened = await store.journal.open(PERSON, CHAT, message, address, "another", now, LONG_AGO)
    assert opened.id is not None
    return opened.id


async def test_photos_that_were_left_open_are_answered_where_they_were_asked(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    async with telegram_server() as telegram:
        await leave_open(store, address(telegram, selfie, 41))
        await leave_open(store, address(telegram, selfie, 42, wish="emoji_me", numbers=[]))
        await leave_open(store, address(telegram, selfie, 43, type="supergroup", chat=-1_000_000_000_005, topic=9))
        async with served(service, telegram):
            await telegram.sent("sendMessage", 2)
            await telegram.sent("sendPhoto")
            await until(lambda: len(telegram.reactions) == 2)
            sent = telegram.called("sendMessage")
        replied = {call.fields["chat_id"]: call.fields for call in sent}
        assert "You look happy" in replied["7"]["text"]
        assert '"message_id": 41' in replied["7"]["reply_parameters"]
        assert replied["-1000000000005"]["message_thread_id"] == "9"
    assert await count_rows(store, "open_messages") == 0


async def test_an_attempt_in_a_game_that_was_left_open_is_scored(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    group = Chat(Platform.TELEGRAM, "-1000000000005")
    await store.chats.choose(group, ChatChoices(allows_play=True))
    game = await store.games.start(group, None, "sad", "😢", datetime.now(UTC))
    await service.note_round(group, game.id, "40")
    async with telegram_server() as telegram:
        place = {"type": "supergroup", "chat": int(group.id), "replies_to": 40, "is_new": True}
        await leave_open(store, address(telegram, selfie, 41, **place))
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
    assert texts.PLAY_SCOREBOARD in said["text"]


async def test_a_photo_whose_answer_may_have_been_sent_is_not_answered_again(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    async with telegram_server() as telegram:
        number = await leave_open(store, address(telegram, selfie, 41))
        assert await store.journal.begin_to_send(number, "another", 0, "")
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
            await asyncio.sleep(0.3)
        assert said["text"] == texts.MAYBE_ANSWERED
        assert await telegram.count("sendMessage") == 1


@pytest.fixture
def short_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what did not arrive be tried again in a moment."""
    monkeypatch.setattr("bots.telegram.delivery.PAUSES_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr("bots.serving.journal.HELD_FOR", timedelta(seconds=0.3))
    monkeypatch.setattr("bots.serving.journal.LOOKED_EVERY_S", 0.1)


@pytest.mark.usefixtures("short_outages")
async def test_an_answer_that_telegram_was_out_of_reach_for_comes_when_it_is_back(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.fail("sendMessage", BAD_GATEWAY, 8)
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await nothing_is_open(store)
    assert len(telegram.called("sendMessage")) == 9


@pytest.mark.usefixtures("short_outages")
async def test_a_covered_picture_that_telegram_was_out_of_reach_for_comes_when_it_is_back(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.fail("sendPhoto", BAD_GATEWAY, 4)
    await telegram.send(photo=telegram.picture(selfie), caption="/emoji_me")
    await telegram.sent("sendPhoto")
    await nothing_is_open(store)
    assert await telegram.count("sendPhoto") == 1
    assert not telegram.called("sendMessage")


@pytest.mark.usefixtures("short_outages")
@pytest.mark.parametrize("hours", [0, 2])
async def test_an_apology_that_telegram_was_out_of_reach_for_comes_when_it_is_back(
    service: EmojiService, store: Store, selfie: bytes, hours: int
) -> None:
    async with telegram_server() as telegram:
        since = datetime.now(UTC) - timedelta(hours=hours)
        number = await leave_open(store, address(telegram, selfie, 41), since)
        assert await store.journal.begin_to_send(number, "another", 0, "")
        telegram.fail("sendMessage", BAD_GATEWAY, 4)
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
            await nothing_is_open(store)
        assert said["text"] == (texts.INTERRUPTED_LONG if hours else texts.MAYBE_ANSWERED)
        assert await telegram.count("sendMessage") == 1


@pytest.mark.usefixtures("short_outages")
async def test_an_answer_that_is_refused_is_not_tried_again(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.fail("sendMessage", Fault(403, "Forbidden: bot was blocked by the user"))
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: telegram.called("sendMessage"))
    await nothing_is_open(store)
    assert len(telegram.called("sendMessage")) == 1


async def test_photos_of_long_ago_get_one_word_for_the_chat(service: EmojiService, store: Store, selfie: bytes) -> None:
    async with telegram_server() as telegram:
        for message in range(30):
            since = datetime.now(UTC) - timedelta(hours=2)
            await leave_open(store, address(telegram, selfie, 41 + message), since)
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
            await nothing_is_open(store)
        assert said["text"] == texts.INTERRUPTED_LONG
        assert await telegram.count("sendMessage") == 1


async def test_a_photo_that_is_gone_by_now_is_apologised_for(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    async with telegram_server() as telegram:
        await leave_open(store, address(telegram, selfie, 41))
        telegram.files.clear()
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
        assert said["text"] == texts.DOWNLOAD_FAILED


@pytest.mark.parametrize("broken", [{"wish": "?"}, {"files": 5}, {"message": "x"}], ids=str)
async def test_what_another_version_wrote_is_left_alone_and_the_rest_answered(
    service: EmojiService, store: Store, selfie: bytes, broken: dict[str, Any]
) -> None:
    async with telegram_server() as telegram:
        await leave_open(store, {**address(telegram, selfie, 41), **broken})
        await leave_open(store, address(telegram, selfie, 42))
        async with served(service, telegram):
            [said] = await telegram.sent("sendMessage")
        assert "You look happy" in said["text"]
    assert await count_rows(store, "open_messages") == 0


async def test_an_update_that_comes_again_after_a_restart_is_not_answered_again(
    service: EmojiService, selfie: bytes
) -> None:
    async with telegram_server() as telegram:
        async with served(service, telegram):
            message = await telegram.send(photo=telegram.picture(selfie))
            await telegram.sent("sendMessage")
            await telegram.until(lambda: not telegram.fetched)
        async with served(service, telegram):
            await telegram.deliver(message=message)
            await telegram.edit(message, caption="@telemelya_bot what about this one")
            await telegram.send(text="/start")
            await telegram.sent("sendMessage", 2)
            await asyncio.sleep(0.5)
            assert await telegram.count("sendMessage") == 2


async def test_without_a_journal_photos_are_answered_all_the_same(
    service: EmojiService, store: Store, telegram: TelegramServer, selfie: bytes
) -> None:
    await execute(store, "DROP TABLE open_messages")
    await telegram.send(photo=telegram.picture(selfie))
    [said] = await telegram.sent("sendMessage")
    assert "You look happy" in said["text"]
