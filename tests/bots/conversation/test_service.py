"""The decisions of the bot, with the real recognizer and a real database."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from structlog.testing import capture_logs

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, Form, PhotoMessage, Picture, Reply, Tap
from bots.pictures.artwork import ArtworkError
from bots.pictures.maker import PictureMaker
from bots.serving.fair_queue import Whose
from bots.serving.inference_pool import InferencePool
from db import Chat, FaceReading, Person, Platform, Preferences, Store
from recognizer import EMOTIONS, PhotoProblem, Reading, Recognizer
from tests.bots.replies import forget
from tests.conftest import jpeg
from tests.faults import Faults
from tests.pictures import checkers, encoded, png_bomb
from tests.rows import count_rows, execute, select_rows
from tests.waiting import PATIENCE_S
from training import scenes
from training.data import Faces

ADA, BOB = Person(Platform.TELEGRAM, "7"), Person(Platform.TELEGRAM, "8")
CHAT = Chat(Platform.TELEGRAM, "7")


async def answer(service: EmojiService, *pictures: bytes, person: Person = ADA) -> Reply:
    photo = PhotoMessage(person, CHAT, tuple(map(Picture, pictures)))
    return [reply async for reply in service.on_photo(photo)][-1]


async def tap(service: EmojiService, token: str, person: Person = ADA) -> str:
    return (await service.on_tap(Tap(person, CHAT, token))).notice


async def test_a_sure_face_gets_a_verdict_and_a_reaction(service: EmojiService, selfie: bytes) -> None:
    reply = await answer(service, selfie)
    assert reply.text == texts.ONE_FACE.format(emoji="😁", feeling="happy")
    assert reply.reactions == ("😁",)
    assert [button.label for button in reply.rows[0]] == ["😁", "😂", "😃"]


async def test_an_unsure_face_gets_choices_and_no_reaction(
    service: EmojiService, recognizer: Recognizer, faces: Faces
) -> None:
    surest = recognizer.classify(faces.pixels[:400]).max(axis=1)
    for row in np.argsort(surest):
        scene = np.full((600, 600, 3), 128, np.uint8)
        scene[90:510, 90:510] = cv2.resize(faces.pixels[row], (420, 420), interpolation=cv2.INTER_CUBIC)[..., None]
        reading = recognizer.read(jpeg(scene))
        if reading.faces and reading.faces[0].confidence < 0.45:
            break
    reply = await answer(service, jpeg(scene))
    assert reply.text.startswith("Hard to say")
    assert reply.reactions == (None,)
    assert len(reply.rows[0]) == 3


async def test_forty_faces_are_numbered_and_the_first_five_get_buttons(service: EmojiService, faces: Faces) -> None:
    reply = await answer(service, jpeg(scenes.crowd(faces.pixels[:40], side=100, columns=8)))
    assert "30. " in reply.text
    assert len(reply.rows) == 5
    assert all(len(row) <= 5 for row in reply.rows)
    assert all(len(button.token.encode()) <= 64 for row in reply.rows for button in row)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        encoded(checkers(), "JPEG")[:-300],
        b"%PDF-1.7",
        png_bomb(40_000, 40_000),
        bytes(21 * 2**20),
        encoded(checkers(1, 1), "PNG"),
    ],
)
async def test_bad_input_gets_a_sentence_and_the_next_photo_an_answer(
    service: EmojiService, selfie: bytes, broken: bytes
) -> None:
    with capture_logs() as logs:
        refused = await answer(service, broken)
    assert refused.text.endswith(".")
    assert refused.rows == ()
    assert [entry["event"] for entry in logs] == ["photo_refused"]
    assert "happy" in (await answer(service, selfie)).text


async def test_an_animation_is_answered_by_its_first_frame(service: EmojiService) -> None:
    from PIL import Image

    frame = Image.fromarray(skimage.data.astronaut())
    data = encoded(frame, "GIF", save_all=True, append_images=[Image.new("RGB", frame.size)])
    assert "happy" in (await answer(service, data)).text


async def test_a_fault_of_the_bot_itself_is_logged_and_said_kindly(
    service: EmojiService, recognizer: Recognizer, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Recognizer, _data: bytes) -> Reading:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(Recognizer, "read", broken)
        assert (await answer(service, selfie)).text == texts.FAILED
    assert [entry["event"] for entry in logs] == ["photo_failed"]
    assert "happy" in (await answer(service, selfie)).text


async def test_without_a_database_the_answer_still_comes(
    recognizer: Recognizer, picture_maker: PictureMaker, selfie: bytes
) -> None:
    store = await Store.open("sqlite://", secret="x")
    await execute(store, "DROP TABLE taps", "DROP TABLE readings")
    service = EmojiService(recognizer, store, InferencePool(1, 1), picture_maker)
    reply = await answer(service, selfie)
    assert "happy" in reply.text
    assert reply.rows == ()
    await store.close()


async def test_every_tap_is_kept_and_the_last_one_counts(service: EmojiService, store: Store, selfie: bytes) -> None:
    first, second, _ = (await answer(service, selfie)).rows[0]
    assert await tap(service, first.token) == texts.CHOSEN.format(emoji=first.label)
    assert await tap(service, second.token) == texts.CORRECTED.format(emoji=second.label)
    assert await count_rows(store, "taps") == 2
    reading = Token.parse(first.token).reading
    stored = await store.photo_of(reading, ADA)
    assert stored is not None
    assert stored.readings[0].chosen == second.label


async def test_a_choice_from_further_down_stays_in_sight(service: EmojiService, selfie: bytes) -> None:
    reply = await answer(service, selfie)
    more = await service.on_tap(Tap(ADA, CHAT, reply.rows[1][0].token))
    assert more.rows is not None
    far = more.rows[2][3]
    after = await service.on_tap(Tap(ADA, CHAT, far.token))
    assert after.rows is not None
    assert after.rows[0][-1].label == far.label


@pytest.mark.parametrize(
    "token", ["", "e:1", "e:x:0", "Z:1:0", "e:1:0:0", "e:-1:0", "c:1:9", "e:01:0", "e:1:99", "☃" * 50]
)
async def test_a_token_that_no_button_has_is_refused_kindly(service: EmojiService, selfie: bytes, token: str) -> None:
    await answer(service, selfie)
    assert await tap(service, token) == texts.GONE


async def test_only_the_sender_may_tap(service: EmojiService, store: Store, selfie: bytes) -> None:
    button = (await answer(service, selfie)).rows[0][0]
    assert await tap(service, button.token, person=BOB) == texts.NOT_YOURS
    assert await count_rows(store, "taps") == 0


async def test_a_button_of_a_forgotten_photo_says_so(service: EmojiService, selfie: bytes) -> None:
    button = (await answer(service, selfie)).rows[0][0]
    await forget(service, ADA, CHAT)
    assert await tap(service, button.token) == texts.GONE


async def test_no_face_is_kept_unless_its_sender_agreed(service: EmojiService, store: Store, selfie: bytes) -> None:
    await answer(service, selfie)
    assert await _crops(store) == [None]
    privacy = await service.on_command(Command(ADA, CHAT, CommandName.PRIVACY))
    assert await tap(service, privacy.rows[0][0].token) == texts.FACES_ALLOWED
    await answer(service, selfie)
    kept = await _crops(store)
    assert [crop and len(crop) for crop in kept] == [None, 48 * 48]
    assert await tap(service, str(Token(Action.KEEP_FACES, choice=0))) == texts.FACES_REFUSED
    assert await _crops(store) == [None, None]


@pytest.mark.parametrize("language", OWN_NAMES)
async def test_a_face_is_answered_in_the_language_of_the_platform(
    service: EmojiService, selfie: bytes, language: str
) -> None:
    say = speak(language).say
    photo = PhotoMessage(ADA, CHAT, (Picture(selfie),), language)
    [reply] = [reply async for reply in service.on_photo(photo)]
    assert reply.text == say(texts.ONE_FACE, emoji="😁", feeling=say(texts.FEELINGS["happy"]))
    assert [button.label for button in reply.rows[1]] == [say(texts.MORE), say(texts.NONE_FITS)]
    assert reply.rows[0][0].meaning == speak(language).name_of("😁") or language == "hi"
    answered = await service.on_tap(Tap(ADA, CHAT, reply.rows[1][1].token, language))
    assert answered.notice == say(texts.WHICH_EMOTION)


async def test_what_a_person_set_counts_before_what_the_platform_says(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.set_preferences(ADA, Preferences(language="ja"))
    photo = PhotoMessage(ADA, CHAT, (Picture(selfie),), "de")
    [reply] = [reply async for reply in service.on_photo(photo)]
    assert "喜び" in reply.text


async def test_a_refused_photo_is_explained_in_the_language(service: EmojiService) -> None:
    photo = PhotoMessage(ADA, CHAT, (Picture(b""),), "es-ES")
    [reply] = [reply async for reply in service.on_photo(photo)]
    assert reply.text == speak("es").say(texts.PHOTO_PROBLEMS[PhotoProblem.EMPTY])


async def liked(store: Store, emoji: str, taps: int, person: Person = ADA) -> None:
    """Store earlier choices of an emoji for this many happy faces."""
    happy = tuple(float(name == "happy") for name in EMOTIONS)
    for _ in range(taps):
        (reading,) = (await store.add_photo(person, CHAT, "model-1", [FaceReading(happy, (emoji,), b"")])).readings
        await store.taps.add(reading.id, emoji=emoji)


async def test_suggestions_wear_the_looks_a_person_chose_and_are_kept_without_them(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.set_preferences(ADA, Preferences(skin_tone="medium", presentation="woman"))
    await liked(store, "🙋", 8)
    reply = await answer(service, selfie)
    first = reply.rows[0][0]
    assert reply.text.startswith("🙋🏽‍♀️ ")
    assert (first.label, first.meaning) == ("🙋🏽‍♀️", "woman raising hand medium skin tone")
    tapped = await service.on_tap(Tap(ADA, CHAT, first.token))
    assert tapped.reaction == "🙋🏽‍♀️"
    assert tapped.text == texts.CHOSEN.format(emoji="🙋🏽‍♀️")
    stored = await store.photo_of(Token.parse(first.token).reading, ADA)
    assert stored is not None
    assert (stored.readings[0].suggestions[0], stored.readings[0].chosen) == ("🙋", "🙋")


async def test_taps_teach_at_once_and_only_whoever_tapped(service: EmojiService, store: Store, selfie: bytes) -> None:
    await liked(store, "😎", 5)
    assert (await answer(service, selfie)).rows[0][0].label == "😎"
    assert (await answer(service, selfie, person=BOB)).rows[0][0].label == "😁"


async def test_a_forgotten_taste_is_gone(service: EmojiService, store: Store, selfie: bytes) -> None:
    await liked(store, "😎", 5)
    await forget(service, ADA, CHAT)
    assert (await answer(service, selfie)).rows[0][0].label == "😁"


async def test_a_chat_has_a_taste_of_its_own(service: EmojiService, store: Store, selfie: bytes) -> None:
    for number in range(30):
        await liked(store, "😎", 3, Person(Platform.TELEGRAM, f"friend {number}"))
    assert (await answer(service, selfie, person=BOB)).rows[0][0].label == "😎"


def pixels_of(picture: bytes) -> NDArray[np.int64]:
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.int64)


async def test_a_tap_on_an_emoji_that_the_map_has_dropped_still_counts(service: EmojiService, store: Store) -> None:
    (reading,) = (await store.add_photo(ADA, CHAT, "model-1", [FaceReading((0.0,) * 7, ("🦄", "😄"), b"")])).readings
    tapped = await service.on_tap(Tap(ADA, CHAT, str(Token(Action.CHOOSE, reading.id, 0))))
    assert tapped.text == texts.CHOSEN.format(emoji="🦄")
    assert tapped.rows is not None
    assert tapped.rows[0][0].meaning == "unicorn"
    assert (await store.choices.of_everyone(datetime(2000, 1, 1, tzinfo=UTC), 1))[0].emoji == "🦄"


async def test_several_faces_come_back_numbered(service: EmojiService, group_photo: bytes) -> None:
    reply = await answer(service, group_photo)
    assert reply.picture is not None
    numbered, plain = pixels_of(reply.picture.content), pixels_of(group_photo)
    assert numbered.shape == plain.shape
    assert 0.01 < (np.abs(numbered - plain).max(axis=2) > 60).mean() < 0.2


async def test_one_face_or_an_album_comes_without_a_picture(
    service: EmojiService, selfie: bytes, group_photo: bytes
) -> None:
    assert (await answer(service, selfie)).picture is None
    assert (await answer(service, group_photo, group_photo)).picture is None


def button_named(reply: Reply, label: str) -> str | None:
    return next((button.token for row in reply.rows for button in row if button.label == label), None)


async def fetchable(service: EmojiService, picture: bytes) -> Reply:
    photo = PhotoMessage(ADA, CHAT, (Picture(picture),), comes_again=True)
    return [reply async for reply in service.on_photo(photo)][-1]


@pytest.mark.parametrize("label", [texts.EMOJI_ME, texts.STICKER])
async def test_a_picture_is_made_of_the_photo_fetched_again(service: EmojiService, selfie: bytes, label: str) -> None:
    async def fetch() -> Picture:
        return Picture(selfie)

    token = button_named(await fetchable(service, selfie), label)
    assert token is not None
    made = (await service.on_tap(Tap(ADA, CHAT, token, fetch=fetch))).picture
    assert made is not None
    shape = pixels_of(made.content).shape
    assert shape == (pixels_of(selfie).shape if label == texts.EMOJI_ME else (512, 512, 3))


async def test_a_photo_that_cannot_be_fetched_again_is_asked_for(service: EmojiService, selfie: bytes) -> None:
    async def gone() -> None:
        return None

    token = button_named(await fetchable(service, selfie), texts.EMOJI_ME)
    assert token is not None
    for fetch in (gone, None):
        answered = await service.on_tap(Tap(ADA, CHAT, token, fetch=fetch))
        assert (answered.notice, answered.picture) == (texts.PHOTO_GONE, None)


async def test_pictures_are_only_offered_where_the_photo_comes_again(service: EmojiService, selfie: bytes) -> None:
    reply = await answer(service, selfie)
    assert button_named(reply, texts.EMOJI_ME) is None
    (first, *_), *_ = (await fetchable(service, selfie)).rows
    tapped = await service.on_tap(Tap(ADA, CHAT, first.token))
    assert tapped.rows is not None
    assert button_named(Reply("", rows=tapped.rows), texts.EMOJI_ME) is not None


async def test_emoji_me_without_a_tap_covers_everyone(
    service: EmojiService, group_photo: bytes, wall_photo: bytes, video_note: bytes
) -> None:
    reply = await service.on_emoji_me(PhotoMessage(ADA, CHAT, (Picture(group_photo),)))
    assert reply.picture is not None
    before, after = pixels_of(group_photo), pixels_of(reply.picture.content)
    for face in service._recognizer.read(group_photo).faces:
        x, y, side = (round(length) for length in (face.box.x, face.box.y, face.box.width))
        assert np.abs(after - before)[y : y + side, x : x + side].mean() > 40
    nobody = await service.on_emoji_me(PhotoMessage(ADA, CHAT, (Picture(wall_photo),)))
    assert (nobody.text, nobody.picture) == (texts.NO_FACE, None)
    assert (await service.on_emoji_me(PhotoMessage(ADA, CHAT, (Picture(b""),)))).text == texts.PHOTO_PROBLEMS["empty"]
    film = await service.on_emoji_me(PhotoMessage(ADA, CHAT, (Picture(video_note),)))
    assert film.picture is not None
    assert film.picture.form is Form.ANIMATION


async def test_settings_that_could_not_be_read_are_not_written_over(
    service: EmojiService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Preferences(language="de", skin_tone="dark", presentation="woman")
    await store.set_preferences(ADA, kept)

    async def unreachable(_: Person) -> Preferences:
        raise OSError("the database is away")

    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(store, "preferences", unreachable)
        assert await tap(service, str(Token(Action.SET_LANGUAGE, choice=1))) == texts.FAILED
    assert await store.preferences(ADA) == kept


@pytest.mark.parametrize(("candidates", "count"), [(3, 1), (5, 1), (5, 2), (1, 3)])
async def test_every_suggestion_is_behind_some_button(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, candidates: int, count: int
) -> None:
    pool = InferencePool(1, 1)
    service = EmojiService(recognizer, store, pool, picture_maker, candidates=candidates)
    suggestions = recognizer.emoji_map.emoji[:63]
    faces = [FaceReading((1 / 7,) * 7, suggestions, b"")] * count
    reading, *_ = (await store.add_photo(ADA, CHAT, "model-1", faces)).readings
    await service.on_tap(Tap(ADA, CHAT, str(Token(Action.CHOOSE, reading.id, 40))))
    rows = (await service.on_tap(Tap(ADA, CHAT, str(Token(Action.BACK, reading.id))))).rows
    found = set()
    for page in range(5):
        assert rows is not None
        tokens = [Token.parse(button.token) for row in rows for button in row]
        found |= {token.choice for token in tokens if (token.action, token.reading) == (Action.CHOOSE, reading.id)}
        rows = (await service.on_tap(Tap(ADA, CHAT, str(Token(Action.MORE, reading.id, page))))).rows
    assert found == set(range(63))
    pool.close()


async def test_without_a_database_people_are_answered_in_their_platforms_language(
    service: EmojiService, store: Store
) -> None:
    await execute(store, "DROP TABLE people")
    with capture_logs():
        reply = await service.on_command(Command(ADA, CHAT, CommandName.HELP, "ru"))
    assert reply.text.startswith(speak("ru").say(texts.HELP))


@pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD, Platform.WEB])
async def test_every_platform_has_its_help(service: EmojiService, platform: Platform) -> None:
    person, chat = Person(platform, "1"), Chat(platform, "1")
    assert "forget" in (await service.on_command(Command(person, chat, CommandName.HELP))).text.lower()


async def test_a_photo_that_hangs_is_given_up_with_a_sentence(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, read = threading.Event(), Recognizer.read

    def hang(self: Recognizer, data: bytes) -> Reading:
        hangs.wait(PATIENCE_S)
        return read(self, data)

    pool = InferencePool(workers=1, waiting=1, longest_s=0.5)
    service = EmojiService(recognizer, store, pool, picture_maker)
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(Recognizer, "read", hang)
        assert (await answer(service, selfie)).text == texts.FAILED
    assert {"inference_hangs", "photo_failed"} <= {each["event"] for each in logs}
    hangs.set()
    await service.close()
    pool.close()


@pytest.fixture
async def crowded(recognizer: Recognizer, store: Store, picture_maker: PictureMaker) -> AsyncIterator[EmojiService]:
    pool = InferencePool(workers=1, waiting=1)
    yield EmojiService(recognizer, store, pool, picture_maker)
    pool.close()


async def test_when_the_pool_is_full_people_hear_so_and_are_answered_in_turn(
    crowded: EmojiService, recognizer: Recognizer, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, read = threading.Event(), Recognizer.read
    in_line, run = asyncio.Semaphore(0), InferencePool.run

    def slow(self: Recognizer, data: bytes) -> Reading:
        gate.wait(PATIENCE_S)
        order.append(data[-1])
        return read(self, data)

    def noticed(self: InferencePool, work: Callable[[], Any], whose: Whose) -> Awaitable[Any]:
        in_line.release()
        return run(self, work, whose)

    monkeypatch.setattr(Recognizer, "read", slow)
    monkeypatch.setattr(InferencePool, "run", noticed)
    order: list[int] = []

    async def send(number: int) -> list[Reply]:
        photo = PhotoMessage(Person(Platform.TELEGRAM, str(number)), CHAT, (Picture(selfie + bytes([number])),))
        return [reply async for reply in crowded.on_photo(photo)]

    sending = []
    for number in range(4):
        sending.append(asyncio.create_task(send(number)))
        await in_line.acquire()
    gate.set()
    replies = await asyncio.gather(*sending)
    assert [[reply.waiting for reply in each] for each in replies] == [[False], [False], [True, False], [True, False]]
    assert order == [0, 1, 2, 3]


async def test_the_event_loop_runs_on_while_a_photo_is_read(
    service: EmojiService, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, read, rounds = asyncio.get_running_loop(), Recognizer.read, list[bool]()

    def with_a_round_of_the_loop(self: Recognizer, data: bytes) -> Reading:
        went_round = threading.Event()
        loop.call_soon_threadsafe(went_round.set)
        rounds.append(went_round.wait(PATIENCE_S))  # never, if this were the loop's own thread
        return read(self, data)

    monkeypatch.setattr(Recognizer, "read", with_a_round_of_the_loop)
    await answer(service, *[selfie] * 3)
    assert rounds == [True] * 3


def _with_suggestions(*emoji: str) -> Callable[[Recognizer, bytes], Reading]:
    """Return a reader that replaces the suggestions of each face by these emoji."""
    read = Recognizer.read

    def suggesting(self: Recognizer, data: bytes) -> Reading:
        reading = read(self, data)
        return replace(reading, faces=tuple(replace(face, emoji=emoji) for face in reading.faces))

    return suggesting


async def _crops(store: Store) -> list[bytes | None]:
    return [row[0] for row in await select_rows(store, "SELECT crop FROM readings ORDER BY id")]


async def test_without_a_database_nobody_is_asked_what_cannot_be_answered(
    service: EmojiService, selfie: bytes, faults: Faults
) -> None:
    with faults.no_database():
        reply = await answer(service, selfie)
    assert reply.text == texts.ONE_FACE_ONLY.format(emoji=reply.reactions[0], feeling="happy")
    assert reply.rows == ()


async def test_a_cover_that_cannot_be_drawn_is_none(
    service: EmojiService, picture_maker: PictureMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await service.cover_image("😀", ADA, CHAT) == picture_maker.cover_image("😀")

    def damaged(_: PictureMaker, _emoji: str) -> bytes:
        raise ArtworkError

    monkeypatch.setattr(PictureMaker, "cover_image", damaged)
    assert await service.cover_image("😀", ADA, CHAT) is None
