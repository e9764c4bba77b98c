"""Photos that nobody asked about, people's reactions, and what is no photo at all."""

import asyncio
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from db import Automatic, Chat, ChatChoices, Platform, Store
from tests.bots.telegram.server import TelegramServer, chat_of, user
from tests.rows import count_rows, select_rows
from tests.waiting import PATIENCE_S

GROUP = -5
BOT = 123456789
_HELP = f"{texts.HELP}\n{texts.OPENMOJI}"


async def test_where_reactions_are_automatic_a_photo_gets_one_and_nothing_is_said(
    telegram: TelegramServer, store: Store, selfie: bytes, wall_photo: bytes
) -> None:
    await store.chats.choose(Chat(Platform.TELEGRAM, str(GROUP)), ChatChoices(automatic=Automatic.REACT))
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie))
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions == [(GROUP, photo["message_id"], "😁")]
    await telegram.send(chat=GROUP, photo=telegram.picture(wall_photo))
    gone = {"file_id": "gone", "file_unique_id": "gone", "width": 9, "height": 9}
    await telegram.send(chat=GROUP, photo=[gone])
    for _ in range(3):
        await telegram.send(chat=GROUP, photo=telegram.picture(selfie), media_group_id="a")
    document = {**telegram.file(selfie), "mime_type": "image/jpeg"}
    await telegram.send(chat=GROUP, document=document)
    await telegram.until(lambda: len(telegram.reactions) == 3)  # one for the album
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]


async def test_stickers_and_clips_get_no_automatic_reaction(
    telegram: TelegramServer, store: Store, selfie: bytes, video_note: bytes
) -> None:
    await store.chats.choose(Chat(Platform.TELEGRAM, str(GROUP)), ChatChoices(automatic=Automatic.REACT))
    sides = {"width": 384, "height": 384}
    sticker = {"type": "regular", **sides, "is_animated": False, "is_video": False, **telegram.file(selfie)}
    await telegram.send(chat=GROUP, sticker=sticker)
    await telegram.send(chat=GROUP, video={**telegram.file(video_note), **sides, "duration": 2})
    await telegram.send(chat=GROUP, document={**telegram.file(selfie), "mime_type": "image/gif"})
    await telegram.send(text="/start")
    await telegram.sent("sendMessage")
    assert not telegram.called("getFile")


async def test_nothing_is_fetched_where_nobody_asked(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie))
    await telegram.send(text="/start")
    await telegram.sent("sendMessage")
    assert not telegram.called("getFile")


async def test_a_reaction_of_the_sender_on_photo_or_answer_is_a_tap(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    photo = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.until(lambda: telegram.reactions)
    changed: dict[str, Any] = {"chat": chat_of(7), "date": 1, "old_reaction": []}
    custom = {"type": "custom_emoji", "custom_emoji_id": "5"}
    crying = {"type": "emoji", "emoji": "😢"}
    for number, who in (
        (photo["message_id"], {"actor_chat": chat_of(GROUP)}),
        (photo["message_id"], {"user": {**user(7), "is_bot": True}}),
        (answer["message_id"], {"user": user(8)}),
    ):
        await telegram.deliver(message_reaction={**changed, "message_id": number, "new_reaction": [crying], **who})
    mine = {**changed, "message_id": answer["message_id"], "user": user(7)}
    await telegram.deliver(message_reaction={**mine, "new_reaction": [custom, crying]})
    async with asyncio.timeout(PATIENCE_S):
        while not await count_rows(store, "taps"):
            await asyncio.sleep(0.02)
    assert await select_rows(store, "SELECT emoji FROM taps") == [("😢",)]


async def test_a_photo_in_reply_to_a_round_of_the_game_is_an_attempt(
    telegram: TelegramServer, service: EmojiService, store: Store, selfie: bytes
) -> None:
    group = Chat(Platform.TELEGRAM, str(GROUP))
    await store.chats.choose(group, ChatChoices(allows_play=True))
    await telegram.send(chat=GROUP, text="/play")
    [asked] = await telegram.sent("sendMessage")
    async with asyncio.timeout(PATIENCE_S):
        while not await service.plays_on(group, str(asked["message_id"])):
            await asyncio.sleep(0.02)
    me = {"id": BOT, "is_bot": True, "first_name": "Mugmoji"}
    round_: dict[str, Any] = {"message_id": asked["message_id"], "date": 1, "from": me, "chat": chat_of(GROUP)}
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie))  # in reply to nothing
    await telegram.send(
        person=8, chat=GROUP, photo=telegram.picture(selfie), reply_to_message={**round_, "text": asked["text"]}
    )
    scored = (await telegram.sent("sendMessage", 2))[1]
    assert texts.PLAY_SCOREBOARD in scored["text"]
    assert "Ada" in scored["text"]


async def test_my_data_is_a_file_in_private(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.sent("sendMessage")
    await telegram.send(text="/my_data")
    [sent] = await telegram.sent("sendDocument")
    assert sent["file_name"].endswith(".json")
    await telegram.send(chat=GROUP, text="/my_data")
    refused = (await telegram.sent("sendMessage", 2))[1]
    assert refused["chat_id"] == GROUP


@pytest.mark.parametrize("chat", [GROUP, None])
async def test_service_messages_get_nothing(telegram: TelegramServer, chat: int | None) -> None:
    pinned = {"message_id": 1, "date": 0, "chat": chat_of(chat or 7)}
    contents: tuple[dict[str, Any], ...] = (
        {"pinned_message": pinned},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
        {"chat_background_set": {"type": {"type": "chat_theme", "theme_name": "🏠"}}},
        {"new_chat_photo": [{"file_id": "x", "file_unique_id": "x", "width": 9, "height": 9}]},
        {"write_access_allowed": {}},
        {"connected_website": "example.org"},
        {"chat_owner_left": {}},
        {"poll_option_deleted": {"option_persistent_id": "1", "option_text": "a"}},
    )
    for content in contents:
        await telegram.send(chat=chat, **content)
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]


async def test_what_people_write_gets_help_in_private_only(telegram: TelegramServer) -> None:
    contents: list[dict[str, Any]] = [
        {"text": "😄"},
        {"dice": {"emoji": "🎲", "value": 3}},
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"contact": {"phone_number": "1", "first_name": "Ada"}},
        {"text": "x" * 4096},
        {"text": "/hlep"},
        {"text": "/unknown please"},
    ]
    for count, content in enumerate(contents, start=1):
        await telegram.send(chat=GROUP, **content)
        await telegram.send(**content)
        assert (await telegram.sent("sendMessage", count))[-1]["text"] == _HELP
