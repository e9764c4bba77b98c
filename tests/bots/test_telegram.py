"""The real python-telegram-bot against a Bot API server on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator

import cv2
import numpy as np
import pytest
import skimage.data

from bots import texts
from bots.door import DoorError
from bots.languages import OWN_NAMES, speak
from bots.service import EmojiService
from bots.telegram import TelegramDoor
from db import Person, Preferences, Store
from recognizer import EmojiMap
from tests.bots.telegram_server import TOKEN, TelegramServer, labels, telegram_server
from tests.rows import count_rows


@pytest.fixture
async def telegram(service: EmojiService) -> AsyncIterator[TelegramServer]:
    async with telegram_server() as server:
        door = TelegramDoor(service, TOKEN, api_url=server.url, album_quiet_s=0.2)
        running = asyncio.create_task(door.run())
        yield server
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_selfie_gets_a_reaction_and_candidates(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie))
    [answer] = await telegram.sent("sendMessage")
    assert labels(answer)[0][0] in answer["text"]
    assert len(labels(answer)[0]) == 3
    assert labels(answer)[1] == [texts.MORE, texts.NONE_FITS]
    await _until(lambda: telegram.reactions)
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
    await _until(lambda: len(telegram.reactions) == 2)
    await asyncio.sleep(0.3)
    assert await telegram.count("sendMessage") == 1


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


async def test_every_face_of_a_group_photo_is_numbered(telegram: TelegramServer, group_photo: bytes) -> None:
    await telegram.send(photo=telegram.picture(group_photo))
    [answer] = await telegram.sent("sendMessage")
    assert "1. " in answer["text"]
    assert "2. " in answer["text"]
    assert [row[0][:2] for row in labels(answer)] == ["1 ", "2 "]


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
    await _until(lambda: telegram.reactions)
    assert telegram.reactions[0][1] == photo["message_id"]


async def test_emoji_without_a_photo_says_what_to_do(telegram: TelegramServer) -> None:
    await telegram.send(text="/emoji")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.NO_PHOTO_IN_REPLY


async def test_forget_me_deletes_what_is_known(telegram: TelegramServer, store: Store, selfie: bytes) -> None:
    await telegram.send(photo=telegram.picture(selfie))
    await telegram.sent("sendMessage")
    assert await count_rows(store, "readings") == 1
    await telegram.send(text="/forget_me")
    answers = await telegram.sent("sendMessage", 2)
    assert answers[1]["text"] == texts.FORGOTTEN
    assert [await count_rows(store, table) for table in ("people", "chats", "photos", "readings", "taps")] == [0] * 5


async def test_people_are_answered_in_the_language_of_their_app(telegram: TelegramServer, selfie: bytes) -> None:
    message = await telegram.send(photo=telegram.picture(selfie), language="pt-br")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"].endswith("Seu rosto mostra alegria. Qual emoji combina mais?")
    await telegram.tap(answer, labels(answer)[0][0], original=message, language="pt-br")
    [edited] = await telegram.sent("editMessageText")
    assert edited["text"].endswith("Valeu!")


async def test_what_the_door_itself_says_is_in_the_language_of_whoever_asks(telegram: TelegramServer) -> None:
    await telegram.send(text="/emoji", language="ru")
    await telegram.send(document={"file_id": "x", "file_unique_id": "x", "mime_type": "image/png"}, language="hi")
    await telegram.send(text="hello?", language="tlh")
    answers = {answer["text"] for answer in await telegram.sent("sendMessage", 3)}
    said = {speak("ru").say(texts.NO_PHOTO_IN_REPLY), speak("hi").say(texts.DOWNLOAD_FAILED), texts.HELP}
    assert answers == said


async def test_a_language_set_in_settings_is_spoken_from_then_on(telegram: TelegramServer, store: Store) -> None:
    await telegram.send(text="/settings")
    [answer] = await telegram.sent("sendMessage")
    await telegram.tap(answer, texts.LANGUAGE)
    [asked] = await telegram.sent("editMessageText")
    await telegram.tap(asked, OWN_NAMES["ar"])
    shown = (await telegram.sent("editMessageText", 2))[1]
    assert OWN_NAMES["ar"] in shown["text"]
    assert await store.preferences(Person("telegram", "7")) == Preferences(language="ar")
    await telegram.send(text="/start")
    assert (await telegram.sent("sendMessage", 2))[1]["text"] == speak("ar").say(texts.START)


async def test_commands_are_listed_in_every_language(telegram: TelegramServer) -> None:
    await _until(lambda: len(telegram.commands) == len(OWN_NAMES))
    assert set(telegram.commands) == {"", *OWN_NAMES} - {"en"}
    assert telegram.commands[""]["settings"] == texts.COMMANDS["settings"]
    assert telegram.commands["de"]["help"] == "Was ich kann"
    assert list(telegram.commands["zh"]) == ["emoji", "help", "settings", "privacy", "forget_me"]


async def test_a_reaction_is_dressed_only_where_telegram_allows_it(
    telegram: TelegramServer, store: Store, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.set_preferences(Person("telegram", "7"), Preferences(skin_tone="dark", presentation="woman"))
    for mood, reaction in (("👍", "👍"), ("🤷", "🤷"), ("😁", "😁")):
        monkeypatch.setattr(EmojiMap, "reaction", lambda *_, mood=mood: mood)
        message = await telegram.send(photo=telegram.picture(selfie))
        await _until(lambda message=message: telegram.reactions and telegram.reactions[-1][1] == message["message_id"])
        assert telegram.reactions[-1][2] == reaction
    await store.set_preferences(Person("telegram", "7"), Preferences(presentation="man"))
    monkeypatch.setattr(EmojiMap, "reaction", lambda *_: "🤷")
    await telegram.send(photo=telegram.picture(selfie))
    await _until(lambda: telegram.reactions[-1][2] == "🤷‍♂️")


async def test_a_wrong_token_is_one_sentence_without_the_token(service: EmojiService) -> None:
    async with telegram_server() as server:
        wrong = "987654321:AAthisIsNotTheTokenOfAnyBotAtAll0000"
        with pytest.raises(DoorError, match="TELEGRAM_TOKEN") as refusal:
            await TelegramDoor(service, wrong, api_url=server.url).run()
        assert wrong not in str(refusal.value)


@pytest.fixture(scope="session")
def video_note(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of a smiling face."""
    path = tmp_path_factory.mktemp("clip") / "note.mp4"
    frame = cv2.cvtColor(skimage.data.astronaut()[:384, 32:416], cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, (384, 384))
    for shift in range(20):
        writer.write(np.roll(frame, shift, axis=1))
    writer.release()
    return path.read_bytes()


async def _until(condition: object, within_s: float = 5) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
