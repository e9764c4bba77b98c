"""The real python-telegram-bot against a Bot API server on loopback."""

import asyncio
import itertools
import threading
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from telegram.constants import ReactionEmoji

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.emoji_variants import Appearance, Presentation, SkinTone, variant_of
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.reactions import ALLOWED_REACTIONS, reaction_for
from db import Person, Platform, Preferences, Store
from recognizer import Recognizer
from recognizer.emoji_map import without_selector
from tests.bots.telegram.server import TOKEN, TelegramServer, labels, served, telegram_server
from tests.rows import count_rows
from tests.waiting import PATIENCE_S

_IN_TOPIC: dict[str, Any] = {"message_thread_id": 9, "is_topic_message": True}
_HELP = f"{texts.HELP}\n{texts.OPENMOJI}"


async def test_a_selfie_gets_a_reaction_and_candidates(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    assert labels(answer)[0][0] in answer["text"]
    assert len(labels(answer)[0]) == 3
    assert labels(answer)[1:] == [[texts.MORE, texts.NONE_FITS], [texts.EMOJI_ME, texts.STICKER]]
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions == [(7, message["message_id"], "😁")]


async def test_a_refused_reaction_still_leaves_the_answer(telegram: TelegramServer, selfie: bytes) -> None:
    telegram.forbidden_reactions.add("😁")
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.send(text="/help")
    answers = await telegram.sent("sendMessage", 2)
    assert any("You look happy" in answer["text"] for answer in answers)
    assert not telegram.reactions


async def test_an_album_is_answered_once(telegram: TelegramServer, selfie: bytes, wall_photo: bytes) -> None:
    for picture in (selfie, wall_photo, selfie):
        await telegram.send(photo=telegram.picture(picture), media_group_id="holiday")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"].splitlines()[1].endswith(texts.NO_FACE)
    await telegram.until(lambda: telegram.reactions)
    await telegram.send(text="/help")
    _, answer = await telegram.sent("sendMessage", 2)
    assert answer["text"] == _HELP  # and no second one came before it
    assert len(telegram.reactions) == 1  # that of the album


async def test_an_image_document_is_read(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(document={**telegram.file(selfie), "mime_type": "image/jpeg", "file_name": "me.jpg"})
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_a_video_note_is_read(telegram: TelegramServer, video_note: bytes) -> None:
    await telegram.send(video_note={**telegram.file(video_note), "length": 384, "duration": 2})
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]


async def test_a_file_over_20_mb_is_refused_without_a_download(telegram: TelegramServer) -> None:
    document = {"file_id": "x", "file_unique_id": "x", "file_size": 21 * 2**20, "mime_type": "image/png"}
    await telegram.send(document=document)
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.FILE_TOO_LARGE


async def test_a_lost_file_gets_a_sentence(telegram: TelegramServer) -> None:
    await telegram.send(document={"file_id": "gone", "file_unique_id": "gone", "mime_type": "image/png"})
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.DOWNLOAD_FAILED


async def test_a_broken_picture_gets_a_sentence_and_the_next_an_answer(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie[: len(selfie) // 2]))
    [first] = await telegram.sent("sendMessage")
    assert "damaged" in first["text"]
    await telegram.send(photo=telegram.picture(selfie))
    second = (await telegram.sent("sendMessage", 2))[1]
    assert "You look happy" in second["text"]


async def test_a_photo_without_a_face_gets_a_hint_and_no_reaction(telegram: TelegramServer, wall_photo: bytes) -> None:
    await telegram.send(photo=telegram.picture(wall_photo))
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.NO_FACE
    assert answer["reply_markup"] is None
    assert not telegram.reactions


async def test_a_group_photo_is_answered_by_one_picture_of_its_numbered_faces(
    telegram: TelegramServer, group_photo: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendPhoto")
    assert "1. " in answer["caption"]
    assert "2. " in answer["caption"]
    assert [row[0][:2] for row in labels(answer)[:-1]] == ["1 ", "2 "]
    assert labels(answer)[-1] == [texts.EMOJI_ME, texts.BLUR]
    assert answer["reply_parameters"]["message_id"] == message["message_id"]
    assert answer["file_name"].endswith(".jpg")
    assert _pixels(telegram.made[answer["message_id"]]).shape == (400, 700, 3)
    await telegram.until(lambda: telegram.reactions)
    assert await telegram.count("sendMessage") == 0


async def test_taps_on_the_answer_to_a_group_photo_change_its_buttons_only(
    telegram: TelegramServer, store: Store, group_photo: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendPhoto")
    first = labels(answer)[1][0]
    await telegram.tap(answer, first, original=message)
    [edited] = await telegram.sent("editMessageReplyMarkup")
    assert labels(edited)[1][0] == f"✓ {first}"
    assert await telegram.count("editMessageText") == 0
    assert await count_rows(store, "taps") == 1


async def test_where_pictures_are_forbidden_a_group_photo_is_answered_in_words(
    telegram: TelegramServer, group_photo: bytes
) -> None:
    telegram.forbids_pictures = True
    message = await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendMessage")
    assert "2. " in answer["text"]
    assert [row[0][:2] for row in labels(answer)[:-1]] == ["1 ", "2 "]
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.FAILED


async def test_a_caption_that_is_too_long_is_cut_between_words(
    telegram: TelegramServer, group_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bots.conversation.answers._numbered", lambda *_: "1. 😄 (someone)  " * 90
    )  # Telegram counts 😄 as two
    await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendPhoto")
    assert 1000 < len(answer["caption"].encode("utf-16-le")) / 2 <= 1024
    assert answer["caption"].endswith((" (someone)…", " 1.…", " 😄…"))
    assert labels(answer)[-1] == [texts.EMOJI_ME, texts.BLUR]


async def test_emoji_me_sends_the_photo_with_its_faces_covered(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    [made] = await telegram.sent("sendPhoto")
    assert made["caption"] == texts.EMOJI_ME_MADE
    assert made["reply_markup"] is None
    assert made["reply_parameters"]["message_id"] == message["message_id"]
    _assert_covered(telegram.made[made["message_id"]], selfie)
    assert await telegram.count("editMessageText") == await telegram.count("editMessageReplyMarkup") == 0


async def test_emoji_me_covers_everyone_in_a_group_photo(telegram: TelegramServer, group_photo: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendPhoto")
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    made = (await telegram.sent("sendPhoto", 2))[1]
    _assert_covered(telegram.made[made["message_id"]], group_photo)


async def test_a_sticker_is_a_transparent_webp_of_512_pixels(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.STICKER, original=message)
    [made] = await telegram.sent("sendSticker")
    content = telegram.made[made["message_id"]]
    assert made["file_name"].endswith(".webp")
    assert (content[:4], content[8:12]) == (b"RIFF", b"WEBP")
    pixels = _pixels(content)
    assert pixels.shape == (512, 512, 4)
    assert pixels[0, 0, 3] == 0
    assert pixels[196, 256, 3] == 255
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.STICKER_MADE
    assert made["reply_parameters"]["message_id"] == message["message_id"]


@pytest.mark.parametrize("button", [texts.EMOJI_ME, texts.STICKER])
async def test_a_deleted_photo_makes_no_picture_and_says_so(
    telegram: TelegramServer, selfie: bytes, button: str
) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, button, original=None)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.PHOTO_GONE
    assert not telegram.made


async def test_a_photo_whose_file_is_gone_says_so(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    telegram.files.clear()
    await telegram.tap(answer, texts.EMOJI_ME, original=message)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.PHOTO_GONE


async def test_in_a_topic_a_deleted_photo_says_so_and_its_first_message_is_left_alone(
    telegram: TelegramServer, selfie: bytes
) -> None:
    photo = await telegram.send(chat=-5, photo=telegram.picture(selfie), caption="/emoji", **_IN_TOPIC)
    [answer] = await telegram.sent("sendMessage")
    assert answer["raw"]["message_thread_id"] == 9
    await telegram.until(lambda: telegram.reactions)
    created = {"name": "selfies", "icon_color": 0}
    opening = {**photo, "message_id": 9, "forum_topic_created": created}
    for key in ("photo", "caption"):
        opening.pop(key)
    await telegram.tap(answer, texts.EMOJI_ME, original=opening, **_IN_TOPIC)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.PHOTO_GONE
    await telegram.tap(answer, labels(answer)[0][1], original=opening, **_IN_TOPIC)
    await telegram.sent("answerCallbackQuery", 2)
    await telegram.sent("editMessageText")
    assert [reaction[1] for reaction in telegram.reactions] == [photo["message_id"]]


async def test_in_a_topic_a_picture_comes_in_the_topic(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(chat=-5, photo=telegram.picture(selfie), caption="/emoji", **_IN_TOPIC)
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.EMOJI_ME, original=photo, **_IN_TOPIC)
    [made] = await telegram.sent("sendPhoto")
    assert (made["chat_id"], made["message_thread_id"]) == (-5, "9")


async def test_an_album_offers_no_pictures(telegram: TelegramServer, selfie: bytes, group_photo: bytes) -> None:
    for picture in (selfie, group_photo):
        await telegram.send(photo=telegram.picture(picture), media_group_id="holiday")
    [answer] = await telegram.sent("sendMessage")
    assert [row[0][:2] for row in labels(answer)] == ["1 ", "2 ", "3 "]
    assert not telegram.made


async def test_emoji_me_as_a_reply_to_a_photo_covers_its_faces(telegram: TelegramServer, group_photo: bytes) -> None:
    photo = await telegram.send(chat=-5, photo=telegram.picture(group_photo))
    await telegram.send(person=8, chat=-5, text="/emoji_me", reply_to_message=photo)
    [made] = await telegram.sent("sendPhoto")
    assert made["chat_id"] == -5
    assert made["caption"] == texts.EMOJI_ME_MADE
    _assert_covered(telegram.made[made["message_id"]], group_photo)


async def test_emoji_me_says_what_is_the_matter(telegram: TelegramServer, wall_photo: bytes, selfie: bytes) -> None:
    large = {"file_id": "x", "file_unique_id": "x", "file_size": 21 * 2**20, "mime_type": "image/png"}
    lost = {"file_id": "gone", "file_unique_id": "gone", "mime_type": "image/png"}
    pictures: list[tuple[dict[str, Any] | None, str]] = [
        (None, texts.NO_PHOTO_IN_REPLY.format(command="/emoji_me")),
        ({"text": "no photo"}, texts.NO_PHOTO_IN_REPLY.format(command="/emoji_me")),
        ({"document": large}, texts.FILE_TOO_LARGE),
        ({"document": lost}, texts.DOWNLOAD_FAILED),
        ({"photo": telegram.picture(wall_photo)}, texts.NO_FACE),
        ({"photo": telegram.picture(b"%PDF")}, texts.PHOTO_PROBLEMS["not_a_picture"]),
    ]
    for number, (content, sentence) in enumerate(pictures, start=1):
        original = None if content is None else await telegram.send(chat=-5, **content)
        await telegram.send(chat=-5, text="/emoji_me", reply_to_message=original)
        assert (await telegram.sent("sendMessage", number))[-1]["text"] == sentence
    telegram.forbids_pictures = True
    original = await telegram.send(chat=-5, photo=telegram.picture(selfie))
    await telegram.send(chat=-5, text="/emoji_me", reply_to_message=original)
    assert (await telegram.sent("sendMessage", len(pictures) + 1))[-1]["text"] == texts.FAILED


@pytest.mark.parametrize("is_deleted_by_hand", [False, True])
async def test_a_group_photo_that_had_to_wait_is_answered_in_place_of_the_word_about_it(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, group_photo: bytes, is_deleted_by_hand: bool
) -> None:
    pool, busy = InferencePool(workers=1, waiting=0), threading.Event()
    working = asyncio.create_task(pool.run(busy.wait))
    async with telegram_server() as server, served(EmojiService(recognizer, store, pool, picture_maker), server):
        server.forbids_deletion = is_deleted_by_hand  # Telegram finds nothing to delete
        await server.send(photo=server.picture(group_photo))
        [word] = await server.sent("sendMessage")
        assert word["text"] == texts.BUSY.one.format(count=1)
        busy.set()
        [answer] = await server.sent("sendPhoto")
        assert "2. " in answer["caption"]
        if not is_deleted_by_hand:
            [deleted] = await server.sent("deleteMessage")
            assert deleted["message_id"] == word["message_id"]
        assert await server.count("sendMessage") == 1
    await working
    pool.close()


async def test_a_selfie_that_had_to_wait_is_answered_in_the_same_message(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, selfie: bytes
) -> None:
    pool, busy = InferencePool(workers=1, waiting=0), threading.Event()
    working = asyncio.create_task(pool.run(busy.wait))
    async with telegram_server() as server, served(EmojiService(recognizer, store, pool, picture_maker), server):
        await server.send(photo=server.picture(selfie))
        [word] = await server.sent("sendMessage")
        busy.set()
        [answer] = await server.sent("editMessageText")
        assert answer["message_id"] == word["message_id"]
        assert "You look happy" in answer["text"]
        assert await server.count("deleteMessage") == 0
    await working
    pool.close()


async def test_a_tap_is_kept_and_a_second_one_corrects_it(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    first, second = labels(answer)[0][:2]
    await telegram.tap(answer, first, original=message)
    [edited] = await telegram.sent("editMessageText")
    assert labels(edited)[0][0] == f"✓ {first}"
    await telegram.tap(edited, second, original=message)
    edited = (await telegram.sent("editMessageText", 2))[1]
    assert labels(edited)[0][:2] == [first, f"✓ {second}"]
    assert edited["text"] == texts.CORRECTED.format(emoji=second)
    assert await count_rows(store, "taps") == 2


async def test_more_shows_more_and_back_goes_back(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.MORE)
    [more] = await telegram.sent("editMessageReplyMarkup")
    assert sum(map(len, labels(more))) > 20
    await telegram.tap(more, texts.BACK)
    back = (await telegram.sent("editMessageReplyMarkup", 2))[1]
    assert labels(back) == labels(answer)


async def test_none_of_these_asks_for_the_emotion(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.NONE_FITS)
    [asked] = await telegram.sent("editMessageReplyMarkup")
    await telegram.tap(asked, "surprised")
    notices = await telegram.sent("answerCallbackQuery", 2)
    assert notices[1]["text"] == texts.EMOTION_KEPT.format(feeling="surprised")
    assert await count_rows(store, "taps") == 2


async def test_a_tap_by_someone_else_is_refused(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, labels(answer)[0][0], person=8)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.NOT_YOURS
    assert await count_rows(store, "taps") == 0


async def test_in_a_group_a_photo_is_left_alone(telegram: TelegramServer, selfie: bytes) -> None:
    await telegram.send(chat=-5, photo=telegram.picture(selfie))
    await telegram.send(text="/start")
    answers = await telegram.sent("sendMessage")
    assert [answer["text"] for answer in answers] == [texts.START]


async def test_emoji_as_a_reply_to_a_photo_answers_it(telegram: TelegramServer, selfie: bytes) -> None:
    photo = await telegram.send(chat=-5, photo=telegram.picture(selfie))
    await telegram.send(person=8, chat=-5, text="/emoji", reply_to_message=photo)
    [answer] = await telegram.sent("sendMessage")
    assert "You look happy" in answer["text"]
    await telegram.until(lambda: telegram.reactions)
    assert telegram.reactions[0][1] == photo["message_id"]


async def test_emoji_without_a_photo_says_what_to_do(telegram: TelegramServer) -> None:
    await telegram.send(text="/emoji")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.NO_PHOTO_IN_REPLY.format(command="/emoji")


async def test_forget_me_deletes_what_is_known(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.sent("sendMessage")
    assert await count_rows(store, "readings") == 1
    await telegram.send(text="/forget_me")
    question = (await telegram.sent("sendMessage", 2))[1]
    assert question["text"] == texts.FORGET_ASKS
    assert await count_rows(store, "readings") == 1
    await telegram.tap(question, texts.FORGET_YES)
    [answer] = await telegram.sent("editMessageText")
    assert answer["text"] == texts.FORGOTTEN
    assert [await count_rows(store, table) for table in ("people", "chats", "photos", "readings", "taps")] == [0] * 5


async def test_people_are_answered_in_the_language_of_their_app(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie), language="pt-br")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"].endswith("Seu rosto mostra alegria. Qual emoji combina mais?")
    await telegram.tap(answer, labels(answer)[0][0], original=message, language="pt-br")
    [edited] = await telegram.sent("editMessageText")
    assert edited["text"].endswith("Valeu!")


async def test_the_adapters_own_sentences_are_in_the_language_of_the_person_who_asks(telegram: TelegramServer) -> None:
    await telegram.send(text="/emoji", language="ru")
    await telegram.send(document={"file_id": "x", "file_unique_id": "x", "mime_type": "image/png"}, language="hi")
    await telegram.send(text="hello?", language="tlh")
    answers = {answer["text"] for answer in await telegram.sent("sendMessage", 3)}
    said = {speak("ru").say(texts.NO_PHOTO_IN_REPLY, command="/emoji"), speak("hi").say(texts.DOWNLOAD_FAILED), _HELP}
    assert answers == said


async def test_a_language_set_in_settings_is_spoken_from_then_on(telegram: TelegramServer, store: Store) -> None:
    await telegram.send(text="/settings")
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.LANGUAGE)
    [asked] = await telegram.sent("editMessageText")
    await telegram.tap(asked, OWN_NAMES["ar"])
    shown = (await telegram.sent("editMessageText", 2))[1]
    assert OWN_NAMES["ar"] in shown["text"]
    assert await store.preferences(Person(Platform.TELEGRAM, "7")) == Preferences(language="ar")
    await telegram.send(text="/start")
    assert (await telegram.sent("sendMessage", 2))[1]["text"] == speak("ar").say(texts.START)


async def test_commands_are_listed_in_every_language(telegram: TelegramServer) -> None:
    await telegram.until(lambda: len(telegram.commands) == len(OWN_NAMES))
    assert set(telegram.commands) == {"", *OWN_NAMES} - {"en"}
    assert telegram.commands[""]["settings"] == texts.COMMANDS["settings"]
    assert telegram.commands["de"]["help"] == "Was ich kann"
    assert list(telegram.commands["zh"]) == [
        "emoji",
        "emoji_me",
        *(each for each in texts.COMMANDS if each != "chat_settings"),
    ]


async def test_a_reaction_is_dressed_only_where_telegram_allows_it(
    telegram: TelegramServer, store: Store, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.set_preferences(Person(Platform.TELEGRAM, "7"), Preferences(skin_tone="dark", presentation="woman"))
    for mood, reaction in (("👍", "👍"), ("🤷", "🤷"), ("😁", "😁")):
        monkeypatch.setattr("bots.conversation.photo_answers.reaction", lambda *_, mood=mood: mood)
        message = await telegram.send(photo=telegram.picture(selfie))
        await telegram.until(partial(_reacted_last_to, telegram, message))
        assert telegram.reactions[-1][2] == reaction
    await store.set_preferences(Person(Platform.TELEGRAM, "7"), Preferences(presentation="man"))
    monkeypatch.setattr("bots.conversation.photo_answers.reaction", lambda *_: "🤷")
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.until(lambda: len(telegram.reactions) == 4)
    assert telegram.reactions[-1][2] == "🤷\u200d♂"


def _reacted_last_to(telegram: TelegramServer, message: dict[str, Any]) -> bool:
    return bool(telegram.reactions) and telegram.reactions[-1][1] == message["message_id"]


_ALL_APPEARANCES = [Appearance(*each) for each in itertools.product((None, *SkinTone), (None, *Presentation))]


@pytest.mark.parametrize("appearance", _ALL_APPEARANCES, ids=str)
def test_a_reaction_is_one_that_telegram_allows_in_any_appearance(
    recognizer: Recognizer, appearance: Appearance
) -> None:
    emoji_map = recognizer.emoji_map
    for emoji in (*emoji_map.emoji, *ALLOWED_REACTIONS):
        assert reaction_for(variant_of(emoji, appearance)) in {None, *ALLOWED_REACTIONS}
    for emoji, may in zip(emoji_map.emoji, emoji_map.may_react("telegram"), strict=True):
        assert not may or reaction_for(variant_of(emoji, appearance)) is not None


@pytest.mark.parametrize(
    ("emoji", "reaction"),
    [
        ("❤️", ReactionEmoji.RED_HEART),
        ("❤", ReactionEmoji.RED_HEART),
        ("❤\u200d🔥", ReactionEmoji.HEART_ON_FIRE),
        ("❤️\u200d🔥", ReactionEmoji.HEART_ON_FIRE),
        ("👍🏿", ReactionEmoji.THUMBS_UP),
        ("🤷🏿\u200d♂️", ReactionEmoji.SHRUG),
        ("😄", None),
        ("", None),
        ("no emoji", None),
    ],
)
def test_reactions_are_spelled_as_telegram_spells_them(emoji: str, reaction: ReactionEmoji | None) -> None:
    assert reaction_for(emoji) == (reaction and without_selector(reaction.value))


async def test_a_wrong_token_is_one_sentence_without_the_token(service: EmojiService) -> None:
    async with telegram_server() as server:
        wrong = "987654321:AAthisIsNotTheTokenOfAnyBotAtAll0000"
        with pytest.raises(AdapterError, match="TELEGRAM_TOKEN") as refusal:
            await TelegramAdapter(service, wrong, api_url=server.url).run()
        assert wrong not in str(refusal.value)


async def test_a_token_that_is_revoked_while_it_runs_ends_the_adapter_with_a_sentence(service: EmojiService) -> None:
    async with telegram_server() as server:
        running = asyncio.create_task(TelegramAdapter(service, TOKEN, api_url=server.url).run())
        await server.send(text="/start")
        await server.sent("sendMessage")
        server.token_is_revoked = True
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(AdapterError, match="TELEGRAM_TOKEN"):
                await running


async def test_an_adapter_that_was_ended_can_be_run_again(service: EmojiService) -> None:
    async with telegram_server() as server:
        adapter = TelegramAdapter(service, TOKEN, api_url=server.url)
        for count in (1, 2):
            running = asyncio.create_task(adapter.run())
            await server.send(text="/start")
            await server.sent("sendMessage", count)
            running.cancel()
            await asyncio.wait({running})


def _pixels(content: bytes) -> NDArray[np.uint8]:
    """Return a picture's pixels, RGB, or as OpenCV reads them if they have alpha."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return (decoded if decoded.shape[2] == 4 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)).astype(np.uint8)


def _assert_covered(made: bytes, photo: bytes) -> None:
    """Check that the picture equals the photo except for the faces."""
    assert made.startswith(b"\xff\xd8")
    before, after = _pixels(photo).astype(int), _pixels(made).astype(int)
    assert before.shape == after.shape
    change = np.abs(before - after).mean(axis=2)
    assert change[-20:, -20:].mean() < 5
    boxes = [face.box for face in Recognizer.load().read(photo).faces]
    assert boxes
    for box in boxes:
        x, y, side = round(box.x), round(box.y), round(box.width)
        assert change[y : y + side, x : x + side].mean() > 30
