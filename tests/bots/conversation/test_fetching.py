"""Photos stay with their platform until their turn is near, so that a long queue needs little memory."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import NotFetchedError, PhotoMessage, Picture, PictureToFetch, Reply, Tap
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import MOST_NEAR, InferencePool
from db import Chat, Person, Platform, Store
from recognizer import Reading, Recognizer
from tests.rows import count_rows
from tests.waiting import until

BUDGET, SIZE = 40_000_000, 5_000_000


class Platforms:
    """What platforms hand out. fetched: what was asked for, in order."""

    def __init__(self, content: bytes) -> None:
        self.fetched: list[str] = []
        self._content = content

    def photo(self, name: str, *, most_bytes: int = SIZE) -> PictureToFetch:
        async def fetch() -> Picture:
            self.fetched.append(name)
            return Picture(self._content)

        return PictureToFetch(fetch, most_bytes)


class Gate:
    """Holds the recogniser up until it is opened."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._is_open = threading.Event()
        read = Recognizer.read

        def read_later(recognizer: Recognizer, data: bytes) -> Reading:
            assert self._is_open.wait(60)
            return read(recognizer, data)

        patch.setattr(Recognizer, "read", read_later)

    def open(self) -> None:
        self._is_open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
def pool() -> InferencePool:
    return InferencePool(2, 8, BUDGET)


@pytest.fixture
async def bounded(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, pool: InferencePool
) -> AsyncIterator[EmojiService]:
    made = EmojiService(recognizer, store, pool, picture_maker)
    yield made
    await made.close()
    pool.close()


def person(number: int) -> Person:
    return Person(Platform.TELEGRAM, str(number))


async def answer(service: EmojiService, *pictures: PictureToFetch, asking: int = 7) -> Reply:
    photo = PhotoMessage(person(asking), Chat(Platform.TELEGRAM, "-5"), pictures)
    return [reply async for reply in service.on_photo(photo)][-1]


async def test_a_hundred_waiting_photos_are_names_and_not_files(
    bounded: EmojiService, pool: InferencePool, gate: Gate, selfie: bytes
) -> None:
    platforms = Platforms(selfie + bytes(SIZE - len(selfie)))
    answered: dict[int, list[int]] = defaultdict(list)

    async def send(number: int) -> None:
        reply = await answer(bounded, platforms.photo(str(number)), asking=number % 10)
        assert "happy" in reply.text
        answered[number % 10].append(number)

    sending = []
    for number in range(100):
        sending.append(asyncio.create_task(send(number)))
        await asyncio.sleep(0)
    await until(lambda: len(platforms.fetched) == BUDGET // SIZE)
    await asyncio.sleep(0.2)
    assert len(platforms.fetched) == BUDGET // SIZE
    assert pool.fetched_bytes <= BUDGET
    gate.open()
    await asyncio.gather(*sending)
    assert all(answered[each] == list(range(each, 100, 10)) for each in range(10))
    assert pool.fetched_bytes == 0


async def test_small_photos_are_fetched_ahead_but_not_all_of_them(
    bounded: EmojiService, gate: Gate, selfie: bytes
) -> None:
    platforms = Platforms(selfie)
    photos = [platforms.photo(str(number), most_bytes=len(selfie)) for number in range(MOST_NEAR + 9)]
    sending = [asyncio.create_task(answer(bounded, photo)) for photo in photos]
    await until(lambda: len(platforms.fetched) == MOST_NEAR)
    await asyncio.sleep(0.1)
    assert len(platforms.fetched) == MOST_NEAR
    gate.open()
    await asyncio.gather(*sending)


async def test_an_album_is_fetched_picture_by_picture(bounded: EmojiService, gate: Gate, selfie: bytes) -> None:
    platforms = Platforms(selfie)
    answering = asyncio.create_task(answer(bounded, *(platforms.photo(str(number)) for number in range(10))))
    await until(lambda: platforms.fetched)
    await asyncio.sleep(0.1)
    assert platforms.fetched == ["0"]
    gate.open()
    assert (await answering).text.count("Photo ") == 10


async def test_answers_come_in_the_order_of_the_photos_whatever_their_downloads_take(
    bounded: EmojiService, selfie: bytes
) -> None:
    arrived, answered = asyncio.Event(), []

    async def slow() -> Picture:
        await arrived.wait()
        return Picture(selfie)

    async def send(name: str, picture: PictureToFetch) -> None:
        await answer(bounded, picture)
        answered.append(name)

    quick = Platforms(selfie).photo("second")
    sending = [asyncio.create_task(send("first", PictureToFetch(slow))), asyncio.create_task(send("second", quick))]
    await asyncio.sleep(0.5)
    arrived.set()
    await asyncio.gather(*sending)
    assert answered == ["first", "second"]


def _lost(sentence: str) -> PictureToFetch:
    async def fetch() -> Picture:
        raise NotFetchedError(sentence)

    return PictureToFetch(fetch, 0)


async def test_what_cannot_be_fetched_is_said_once_beside_the_rest_or_alone(
    bounded: EmojiService, selfie: bytes
) -> None:
    there, lost, large = Platforms(selfie).photo("a"), _lost(texts.DOWNLOAD_FAILED), _lost(texts.FILE_TOO_LARGE)
    assert (await answer(bounded, lost, large)).text == texts.FILE_TOO_LARGE
    assert (await answer(bounded, there, lost, lost)).text.endswith(f"\n{texts.SOME_NOT_FETCHED}")
    photo = PhotoMessage(person(7), Chat(Platform.TELEGRAM, "7"), (lost, there))
    assert (await bounded.on_emoji_me(photo)).picture is not None
    assert (await bounded.on_emoji_me(PhotoMessage(person(7), photo.chat, (lost,)))).text == texts.DOWNLOAD_FAILED


async def test_nothing_stays_counted_when_somebody_gives_up(
    bounded: EmojiService, pool: InferencePool, gate: Gate, selfie: bytes
) -> None:
    platforms = Platforms(selfie)
    sending = [asyncio.create_task(answer(bounded, platforms.photo(str(number)))) for number in range(25)]
    await until(lambda: platforms.fetched)
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    gate.open()
    await until(lambda: pool.has_free_worker)
    assert (pool.fetched_bytes, pool.waiting) == (0, 0)
    assert "happy" in (await answer(bounded, platforms.photo("last"))).text


async def test_a_photo_that_is_fetched_again_for_a_tap_counts_too(
    bounded: EmojiService, pool: InferencePool, selfie: bytes
) -> None:
    photo = PhotoMessage(person(7), Chat(Platform.TELEGRAM, "7"), (Picture(selfie),), comes_again=True)
    [reply] = [each async for each in bounded.on_photo(photo)]
    held: list[int] = []

    def fetching(gone: bool) -> Callable[[], object]:
        async def fetch() -> Picture | None:
            held.append(pool.fetched_bytes)
            return None if gone else Picture(selfie)

        return fetch

    token = next(button.token for row in reply.rows for button in row if button.label == texts.EMOJI_ME)
    for gone in (False, True):
        tap = Tap(person(7), photo.chat, token, fetch=fetching(gone), most_bytes=1_000_000)  # type: ignore[arg-type]
        made = await bounded.on_tap(tap)
        assert (made.picture is None, made.notice == texts.PHOTO_GONE) == (gone, gone)
    assert held == [1_000_000, 1_000_000]
    assert pool.fetched_bytes == 0


async def test_a_photo_that_waits_while_its_sender_is_forgotten_is_answered_and_not_stored(
    bounded: EmojiService, store: Store, gate: Gate, selfie: bytes
) -> None:
    platforms = Platforms(selfie)
    waiting = [asyncio.create_task(answer(bounded, platforms.photo(str(number)))) for number in range(4)]
    await until(lambda: platforms.fetched)
    await store.forget(person(7))
    gate.open()
    replies = await asyncio.gather(*waiting)
    assert all("happy" in reply.text and not reply.rows for reply in replies)
    tables = ("people", "chats", "photos", "readings")
    assert [await count_rows(store, table) for table in tables] == [0, 0, 0, 0]
    assert (await answer(bounded, platforms.photo("after"))).rows
