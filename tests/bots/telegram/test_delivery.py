"""Answers arrive in spite of rate limits, bad connections, moved groups and photos that are gone."""

import asyncio

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from db import Chat, ChatChoices, Platform, Store
from tests.bots.telegram.server import BAD_GATEWAY, DROPPED, Fault, TelegramServer, labels, served, telegram_server
from tests.rows import count_rows
from tests.waiting import PATIENCE_S

GROUP, SUPERGROUP = -5, -1001234567890
_MOVED = Fault(400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": SUPERGROUP})
_TOO_MANY = Fault(429, "Too Many Requests: retry after 1", {"retry_after": 1})


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.telegram.delivery.PAUSES_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr("bots.telegram.reactions.LATER_S", 0.05)


@pytest.mark.parametrize("fault", [BAD_GATEWAY, DROPPED, Fault(500, "Internal Server Error")], ids=str)
async def test_an_answer_that_broke_off_is_sent_again(telegram: TelegramServer, selfie: bytes, fault: Fault) -> None:
    telegram.fail("sendMessage", fault, 2)
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_an_answer_whose_confirmation_timed_out_is_not_sent_twice(
    service: EmojiService, selfie: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bots.telegram.adapter.READ_TIMEOUT_S", 2.0)
    async with telegram_server() as server, served(service, server):
        server.fail("sendMessage", Fault(is_done=True, delay_s=4.0))
        await server.send(photo=server.picture(selfie))
        await server.until(lambda: server.reactions)
        await server.send(text="/start")
        answers = await server.sent("sendMessage", 2)
    assert [answer["text"] == texts.START for answer in answers] == [False, True]
    assert "answer_lost" in capsys.readouterr().out


async def test_an_answer_that_is_lost_for_good_is_one_line_in_the_log(
    telegram: TelegramServer, selfie: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    telegram.fail("sendMessage", BAD_GATEWAY, 4)
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: len(telegram.called("sendMessage")) == 4)
    await telegram.send(text="/start")
    await telegram.sent("sendMessage")
    logged = capsys.readouterr().out
    assert logged.count("answer_lost") == 1
    assert "Traceback" not in logged
    assert "happy" not in logged


@pytest.mark.parametrize(
    "told",
    [
        "Bad Request: not enough rights to send text messages to the chat",
        "Bad Request: chat not found",
        "Bad Request: TOPIC_CLOSED",
        "Forbidden: bot was blocked by the user",
        "Forbidden: bot was kicked from the supergroup chat",
    ],
)
async def test_refusals_are_logged_short_and_not_repeated(
    telegram: TelegramServer, selfie: bytes, capsys: pytest.CaptureFixture[str], told: str
) -> None:
    telegram.fail("sendMessage", Fault(403 if told.startswith("Forbidden") else 400, told))
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: telegram.called("sendMessage"))
    await telegram.send(text="/start")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.START
    logged = capsys.readouterr().out
    assert "answer_refused" in logged
    assert "Traceback" not in logged
    if "Forbidden" in told or "chat not found" in told:
        assert not telegram.called("setMessageReaction")


async def test_the_answer_to_a_photo_that_is_gone_comes_without_a_reaction(
    telegram: TelegramServer, selfie: bytes
) -> None:
    photo = await telegram.send(photo=telegram.picture(selfie))
    telegram.deleted.add(photo["message_id"])
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await telegram.send(text="/start")
    await telegram.sent("sendMessage", 2)
    assert not telegram.called("setMessageReaction")


async def test_a_rate_limit_on_a_reaction_holds_nobody_up(telegram: TelegramServer, selfie: bytes) -> None:
    telegram.fail("setMessageReaction", Fault(429, "Too Many Requests: retry after 900", {"retry_after": 900}))
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: telegram.called("setMessageReaction"))
    await telegram.send(text="/start")
    await telegram.send(person=8, photo=telegram.picture(selfie))
    assert len(await telegram.sent("sendMessage", 3)) == 3
    await telegram.until(lambda: telegram.reactions)


async def test_a_refused_reaction_is_tried_once_more(telegram: TelegramServer, selfie: bytes) -> None:
    telegram.fail("setMessageReaction", _TOO_MANY)
    message = await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions == [(7, message["message_id"], "😁")]
    telegram.fail("setMessageReaction", BAD_GATEWAY)
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: len(telegram.reactions) == 2)


async def test_a_rate_limit_on_a_message_holds_up_its_chat_only(telegram: TelegramServer, selfie: bytes) -> None:
    telegram.fail("sendMessage", Fault(429, "Too Many Requests: retry after 6", {"retry_after": 6}))
    await telegram.send(text="/start")
    await telegram.until(lambda: telegram.called("sendMessage"))
    await telegram.send(person=8, text="/start")
    answers = await telegram.sent("sendMessage", 2)
    assert [answer["chat_id"] for answer in answers] == [8, 7]
    first, other, again = telegram.called("sendMessage")
    assert other.at_s - first.at_s < 6
    assert again.at_s - first.at_s >= 6


async def test_an_answer_arrives_where_the_group_has_moved_to(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.fail("sendMessage", _MOVED)
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="/emoji")
    [answer] = await telegram.sent("sendMessage")
    assert answer["chat_id"] == SUPERGROUP
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions[0][0] == SUPERGROUP
    await telegram.send(chat=GROUP, text="/emoji")
    assert (await telegram.sent("sendMessage", 2))[1]["chat_id"] == SUPERGROUP
    await telegram.tap({**answer, "chat_id": GROUP}, labels(answer)[0][0])
    [edited] = await telegram.sent("editMessageText")
    assert edited["chat_id"] == SUPERGROUP
    assert await count_rows(store, "chats") == 1


@pytest.mark.parametrize("told_by", ["old", "new", "both"])
async def test_a_group_that_becomes_a_supergroup_takes_its_settings_along(
    telegram: TelegramServer, store: Store, told_by: str
) -> None:
    old, new = Chat(Platform.TELEGRAM, str(GROUP)), Chat(Platform.TELEGRAM, str(SUPERGROUP))
    await store.chats.choose(old, ChatChoices(everyone_taps=True))
    if told_by != "new":
        await telegram.send(chat=GROUP, migrate_to_chat_id=SUPERGROUP)
    if told_by != "old":
        await telegram.send(chat=SUPERGROUP, migrate_from_chat_id=GROUP)
    async with asyncio.timeout(PATIENCE_S):
        while not (await store.chats.choices(new)).everyone_taps:
            await asyncio.sleep(0.02)
    assert await store.chats.choices(old) == ChatChoices()
    assert await telegram.count("sendMessage") == 0
