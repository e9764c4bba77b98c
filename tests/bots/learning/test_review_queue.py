"""The order of the review queue: how it is computed, and for how long it is cached."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bots.learning.review_queue import ReviewQueue
from db import Chat, FaceReading, FaceSummary, Person, Platform, Store
from recognizer import Recognizer
from tests.bots.admins import SHIPPED, add_faces

ANNA, BERT, SENDER = Person(Platform.TELEGRAM, "1"), Person(Platform.DISCORD, "2"), Person(Platform.TELEGRAM, "900")


class Watched:
    """A review queue with records of pictures loaded and orderings computed, and a clock that a test sets."""

    def __init__(self, store: Store, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.orders = 0.0, 0
        self.pictures: list[int] = []
        self.review = ReviewQueue(store, lambda: recognizer.emoji_map, lambda: self.now)
        crops, all_summaries = store.feedback.crops, store.feedback.all_summaries

        async def read(readings: Sequence[int]) -> dict[int, bytes]:
            self.pictures += readings
            return await crops(readings)

        def look() -> AsyncIterator[tuple[FaceSummary, ...]]:
            self.orders += 1
            return all_summaries()

        monkeypatch.setattr(store.feedback, "crops", read)
        monkeypatch.setattr(store.feedback, "all_summaries", look)
        monkeypatch.setattr(store.feedback, "faces", None)  # it loads all pictures


@pytest.fixture
def watched(store: Store, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(store, recognizer, monkeypatch)


async def test_only_the_picture_that_is_shown_is_read(watched: Watched, store: Store) -> None:
    first, *_ = await add_faces(store, 5)
    item = await watched.review.next(ANNA)
    assert item is not None
    assert item.reading == first
    assert watched.pictures == [first]
    await watched.review.agreement()
    assert watched.pictures == [first]


async def test_an_order_holds_some_seconds_and_what_was_labelled_leaves_at_once(watched: Watched, store: Store) -> None:
    readings = await add_faces(store, 4)
    seen = []
    for _ in readings:
        item = await watched.review.next(ANNA)
        assert item is not None
        seen.append(item.reading)
        assert await watched.review.label(ANNA, item.reading, "sad")
        watched.now += 1
    assert sorted(seen) == readings
    assert watched.orders == 1
    watched.now += 60
    assert await watched.review.queue(ANNA) == ()
    assert watched.orders == 2


async def test_a_new_face_is_found_where_the_order_held_has_no_other(watched: Watched, store: Store) -> None:
    assert await watched.review.next(ANNA) is None
    watched.now += 1
    [new] = await add_faces(store, 1)
    item = await watched.review.next(ANNA)
    assert item is not None
    assert item.reading == new


async def test_a_face_whose_owner_withdrew_is_not_given_from_an_order_held(watched: Watched, store: Store) -> None:
    first, second, *_ = await add_faces(store, 3)
    other = Person(Platform.TELEGRAM, "901")
    await store.set_keeps_faces(other, True)
    face = FaceReading((0.9, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0), ("😠",), bytes(48 * 48))
    [stays] = (await store.add_photo(other, Chat(Platform.TELEGRAM, "901"), SHIPPED, [face])).readings
    assert set(await watched.review.queue(ANNA)) >= {first, second, stays.id}
    await store.set_keeps_faces(SENDER, False)
    assert [item.reading for item in await watched.review.find(ANNA, [first, second, stays.id], 9)] == [stays.id]
    assert not await watched.review.label(ANNA, first, "sad")


async def test_a_face_that_two_others_labelled_meanwhile_is_passed_over(watched: Watched, store: Store) -> None:
    await add_faces(store, 2)
    first, second = await watched.review.queue(ANNA)
    for admin in (BERT, SENDER):
        await watched.review.label(admin, first, "sad")
    item = await watched.review.next(ANNA)
    assert item is not None
    assert item.reading == second


async def test_a_queue_is_as_long_as_asked_for_and_leaves_out_what_is_known(watched: Watched, store: Store) -> None:
    await add_faces(store, 6)
    order = await watched.review.queue(ANNA)
    assert len(order) == 6
    assert await watched.review.queue(ANNA, most=2) == order[:2]
    assert await watched.review.queue(ANNA, left_out=order[:2], most=2) == order[2:4]
    assert await watched.review.queue(ANNA, skipped=order[:2], left_out=order[2:3]) == (*order[3:], *order[:2])


async def test_a_face_of_a_game_is_marked_with_what_its_sender_was_asked_for(watched: Watched, store: Store) -> None:
    await store.set_keeps_faces(SENDER, True)
    shown = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
    added = await store.add_photo(SENDER, Chat(Platform.TELEGRAM, "1"), SHIPPED, [shown], shows="disgust")
    await store.taps.add(added.readings[0].id, emoji="😄")
    item = await watched.review.next(ANNA)
    assert item is not None
    assert (item.asked, item.said) == (("disgust",), ("😄",))
