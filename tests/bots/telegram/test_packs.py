"""A sticker pack for each person."""

import hashlib
import hmac
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.languages import speak
from db import Person, Platform, Preferences, Store
from tests.bots.telegram.server import BAD_GATEWAY, DROPPED, TOKEN, Fault, TelegramServer, labels, user
from tests.rows import count_rows

_NAME = f"mugmoji_{hmac.new(TOKEN.encode(), b'7', hashlib.sha256).hexdigest()[:16]}_by_telemelya_bot"
_LINK = f"https://t.me/addstickers/{_NAME}"
_FOR_ALL = texts.PACK_ADDED.format(link=_LINK)


async def _sticker(telegram: TelegramServer, photo: bytes, **where: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a message with a photo, and the sticker that the bot made of it."""
    before = await telegram.count("sendSticker"), await telegram.count("sendMessage")
    message = await telegram.send(photo=telegram.picture(photo), **where)
    answer = (await telegram.sent("sendMessage", before[1] + 1))[-1]
    language = {"language": where["language"]} if "language" in where else {}
    await telegram.tap(answer, speak(where.get("language", "en")).say(texts.STICKER), original=message, **language)
    return message, (await telegram.sent("sendSticker", before[0] + 1))[-1]


async def test_a_sticker_goes_into_a_pack_of_ones_own_once(telegram: TelegramServer, selfie: bytes) -> None:
    message, sticker = await _sticker(telegram, selfie)
    assert labels(sticker)[0] == [texts.PACK_ADD]
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    answers = await telegram.sent("sendMessage", 2)
    assert answers[-1]["text"] == _FOR_ALL
    [pack] = telegram.packs.values()
    assert (pack.owner, pack.title, len(pack.stickers)) == (7, texts.PACK_TITLE, 1)
    assert pack.stickers[0][1][8:12] == b"WEBP"
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 3)
    assert len(pack.stickers) == 1  # the same one
    assert await telegram.count("sendSticker") == 1


async def test_a_sticker_without_its_emoji_is_another_one_and_goes_into_the_pack_as_it_is(
    telegram: TelegramServer, selfie: bytes
) -> None:
    message, sticker = await _sticker(telegram, selfie)
    await telegram.tap(sticker, texts.STICKER_EMOJI["NONE"], original=message)
    bare = (await telegram.sent("sendSticker", 2))[-1]
    assert bare["reply_parameters"]["message_id"] == message["message_id"]
    content = telegram.made[bare["message_id"]]
    assert content != telegram.made[sticker["message_id"]]
    await telegram.tap(bare, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 2)
    [pack] = telegram.packs.values()
    assert [each[1] for each in pack.stickers] == [content]


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ({"type": "user", "sender_user": user(7), "date": 1}, True),
        ({"type": "user", "sender_user": user(8), "date": 1}, False),
        ({"type": "hidden_user", "sender_user_name": "Bert", "date": 1}, False),
    ],
)
async def test_the_head_in_a_photo_that_somebody_else_sent_first_stays_covered(
    telegram: TelegramServer, selfie: bytes, origin: dict[str, Any], is_own: bool
) -> None:
    _, sticker = await _sticker(telegram, selfie, forward_origin=origin)
    assert (texts.STICKER_EMOJI["NONE"] in [label for row in labels(sticker) for label in row]) == is_own


async def test_an_avatar_goes_into_the_pack_as_it_was_sent(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    await store.set_preferences(Person(Platform.TELEGRAM, "7"), Preferences(hair="bun"))
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.AVATAR, original=message)
    [avatar] = await telegram.sent("sendSticker")
    await store.set_preferences(Person(Platform.TELEGRAM, "7"), Preferences(hair="afro"))
    await telegram.tap(avatar, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 2)
    assert [each[1] for each in telegram.packs[_NAME].stickers] == [telegram.made[avatar["message_id"]]]


async def test_a_pack_has_its_title_in_the_language_of_its_owner(telegram: TelegramServer, selfie: bytes) -> None:
    message, sticker = await _sticker(telegram, selfie, language="de")
    await telegram.tap(sticker, labels(sticker)[0][0], original=message, language="de")
    await telegram.sent("sendMessage", 2)
    assert telegram.packs[_NAME].title == speak("de").say(texts.PACK_TITLE)


async def test_in_a_group_only_who_taps_is_told_where_the_pack_is(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(text="/start")
    await telegram.sent("sendMessage")
    message, sticker = await _sticker(telegram, selfie, chat=-5, caption="/emoji")
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    notices = await telegram.sent("answerCallbackQuery", 2)
    assert notices[-1]["text"] == _FOR_ALL
    assert await telegram.count("sendMessage") == 2


async def test_who_never_wrote_to_the_bot_is_told_to_do_so(telegram: TelegramServer, selfie: bytes) -> None:
    message, sticker = await _sticker(telegram, selfie, chat=-5, caption="/emoji")
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    notices = await telegram.sent("answerCallbackQuery", 2)
    assert notices[-1]["text"] == texts.PACK_START
    assert not telegram.packs


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(400, "Bad Request: STICKERS_TOO_MUCH"), texts.PACK_FULL),
        (Fault(400, "Bad Request: USER_IS_BOT"), texts.PACK_START),
        (Fault(403, "Forbidden: bot can't initiate conversation with a user"), texts.PACK_START),
        (Fault(400, "Bad Request: STICKER_PNG_DIMENSIONS"), texts.FAILED),
        (Fault(429, "Too Many Requests: retry after 400", {"retry_after": 400}), texts.FAILED),
    ],
    ids=str,
)
async def test_a_refusal_says_what_to_do(telegram: TelegramServer, selfie: bytes, fault: Fault, sentence: str) -> None:
    message, sticker = await _sticker(telegram, selfie)
    telegram.fail("addStickerToSet", fault)
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    notices = await telegram.sent("answerCallbackQuery", 2)
    assert notices[-1]["text"] == sentence


@pytest.mark.parametrize("method", ["addStickerToSet", "createNewStickerSet"])
@pytest.mark.parametrize("fault", [BAD_GATEWAY, DROPPED, Fault(is_done=True)], ids=str)
async def test_over_a_bad_connection_a_sticker_is_added_once(
    telegram: TelegramServer, selfie: bytes, method: str, fault: Fault
) -> None:
    message, sticker = await _sticker(telegram, selfie)
    telegram.fail(method, fault)
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    assert (await telegram.sent("sendMessage", 2))[-1]["text"] == _FOR_ALL
    assert len(telegram.packs[_NAME].stickers) == 1


async def test_quick_taps_make_one_pack(telegram: TelegramServer, selfie: bytes) -> None:
    made = [await _sticker(telegram, selfie), await _sticker(telegram, selfie)]
    telegram.fail("addStickerToSet", Fault(400, "Bad Request: STICKERSET_INVALID", delay_s=0.3))
    for message, sticker in made:
        await telegram.tap(sticker, texts.PACK_ADD, original=message)
    answers = await telegram.sent("sendMessage", 4)
    assert [answer["text"] for answer in answers[2:]] == [_FOR_ALL] * 2
    assert len(telegram.called("createNewStickerSet")) == 1


async def test_a_sticker_of_a_hidden_photo_is_no_sticker_and_offers_no_pack(
    telegram: TelegramServer, selfie: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(selfie), has_media_spoiler=True)
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.STICKER, original=message)
    [made] = await telegram.sent("sendPhoto")
    assert made["has_spoiler"]
    assert texts.PACK_ADD not in [label for row in labels(made) for label in row]


async def test_forget_me_removes_the_pack(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    message, sticker = await _sticker(telegram, selfie)
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    await telegram.sent("sendMessage", 2)
    await telegram.send(person=8, text="/forget_me")
    of_another = (await telegram.sent("sendMessage", 3))[2]
    await telegram.tap(of_another, texts.FORGET_YES)
    await telegram.tap(of_another, texts.FORGET_YES, person=8)
    await telegram.sent("editMessageText")
    assert list(telegram.packs) == [_NAME]
    assert await count_rows(store, "people") == 1
    await telegram.send(text="/forget_me")
    await telegram.tap((await telegram.sent("sendMessage", 4))[3], texts.FORGET_YES)
    assert (await telegram.sent("editMessageText", 2))[-1]["text"] == texts.FORGOTTEN
    assert not telegram.packs
    assert await count_rows(store, "people") == 0


async def test_where_the_pack_cannot_be_removed_the_rest_is_and_the_answer_does_not_say_otherwise(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.sent("sendMessage")
    telegram.fail("deleteStickerSet", Fault(400, "Bad Request: something else"))
    await telegram.send(text="/forget_me")
    question = (await telegram.sent("sendMessage", 2))[-1]
    await telegram.tap(question, texts.FORGET_YES)
    [failed] = await telegram.sent("editMessageText")
    assert failed["text"] == texts.FAILED
    assert await count_rows(store, "people") == 0
    await telegram.tap(failed, texts.FORGET_YES)  # once more
    assert (await telegram.sent("editMessageText", 2))[-1]["text"] == texts.NOTHING_TO_FORGET


async def test_an_anonymous_administrator_has_no_pack_to_forget(telegram: TelegramServer) -> None:
    group = {"id": -5, "type": "group", "title": "G"}
    telegram.statuses[-5, 7] = "administrator"
    await telegram.send(chat=-5, text="/forget_me", sender_chat=group)
    await telegram.tap((await telegram.sent("sendMessage"))[0], texts.FORGET_YES)
    assert (await telegram.sent("editMessageText"))[0]["text"] == texts.NOTHING_TO_FORGET
    assert not telegram.called("deleteStickerSet")


async def test_no_line_of_the_log_names_a_person_or_a_pack(
    telegram: TelegramServer, selfie: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    message, sticker = await _sticker(telegram, selfie)
    telegram.fail("addStickerToSet", Fault(400, "Bad Request: STICKER_PNG_DIMENSIONS"))
    await telegram.tap(sticker, texts.PACK_ADD, original=message)
    await telegram.sent("answerCallbackQuery", 2)
    assert _NAME not in capsys.readouterr().out


def test_a_name_fits_telegrams_limits_for_the_longest_user_name() -> None:
    assert len(_NAME.replace("telemelya_bot", "x" * 32)) <= 64
