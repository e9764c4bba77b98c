"""Taps of any speed, on answers of any age."""

import asyncio
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.telegram.reactions import reaction_for
from db import Person, Platform, Preferences, Store
from tests.bots.telegram.server import Fault, TelegramServer, chat_of, labels, user
from tests.rows import count_rows

_IN_TOPIC: dict[str, Any] = {"message_thread_id": 9, "is_topic_message": True}
_HIDDEN: dict[str, Any] = {"has_media_spoiler": True}


@pytest.fixture
def group_clip(tmp_path: Path, group_photo: bytes) -> bytes:
    """Return a second of two faces."""
    frame = cv2.imdecode(np.frombuffer(group_photo, np.uint8), cv2.IMREAD_COLOR)
    assert frame is not None
    path = tmp_path / "group.mp4"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, (700, 400))
    for _ in range(10):
        writer.write(frame)
    writer.release()
    return path.read_bytes()


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
    shown = reaction_for(second)
    await telegram.until(lambda: telegram.present_reactions.get((7, message["message_id"])) == shown)
    await telegram.send(text="/start")
    await telegram.sent("sendMessage", 2)
    assert telegram.present_reactions.get((7, message["message_id"])) == shown
    assert await count_rows(store, "taps") == len(presses)
    assert len(telegram.called("setMessageReaction")) <= 1 + len(presses)


async def test_a_tap_does_not_wait_for_other_answers(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    other = await telegram.send(photo=telegram.picture(selfie))
    answers = {each["raw"]["reply_parameters"]["message_id"]: each for each in await telegram.sent("sendMessage", 2)}
    telegram.fail("editMessageText", Fault(400, "Bad Request: message to edit not found", delay_s=8))
    slow, quick = answers[message["message_id"]], answers[other["message_id"]]
    await telegram.tap(slow, labels(slow)[0][1], original=message)
    await telegram.sent("answerCallbackQuery")
    await telegram.tap(quick, labels(quick)[0][1], original=other)
    async with asyncio.timeout(7):
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


async def test_an_avatar_is_shown_though_the_settings_are_no_longer(telegram: TelegramServer, store: Store) -> None:
    await store.set_preferences(Person(Platform.TELEGRAM, "7"), Preferences(hair="bun"))
    old = {"chat": chat_of(7), "message_id": 3, "date": 0}
    query = {"id": "1", "from": user(7), "chat_instance": "1", "message": old, "data": str(Token(Action.AVATAR))}
    await telegram.deliver(callback_query=query)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.AVATAR_MADE
    [sticker] = await telegram.sent("sendSticker")
    assert sticker["chat_id"] == 7


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


async def test_the_faces_of_a_made_picture_are_covered_otherwise_and_swapped_in_place(
    telegram: TelegramServer, group_photo: bytes
) -> None:
    hidden = telegram.picture(group_photo)
    photo = await telegram.send(chat=-5, photo=hidden, caption="/emoji", **_HIDDEN, **_IN_TOPIC)
    [answer] = await telegram.sent("sendPhoto")
    await telegram.tap(answer, texts.EMOJI_ME, original=photo, **_IN_TOPIC)
    made = (await telegram.sent("sendPhoto", 2))[1]
    assert (made["message_thread_id"], made["has_spoiler"]) == ("9", True)
    versions = [telegram.made[made["message_id"]]]
    assert [label for row in labels(made) for label in row][-1] == texts.SWAP
    await telegram.tap(made, labels(made)[0][0], original=photo, **_IN_TOPIC)
    [asked] = await telegram.sent("editMessageReplyMarkup")
    assert asked["message_id"] == made["message_id"]
    await telegram.tap(asked, labels(asked)[0][3], original=photo, **_IN_TOPIC)
    [covered] = await telegram.sent("editMessageMedia")
    versions.append(telegram.made[made["message_id"]])
    await telegram.tap(covered, texts.SWAP, original=photo, **_IN_TOPIC)
    swapped = (await telegram.sent("editMessageMedia", 2))[1]
    versions.append(telegram.made[made["message_id"]])
    for edited in (covered, swapped):
        assert (edited["message_id"], edited["type"], edited["has_spoiler"]) == (made["message_id"], "photo", True)
        assert labels(edited)[-1][-1] == texts.SWAP
    assert len(set(versions)) == 3
    assert await telegram.count("sendPhoto") == 2


async def test_an_animation_stays_one_when_its_faces_are_covered_otherwise(
    telegram: TelegramServer, group_clip: bytes
) -> None:
    video = {**telegram.file(group_clip), "width": 700, "height": 400, "duration": 1}
    message = await telegram.send(video=video, **_HIDDEN)
    [answer] = await telegram.sent("sendPhoto")
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    [made] = await telegram.sent("sendAnimation")
    assert made["has_spoiler"]
    await telegram.tap(made, labels(made)[0][0], original=message)
    [asked] = await telegram.sent("editMessageReplyMarkup")
    await telegram.tap(asked, labels(asked)[0][3], original=message)
    [covered] = await telegram.sent("editMessageMedia")
    assert (covered["message_id"], covered["type"], covered["has_spoiler"]) == (made["message_id"], "animation", True)
    assert b"ftyp" in telegram.made[made["message_id"]][:16]
    assert labels(covered)[-1][-1] == texts.SWAP


async def test_where_a_made_picture_cannot_be_replaced_another_one_comes_in_its_stead(
    telegram: TelegramServer, group_photo: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendPhoto")
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    made = (await telegram.sent("sendPhoto", 2))[1]
    telegram.forbids_media_edits = True
    await telegram.tap(made, texts.SWAP, original=message)
    again = (await telegram.sent("sendPhoto", 3))[2]
    [deleted] = await telegram.sent("deleteMessage")
    assert deleted["message_id"] == made["message_id"]
    assert again["reply_parameters"]["message_id"] == message["message_id"]
    assert labels(again)[-1][-1] == texts.SWAP
