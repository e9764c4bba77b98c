"""An album is one message: decided once, answered once, with one reaction."""

import asyncio

from bots.conversation import texts
from bots.telegram.albums import LONGEST_S, MOST_ITEMS, QUIET_S, Gatherer
from bots.telegram.polling import LOOK_AGAIN_S
from tests.bots.telegram.server import TelegramServer

GROUP = -5


async def test_a_caption_on_any_picture_speaks_for_the_album(telegram: TelegramServer, selfie: bytes) -> None:
    for number in range(3):
        caption = "/emoji" if number == 1 else None
        await telegram.send(chat=GROUP, photo=telegram.picture(selfie), media_group_id="a", caption=caption)
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"].count("\n") >= 2
    await telegram.until(lambda: telegram.reactions)
    await telegram.send(text="/start")
    await telegram.sent("sendMessage", 2)
    assert len(telegram.reactions) == 1


async def test_an_album_that_nobody_asked_about_is_left_alone(telegram: TelegramServer, selfie: bytes) -> None:
    for _ in range(2):
        await telegram.send(chat=GROUP, photo=telegram.picture(selfie), media_group_id="a")
    await asyncio.sleep(1)  # longer than an album is gathered here
    await telegram.send(text="/start")
    assert len(await telegram.sent("sendMessage")) == 1
    assert not telegram.called("getFile")


async def test_what_can_be_read_of_an_album_is_answered(
    telegram: TelegramServer, selfie: bytes, video_note: bytes
) -> None:
    large = {"file_id": "x", "file_unique_id": "x", "file_size": 21 * 2**20, "width": 9, "height": 9, "duration": 2}
    clip = {**telegram.file(video_note), "width": 384, "height": 384, "duration": 2}
    await telegram.send(video=large, media_group_id="a")
    await telegram.send(photo=telegram.picture(selfie), media_group_id="a")
    await telegram.send(video=clip, media_group_id="a")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"].count(texts.SOME_TOO_LARGE) == 1
    assert texts.OF_PICTURE.split("{")[0].strip() in answer["text"]
    assert texts.FILE_TOO_LARGE not in answer["text"]


async def test_of_an_album_whose_files_are_gone_one_sentence_is_said(telegram: TelegramServer) -> None:
    gone = {"file_id": "gone", "file_unique_id": "gone", "width": 9, "height": 9}
    for _ in range(3):
        await telegram.send(photo=[gone], media_group_id="a")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.DOWNLOAD_FAILED


async def test_an_album_of_other_files_gets_one_sentence(telegram: TelegramServer) -> None:
    for _ in range(4):
        document = {**telegram.file(b"%PDF"), "mime_type": "application/pdf"}
        await telegram.send(document=document, media_group_id="a")
    await telegram.sent("sendMessage")
    await telegram.send(text="/start")
    assert [each["text"] for each in await telegram.sent("sendMessage", 2)] == [texts.NO_PICTURE_FILE, texts.START]


async def test_no_more_than_ten_are_gathered_and_late_ones_are_left_out() -> None:
    handed: list[list[int]] = []

    async def hand_over(items: list[int]) -> None:
        handed.append(items)

    gatherer: Gatherer[int] = Gatherer(0.05, hand_over)
    passed_on = await asyncio.gather(*(gatherer.add("album", number) for number in range(MOST_ITEMS + 5)))
    assert passed_on == [False] + [True] * (MOST_ITEMS - 1) + [False] * 5  # nobody else settles those left out
    assert not await gatherer.add("album", 99)
    assert handed == [list(range(MOST_ITEMS))]


async def test_the_wait_has_an_end() -> None:
    handed: list[list[int]] = []
    now = 0.0

    async def hand_over(items: list[int]) -> None:
        handed.append(items)

    gatherer: Gatherer[int] = Gatherer(0.01, hand_over, clock=lambda: now)
    waiting = asyncio.create_task(gatherer.add("album", 0))
    await asyncio.sleep(0)
    now = LONGEST_S
    await gatherer.add("album", 1)
    await waiting
    assert handed == [[0, 1]]


async def test_an_album_that_was_cancelled_is_gathered_anew() -> None:
    handed: list[list[int]] = []

    async def hand_over(items: list[int]) -> None:
        handed.append(items)

    gatherer: Gatherer[int] = Gatherer(0.01, hand_over)
    cancelled = asyncio.create_task(gatherer.add("album", 0))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait({cancelled})
    await gatherer.add("album", 1)
    assert handed == [[1]]


def test_albums_wait_longer_than_updates_may_take_to_be_fetched() -> None:
    assert QUIET_S > LOOK_AGAIN_S
