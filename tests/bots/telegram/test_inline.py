"""What people are offered who type after the bot's name in any chat."""

from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from db import Person
from tests.bots.telegram.server import BAD_GATEWAY, Fault, Pack, TelegramServer, labels, user


def _kinds(answer: dict[str, Any]) -> list[str]:
    return [result["type"] for result in answer["results"]]


async def test_who_has_nothing_yet_is_asked_for_a_selfie(telegram: TelegramServer) -> None:
    answer = await telegram.ask_inline()
    assert answer["results"] == []
    assert texts.INLINE_START in answer["button"]
    assert (answer["is_personal"], answer["cache_time"]) == ("true", "0")


async def test_ones_own_stickers_and_last_emoji_are_offered_and_nobody_elses(
    telegram: TelegramServer, selfie: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    first, second = labels(answer)[0][:2]
    for number, label in enumerate((first, second), start=1):
        await telegram.tap(answer, label, original=message)
        await telegram.sent("editMessageText", number)
    await telegram.tap(answer, texts.STICKER, original=message)
    [sticker] = await telegram.sent("sendSticker")
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 3)  # the answer, the question about faces, and where the pack is
    offered = await telegram.ask_inline()
    [pack] = telegram.packs.values()
    assert offered["results"][0]["sticker_file_id"] == pack.stickers[0][0]["file_id"]
    assert offered["results"][1]["input_message_content"]["message_text"] == second
    assert "button" not in offered
    assert (await telegram.ask_inline(person=8))["results"] == []
    await telegram.send(text="/forget_me")
    question = (await telegram.sent("sendMessage", 4))[3]
    await telegram.tap(question, texts.FORGET_YES)
    await telegram.sent("editMessageText", 3)
    assert (await telegram.ask_inline())["results"] == []


@pytest.fixture
def recent(service: EmojiService, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the emoji that everybody chose last."""
    emoji: list[str] = []

    async def recent_emoji(_person: Person, most: int) -> tuple[str, ...]:
        return tuple(emoji[:most])

    monkeypatch.setattr(service, "recent_emoji", recent_emoji)
    return emoji


def _fill(telegram: TelegramServer, name: str, count: int) -> list[str]:
    """Give a person a pack; return its files, the newest first."""
    facts = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": "😄"}
    pack = telegram.packs[name] = Pack(7, "mine")
    for _ in range(count):
        pack.stickers.append(({**telegram.file(b""), **facts}, b""))
    return [sticker["file_id"] for sticker, _ in reversed(pack.stickers)]


@pytest.fixture
async def name(telegram: TelegramServer, selfie: bytes) -> str:
    """Return the name of a person's pack."""
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.STICKER, original=message)
    [sticker] = await telegram.sent("sendSticker")
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 2)
    return next(iter(telegram.packs))


async def test_a_full_pack_comes_in_pages_the_newest_first(
    telegram: TelegramServer, recent: list[str], name: str
) -> None:
    recent += ["😁", "😎"]
    files = _fill(telegram, name, 120)
    offset, shown = "", []
    for _ in range(3):
        answer = await telegram.ask_inline(offset=offset)
        shown += answer["results"]
        assert len(answer["results"]) <= 50
        offset = answer["next_offset"]
    assert offset == ""
    assert [each["sticker_file_id"] for each in shown[:120]] == files
    assert [each["title"] for each in shown[120:]] == ["😁", "😎"]
    assert len({each["id"] for each in shown}) == 122


@pytest.mark.parametrize("offset", ["-1", "x", "²", "9" * 5000, "200"])
async def test_an_offset_that_leads_nowhere_does_no_harm(
    telegram: TelegramServer, recent: list[str], offset: str
) -> None:
    recent += ["😁"]
    answer = await telegram.ask_inline(offset=offset)
    assert answer["next_offset"] == ""


async def test_words_choose_by_emoji_or_by_name(telegram: TelegramServer, recent: list[str], name: str) -> None:
    recent += ["😁", "😎"]
    _fill(telegram, name, 1)
    assert _kinds(await telegram.ask_inline("😎")) == ["article"]
    assert [each["title"] for each in (await telegram.ask_inline(" Sunglasses "))["results"]] == ["😎"]
    assert _kinds(await telegram.ask_inline("😄")) == ["sticker"]
    nothing = await telegram.ask_inline("no such emoji")
    assert nothing["results"] == []
    assert "button" not in nothing


async def test_without_the_pack_there_are_still_the_emoji(telegram: TelegramServer, recent: list[str]) -> None:
    recent += ["😁"]
    for fault in (BAD_GATEWAY, Fault(429, "Too Many Requests: retry after 30", {"retry_after": 30})):
        telegram.fail("getStickerSet", fault)
        assert _kinds(await telegram.ask_inline()) == ["article"]


async def test_a_query_that_is_too_old_leaves_no_error(
    telegram: TelegramServer, recent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    telegram.fail("answerInlineQuery", Fault(400, "Bad Request: query is too old and response timeout expired"))
    await telegram.deliver(inline_query={"id": "1", "from": user(7), "query": "", "offset": ""})
    await telegram.until(lambda: telegram.called("answerInlineQuery"))
    await telegram.ask_inline()
    assert "error" not in capsys.readouterr().out
