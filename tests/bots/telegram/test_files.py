"""What is read of each kind of message, and what is said about files that cannot be."""

from typing import Any

import pytest

from bots.conversation import texts
from tests.bots.telegram.server import TelegramServer

GROUP = -5
_SIDES = {"width": 384, "height": 384}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"mime_type": "application/octet-stream"},
        {"file_name": "IMG_1.HEIC"},
        {"file_name": "me.jfif", "mime_type": "application/octet-stream"},
        {"file_name": "me.jpe", "mime_type": "text/plain"},
        {"file_name": "me.hif", "mime_type": "application/x-unknown"},
        {"file_name": "me.WMV", "mime_type": "text/plain"},
        {"file_name": "me.ogv", "mime_type": "application/ogg"},
        {"file_name": "me.3gp", "mime_type": "audio/3gpp"},
        {"file_name": "me.mts", "mime_type": "model/vnd.mts"},
        {"file_name": "me.gif", "mime_type": "image/gif"},
        {"file_name": "me", "mime_type": "video/mp4"},
        {"mime_type": "IMAGE/PNG"},
    ],
    ids=str,
)
async def test_the_bytes_of_a_file_decide_and_its_name_is_a_hint(
    telegram: TelegramServer, selfie: bytes, said: dict[str, str]
) -> None:
    await telegram.send(document={**telegram.file(selfie), **said})
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_animations_videos_and_stickers_are_read(
    telegram: TelegramServer, selfie: bytes, video_note: bytes
) -> None:
    clip = {**telegram.file(video_note), **_SIDES, "duration": 2}
    sticker = {"type": "regular", **_SIDES, "is_animated": False, "is_video": False, **telegram.file(selfie)}
    drawn = {**sticker, "is_animated": True, "file_id": "tgs", "thumbnail": {**telegram.file(selfie), **_SIDES}}
    kinds: list[dict[str, Any]] = [
        {"animation": clip, "document": {**clip, "file_name": "x.mp4"} | {"mime_type": "video/mp4"}},
        {"video": clip},
        {"sticker": sticker},
        {"sticker": {**sticker, **telegram.file(video_note), "is_video": True}},
        {"sticker": drawn},
        {"live_photo": clip, "photo": telegram.picture(selfie)},
    ]
    kinds[0]["document"] = {**telegram.file(video_note), "mime_type": "video/mp4"}
    for count, content in enumerate(kinds, start=1):
        await telegram.send(**content)
        assert "You look happy" in (await telegram.sent("sendMessage", count))[-1]["text"]


@pytest.mark.parametrize(
    "content",
    [
        {"document": {"mime_type": "application/pdf", "file_name": "cv.pdf"}},
        {"document": {"file_name": "photos.zip"}},
        {"document": {"mime_type": "text/plain"}},
        {"audio": {"duration": 3}},
        {"voice": {"duration": 3}},
    ],
    ids=str,
)
async def test_other_files_get_a_sentence_in_private_and_nothing_in_a_group(
    telegram: TelegramServer, content: dict[str, dict[str, Any]]
) -> None:
    [(kind, facts)] = content.items()
    sent: dict[str, Any] = {kind: {**telegram.file(b"%PDF"), **facts}}
    await telegram.send(chat=GROUP, **sent)
    await telegram.send(**sent)
    [answer] = await telegram.sent("sendMessage")
    assert (answer["chat_id"], answer["text"]) == (7, texts.NO_PICTURE_FILE)
    await telegram.send(chat=GROUP, **sent, caption="@telemelya_bot?")
    assert (await telegram.sent("sendMessage", 2))[1]["text"] == texts.NO_PICTURE_FILE
    assert not telegram.called("getFile")


async def test_a_file_that_only_the_server_finds_too_large_is_told_so(telegram: TelegramServer) -> None:
    telegram.too_big.add("big")
    await telegram.send(document={"file_id": "big", "file_unique_id": "big", "mime_type": "image/tiff"})
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.FILE_TOO_LARGE


async def test_emoji_in_reply_to_another_chats_photo_is_answered(telegram: TelegramServer, selfie: bytes) -> None:
    channel = {"id": -1001234567890, "type": "channel", "title": "News"}
    origin = {"type": "channel", "date": 1, "chat": channel, "message_id": 3}
    elsewhere = {"origin": origin, "chat": channel, "message_id": 3, "photo": telegram.picture(selfie)}
    asked = await telegram.send(chat=GROUP, text="/emoji", external_reply=elsewhere)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    assert answer["raw"]["reply_parameters"]["message_id"] == asked["message_id"]
    assert not telegram.reactions  # the photo is in another chat


@pytest.mark.parametrize("kind", ["photo", "group"])
async def test_what_was_sent_hidden_comes_back_hidden(
    telegram: TelegramServer, selfie: bytes, group_photo: bytes, kind: str
) -> None:
    content = selfie if kind == "photo" else group_photo
    message = await telegram.send(photo=telegram.picture(content), has_media_spoiler=True)
    [answer] = await telegram.sent("sendMessage" if kind == "photo" else "sendPhoto")
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    made = await telegram.sent("sendPhoto", 1 if kind == "photo" else 2)
    assert all(each["has_spoiler"] for each in made)
    if kind == "photo":
        await telegram.tap(answer, texts.STICKER, original=message)
        hidden = (await telegram.sent("sendPhoto", 2))[1]
        assert hidden["has_spoiler"]
        assert await telegram.count("sendSticker") == 0
