"""Taps of any speed, on answers of any age."""

import asyncio
from typing import Any

from bots.conversation import texts
from db import Store
from tests.bots.telegram.server import Fault, TelegramServer, chat_of, labels, user
from tests.rows import count_rows


async def test_the_last_of_quick_presses_wins_everywhere(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.until(lambda: telegram.reactions)
    first, second, third = labels(answer)[0]
    telegram.fail("editMessageText", Fault(502, "Bad Gateway", delay_s=0.3))
    presses = [first, second, third, first, second]
    for label in presses:
        await telegram.tap(answer, label, original=message)
    edits = await telegram.sent("editMessageText", len(presses))
    assert [edit["text"] for edit in edits][-1] == texts.CORRECTED.format(emoji=second)
    assert labels(edits[-1])[0] == [first, f"✓ {second}", third]
    wanted = telegram.called("setMessageReaction")
    await telegram.send(text="/start")
    await telegram.sent("sendMessage", 2)
    assert await count_rows(store, "taps") == len(presses)
    assert len(wanted) <= 1 + len(presses)


async def test_a_tap_does_not_wait_for_other_answers(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    other = await telegram.send(photo=telegram.picture(selfie))
    answers = {each["raw"]["reply_parameters"]["message_id"]: each for each in await telegram.sent("sendMessage", 2)}
    telegram.fail("editMessageText", Fault(400, "Bad Request: message to edit not found", delay_s=3))
    slow, quick = answers[message["message_id"]], answers[other["message_id"]]
    await telegram.tap(slow, labels(slow)[0][1], original=message)
    await telegram.sent("answerCallbackQuery")
    await telegram.tap(quick, labels(quick)[0][1], original=other)
    async with asyncio.timeout(2.5):
        await telegram.sent("editMessageText")


async def test_a_tap_on_a_message_that_is_no_longer_shown_still_counts(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    data = answer["reply_markup"]["inline_keyboard"][0][1]["callback_data"]
    old = {"chat": chat_of(7), "message_id": answer["message_id"], "date": 0}
    query = {"id": "1", "from": user(7), "chat_instance": "1", "message": old, "data": data}
    await telegram.deliver(callback_query=query)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"]
    assert await count_rows(store, "taps") == 1


async def test_every_query_is_answered(telegram: TelegramServer) -> None:
    query: dict[str, Any] = {"from": user(7), "chat_instance": "1"}
    old = {"chat": chat_of(7), "message_id": 3, "date": 0}
    contents: tuple[dict[str, Any], ...] = (
        {"inline_message_id": "abc", "data": "x"},
        {"message": old, "game_short_name": "g"},
        {"message": old, "data": "nonsense"},
        {"data": ""},
    )
    for number, content in enumerate(contents):
        await telegram.deliver(callback_query={"id": str(number), **query, **content})
    notices = await telegram.sent("answerCallbackQuery", 4)
    assert {notice["text"] for notice in notices} == {texts.GONE}
