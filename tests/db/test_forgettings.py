"""What is being read of somebody who asks to be forgotten meanwhile is not stored afterwards."""

import asyncio
from datetime import UTC, datetime

import pytest

from db import Chat, FaceReading, ForgottenError, Person, Platform, Store
from tests.rows import count_rows, select_rows

ADA, BERT = (Person(Platform.TELEGRAM, number) for number in ("1", "2"))
GROUP = Chat(Platform.TELEGRAM, "-5")
FACE = FaceReading((0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0), ("😁",), bytes(2304))
PERSONAL = ("people", "chats", "photos", "readings", "messages", "scores", "attempts")


async def stored(store: Store) -> int:
    return sum([await count_rows(store, table) for table in PERSONAL])


async def count(store: Store) -> int:
    return (await store.photo_contexts.of(ADA, GROUP)).forgettings


async def add(store: Store, since: int, person: Person = ADA, sender: Person | None = None) -> None:
    await store.add_photo(person, GROUP, "m", [FACE], sender=sender, messages=["7"], forgettings=since)


async def test_a_photo_is_not_stored_if_its_person_was_forgotten_since(store: Store) -> None:
    since = await count(store)
    await add(store, since)
    assert await store.forget(ADA)
    with pytest.raises(ForgottenError):
        await add(store, since)
    assert await stored(store) == 0


async def test_it_is_so_for_somebody_of_whom_nothing_was_stored_yet(store: Store) -> None:
    since = await count(store)
    assert not await store.forget(ADA)
    with pytest.raises(ForgottenError):
        await add(store, since)
    assert await stored(store) == 0


async def test_it_is_so_for_who_sent_a_photo_that_another_asked_about(store: Store) -> None:
    since = await count(store)
    await store.forget(BERT)
    with pytest.raises(ForgottenError):
        await add(store, since, sender=BERT)
    assert await stored(store) == 0


async def test_what_is_sent_after_it_is_stored_again(store: Store) -> None:
    await store.forget(ADA)
    await add(store, await count(store))
    assert await count_rows(store, "photos") == 1


async def test_points_of_a_game_are_not_stored_either(store: Store) -> None:
    since = await count(store)
    game = await store.games.start(GROUP, None, "sad", "😢", datetime.now(UTC))
    await store.forget(ADA)
    assert await store.games.score(game, ADA, "Ada", 70, since) == 70
    assert [await count_rows(store, table) for table in ("people", "scores", "attempts")] == [0, 0, 0]


async def test_nobody_becomes_known_by_having_been_told_what_the_bot_is(store: Store) -> None:
    await store.consents.note_introduced(ADA)
    assert await count_rows(store, "people") == 0


async def test_photos_and_a_deletion_at_once_leave_nothing(store: Store) -> None:
    for _ in range(10):
        since = await count(store)
        photos = [add(store, since) for _ in range(5)]
        ends = await asyncio.gather(*photos[:3], store.forget(ADA), *photos[3:], return_exceptions=True)
        assert all(end is None or isinstance(end, (bool, ForgottenError)) for end in ends)
        assert await count_rows(store, "photos") == await count_rows(store, "people") == 0


async def test_nothing_says_who_was_forgotten(store: Store) -> None:
    for person in (ADA, BERT, ADA):
        await store.forget(person)
    assert await count(store) == 3
    assert await select_rows(store, "SELECT * FROM forgettings") == [(1, 3)]


async def test_another_persons_photo_is_stored_all_the_same_if_they_were_known(store: Store) -> None:
    await add(store, await count(store), BERT)
    since = await count(store)
    await store.forget(ADA)
    await add(store, since, BERT)
    assert await count_rows(store, "photos") == 2
