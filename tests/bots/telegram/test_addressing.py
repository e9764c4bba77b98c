"""Entities decide whether the bot is spoken to."""

from typing import Any

import pytest

from bots.conversation import texts
from tests.bots.telegram.server import TelegramServer

GROUP = -5
BOT = 123456789
_NAME = "@telemelya_bot"


@pytest.mark.parametrize(
    "caption",
    [
        f"hey {_NAME}!",
        f"({_NAME})",
        f"{_NAME}, what?",
        f"😄😄 {_NAME.upper()}…",
        "/emoji",
        "/EMOJI please",
        f"look: /emoji{_NAME}",
    ],
)
async def test_a_caption_that_speaks_to_the_bot_is_answered(
    telegram: TelegramServer, selfie: bytes, caption: str
) -> None:
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption=caption)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_a_text_mention_speaks_to_the_bot(telegram: TelegramServer, selfie: bytes) -> None:
    bot = {"id": BOT, "is_bot": True, "first_name": "Mugmoji"}
    mention = {"type": "text_mention", "offset": 3, "length": 7, "user": bot}
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="hi Mugmoji", caption_entities=[mention])
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_others_are_not_the_bot(telegram: TelegramServer, selfie: bytes) -> None:
    other = {"id": 5, "is_bot": True, "first_name": "Mugmoji"}
    elsewhere: list[dict[str, Any]] = [
        {"caption": "@other_bot what?"},
        {"caption": f"{_NAME}2"},
        {"caption": "/emoji@other_bot"},
        {"caption": f"me{_NAME}.org"},
        {"caption": "/emojis"},
        {"caption": "telemelya_bot"},
        {"caption": "Mug", "caption_entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": other}]},
        {"caption": f"see {_NAME}", "caption_entities": [{"type": "code", "offset": 4, "length": 14}]},
    ]
    for content in elsewhere:
        await telegram.send(chat=GROUP, photo=telegram.picture(selfie), **content)
        if "caption_entities" not in content:
            await telegram.send(chat=GROUP, text=content["caption"])
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]
    assert not telegram.called("getFile")


async def test_a_mention_in_reply_to_a_photo_is_answered_like_emoji(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie))
    await telegram.send(person=8, chat=GROUP, text=f"{_NAME}, what is this?", reply_to_message=photo)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions[0][1] == photo["message_id"]


async def test_a_mention_without_a_photo_is_told_how_to(telegram: TelegramServer) -> None:
    await telegram.send(chat=GROUP, text=f"hello {_NAME}!")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.MENTIONED_WITHOUT_PHOTO


async def test_a_command_in_the_middle_of_a_talk_about_it_is_nobodys(telegram: TelegramServer) -> None:
    await telegram.send(chat=GROUP, text="you can use /emoji for that")
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]


@pytest.mark.parametrize("chat", [GROUP, None])
async def test_emoji_me_as_a_caption_covers_the_faces(
    telegram: TelegramServer, selfie: bytes, chat: int | None
) -> None:
    await telegram.send(chat=chat, photo=telegram.picture(selfie), caption="/Emoji_Me")
    [made] = await telegram.sent("sendPhoto")
    assert made["caption"] == texts.EMOJI_ME_MADE
    assert await telegram.count("sendMessage") == 0


async def test_a_command_may_carry_words(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie))
    await telegram.send(chat=GROUP, text=f"/Emoji{_NAME} of this one", reply_to_message=photo)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_an_edit_that_speaks_to_the_bot_is_answered_once(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption="look")
    await telegram.edit(photo, caption=f"look {_NAME}")
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await telegram.edit(photo, caption=f"look, {_NAME}!")
    word = await telegram.send(chat=GROUP, text="/emojj", reply_to_message=photo)
    await telegram.edit(word, text="/emoji")
    assert "You look happy" in (await telegram.sent("sendMessage", 2))[1]["text"]
    await telegram.edit(photo, caption=f"/emoji_me {_NAME}")
    await telegram.sent("sendPhoto")
    assert await telegram.count("sendMessage") == 2


async def test_edits_in_a_private_chat_get_nothing_new(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(photo=telegram.picture(selfie))
    await telegram.sent("sendMessage")
    word = await telegram.send(text="hello")
    await telegram.sent("sendMessage", 2)
    await telegram.edit(photo, caption="me")
    await telegram.edit(word, text="hello!")
    await telegram.edit(word, location={"latitude": 1.0, "longitude": 2.0})
    await telegram.send(text="/start")
    assert (await telegram.sent("sendMessage", 3))[2]["text"] == texts.START


async def test_other_bots_are_not_answered(telegram: TelegramServer, selfie: bytes) -> None:
    bot: dict[str, Any] = {"from": {"id": 99, "is_bot": True, "first_name": "Parrot"}}
    await telegram.send(chat=GROUP, photo=telegram.picture(selfie), caption=f"{_NAME}!", **bot)
    await telegram.send(text="/start")
    assert [answer["text"] for answer in await telegram.sent("sendMessage")] == [texts.START]


@pytest.mark.parametrize("text", ["/start!", "/START, please", f"/start{_NAME}?", "/start."])
@pytest.mark.parametrize("chat", [None, GROUP])
async def test_a_command_may_be_followed_by_any_mark(telegram: TelegramServer, text: str, chat: int | None) -> None:
    await telegram.send(chat=chat, text=text)
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.START
