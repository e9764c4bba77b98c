"""A day of a busy group in a minute: a thousand updates of all shapes, made out of the Bot API's description."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from tests.bots.telegram.server import Call, TelegramServer, chat_of, entities_of, served, telegram_server, user
from tests.contracts.telegram import need_contract
from tests.contracts.telegram_samples import Samples

GROUP, SUPERGROUP, CHANNEL = -5, -1001111111111, -1002222222222
UPDATES = 1000
_CHANNEL = {"id": CHANNEL, "type": "channel", "title": "News"}
_ENVELOPE = frozenset(
    (
        *("message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count"),
        *("sender_business_bot", "sender_tag", "date", "guest_query_id", "business_connection_id", "chat"),
        *("forward_origin", "is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote"),
        *("reply_to_story", "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot", "edit_date"),
        *("guest_bot_caller_user", "guest_bot_caller_chat", "has_protected_content", "is_from_offline"),
        *("is_paid_post", "media_group_id", "author_signature", "paid_star_count", "entities", "caption"),
        *("caption_entities", "link_preview_options", "suggested_post_info", "effect_id", "reply_markup"),
        *("show_caption_above_media", "has_media_spoiler", "migrate_to_chat_id", "migrate_from_chat_id"),
    )
)
"""Fields of a message that are not its content, and those that would move the group away."""
_COMPANIONS = {"animation": "document", "live_photo": "photo", "venue": "location"}
_SAID = ("@telemelya_bot, what?", "(@telemelya_bot)", "/emoji", "/emoji@telemelya_bot", "/emoji_me")
_NOT_SAID = ("nice!", "@someone_else look", "/emoji@other_bot", "write to me@telemelya_bot.org", "😄😄")
_MAY_SPEAK = frozenset({"text", "photo", "video", "animation", "document", "audio", "voice", "live_photo"})
_WRITTEN = _MAY_SPEAK | {
    *("contact", "dice", "game", "poll", "venue", "location", "story", "checklist", "paid_media", "sticker"),
    *("rich_message", "video_note"),
}


class Day:
    """The updates of a day, and which messages speak to the bot."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._random = samples.random
        self.asked: set[tuple[int, int]] = set()
        self._numbers = iter(range(10_000, 10_000_000))
        told = need_contract().types
        self._contents = [each["name"] for each in told["Message"]["fields"] if each["name"] not in _ENVELOPE]
        self._kinds = [each["name"] for each in told["Update"]["fields"] if each["name"] != "update_id"]

    def updates(self) -> Iterator[dict[str, Any]]:
        """Yield updates: all kinds, all contents of messages, most in groups; albums and edits among them."""
        for content in self._contents:
            for chat in (GROUP, 7):
                yield {"message": self._message(content, chat)}
        for kind in self._kinds:
            yield {kind: self._of_kind(kind)}
        while True:
            dice = self._random.random()
            if dice < 0.1:
                yield from self._album()
            elif dice < 0.3:
                kind = self._random.choice(self._kinds)
                yield {kind: self._of_kind(kind)}
            else:
                content = self._random.choice(("text", "photo", *self._contents))
                yield {"message": self._message(content, self._random.choice((GROUP, GROUP, SUPERGROUP, 7)))}

    def _of_kind(self, kind: str) -> Any:
        if kind in ("message", "edited_message", "business_message", "edited_business_message", "guest_message"):
            return self._message(self._random.choice(self._contents), GROUP, may_speak=not kind.startswith("b"))
        if kind in ("channel_post", "edited_channel_post"):
            post = self._message(self._random.choice(("text", "photo", "video")), CHANNEL)
            del post["from"]
            return {**post, "sender_chat": _CHANNEL}
        if kind == "callback_query":
            data = self._random.choice(({"data": "nonsense"}, {"data": "c1:2:3"}, {"game_short_name": "g"}))
            old = self._random.choice(
                ({"chat": chat_of(GROUP), "message_id": 3, "date": 0}, self._message("text", 7, may_speak=False))
            )
            return {"id": str(next(self._numbers)), "from": user(7), "chat_instance": "1", "message": old, **data}
        return self._samples.field("Update", kind)

    def _message(self, content: str, chat: int, *, may_speak: bool = True) -> dict[str, Any]:
        number = next(self._numbers)
        message = {
            "message_id": number,
            "date": 1_760_000_000 + number,
            "from": user(self._random.choice((7, 8, 9)) if chat < 0 else chat),
            "chat": _CHANNEL if chat == CHANNEL else chat_of(chat),
            content: self._samples.field("Message", content),
        }
        if (companion := _COMPANIONS.get(content)) is not None:
            message[companion] = self._samples.field("Message", companion)
        if content in _MAY_SPEAK:
            self._say(message, content, speaks=may_speak and self._random.random() < 0.1)
        if content == "text" and self._random.random() < 0.1:
            message["reply_to_message"] = original = self._message("photo", chat, may_speak=False)
            if (chat, number) in self.asked:
                self.asked.add((chat, original["message_id"]))
        if self._random.random() < 0.1:
            message["forward_origin"] = self._samples.field("Message", "forward_origin")
        return message

    def _say(self, message: dict[str, Any], content: str, *, speaks: bool) -> None:
        said = self._random.choice(_SAID if speaks else _NOT_SAID)
        words, marked = ("text", "entities") if content == "text" else ("caption", "caption_entities")
        message[words] = said
        if entities := entities_of(said):
            message[marked] = entities
        if speaks:
            self.asked.add((message["chat"]["id"], message["message_id"]))

    def _album(self) -> Iterator[dict[str, Any]]:
        chat = self._random.choice((GROUP, GROUP, 7))
        group = str(next(self._numbers))
        album = [
            self._message(self._random.choice(("photo", "video")), chat, may_speak=number == 1) for number in range(3)
        ]
        if any((chat, message["message_id"]) in self.asked for message in album):
            self.asked |= {(chat, message["message_id"]) for message in album}
        for message in album:
            yield {"message": {**message, "media_group_id": group}}


@pytest.fixture
async def telegram(service: EmojiService) -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server, served(service, server, album_quiet_s=1.0):
        yield server


async def test_a_busy_day_leaves_no_error_and_no_help_where_nobody_asked(
    telegram: TelegramServer,
    selfie: bytes,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = {"photo": telegram.picture(selfie), "file_id": telegram.file(selfie)["file_id"], "file_size": 10_000}
    day = Day(Samples(need_contract(), 15, known))
    with caplog.at_level(logging.WARNING):
        private: dict[int, dict[str, Any]] = {}
        for _, update in zip(range(UPDATES), day.updates(), strict=False):
            await telegram.deliver(**update)
            message = update.get("message", {})
            if message.get("chat", {}).get("id") == 7:
                private[message["message_id"]] = message
        assert not telegram.violations
        await _quiet(telegram)
    logged = capsys.readouterr().out
    assert "Traceback" not in logged
    assert "error" not in logged
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    for call in telegram.requests:
        if call.method.startswith("send"):
            chat, number = int(call.fields["chat_id"]), json.loads(call.fields["reply_parameters"])["message_id"]
            if chat < 0:
                assert (chat, number) in day.asked, call
                assert call.fields.get("text") != texts.HELP
            else:
                assert _WRITTEN & set(private.get(number, {"text": ""})), call
    assert sum(call.method.startswith("send") for call in telegram.requests) > 50


async def _quiet(telegram: TelegramServer) -> None:
    """Wait until the door has nothing more to say."""
    seen = -1
    while not telegram.updates.empty() or seen != len(_said(telegram)):
        seen = len(_said(telegram))
        await asyncio.sleep(3)


def _said(telegram: TelegramServer) -> list[Call]:
    return [call for call in telegram.requests if not call.method.startswith("get")]
