"""Channels, anonymous administrators, and people who ask about the photos of others."""

from typing import Any

import pytest

from bots.conversation import texts
from db import Store
from tests.bots.telegram.server import TelegramServer, chat_of, labels
from tests.rows import count_rows

GROUP, CHANNEL = -1001111111111, -1002222222222
ANONYMOUS: dict[str, Any] = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
_CHANNEL = {"id": CHANNEL, "type": "channel", "title": "News"}


async def test_an_anonymous_administrator_taps_on_the_answer_to_their_own_photo(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.statuses[GROUP, 7] = "administrator"
    said: dict[str, Any] = {"from": ANONYMOUS, "sender_chat": chat_of(GROUP)}
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="/emoji", **said)
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, labels(answer)[0][1], original=photo)
    await telegram.sent("editMessageText")
    await telegram.tap(answer, labels(answer)[0][0], person=8, original=photo)
    notice = (await telegram.sent("answerCallbackQuery", 2))[1]
    assert notice["text"] == texts.NOT_YOURS
    assert await count_rows(store, "taps") == 1


async def test_a_channels_post_in_its_discussion_group_is_the_channels(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.statuses[CHANNEL, 7] = "creator"
    service_account = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    post: dict[str, Any] = {"from": service_account, "sender_chat": _CHANNEL, "is_automatic_forward": True}
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="/emoji", **post)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await telegram.tap(answer, labels(answer)[0][1], original=photo)
    await telegram.sent("editMessageText")
    await telegram.tap(answer, labels(answer)[0][1], person=8, original=photo)
    notice = (await telegram.sent("answerCallbackQuery", 2))[1]
    assert notice["text"] == texts.NOT_YOURS
    assert await count_rows(store, "taps") == 1


async def test_a_post_in_a_channel_is_answered_if_it_speaks_to_the_bot(telegram: TelegramServer, selfie: bytes) -> None:
    post = {"message_id": 5, "date": 1, "chat": _CHANNEL, "sender_chat": _CHANNEL}
    await telegram.deliver(channel_post={**post, "photo": telegram.picture(selfie), "caption": "a smile"})
    mention = {"type": "mention", "offset": 0, "length": 14}
    spoken = {"caption": "@telemelya_bot", "caption_entities": [mention]}
    await telegram.deliver(channel_post={**post, "message_id": 6, "photo": telegram.picture(selfie), **spoken})
    [answer] = await telegram.sent("sendMessage")
    assert (answer["chat_id"], answer["raw"]["reply_parameters"]["message_id"]) == (CHANNEL, 6)


async def test_in_a_business_account_nothing_is_said_in_its_owners_name(
    telegram: TelegramServer, selfie: bytes
) -> None:
    message = {"message_id": 5, "date": 1, "chat": chat_of(8), "business_connection_id": "b"}
    await telegram.deliver(business_message={**message, "photo": telegram.picture(selfie)})
    await telegram.deliver(business_message={**message, "text": "hello"})
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]
    [asked, *_] = telegram.called("getUpdates")
    assert "business" not in asked.fields["allowed_updates"]


async def test_whoever_asks_about_anothers_photo_may_tap(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    photo = await telegram.send(person=7, chat=GROUP, photo=telegram.picture(selfie))
    await telegram.send(person=8, chat=GROUP, text="/emoji", reply_to_message=photo)
    [answer] = await telegram.sent("sendMessage")
    second = labels(answer)[0][1]
    await telegram.tap(answer, second, person=9, original=photo)
    await telegram.sent("answerCallbackQuery")
    await telegram.tap(answer, second, person=8, original=photo)
    await telegram.sent("editMessageText")
    assert await count_rows(store, "taps") == 1


@pytest.mark.parametrize("status", ["member", "left"])
async def test_a_member_is_not_the_channel(telegram: TelegramServer, selfie: bytes, status: str) -> None:
    telegram.statuses[CHANNEL, 7] = status
    said: dict[str, Any] = {"from": {**ANONYMOUS, "id": 136817688}, "sender_chat": _CHANNEL}
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="/emoji", **said)
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, labels(answer)[0][1], original=photo)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.NOT_YOURS
