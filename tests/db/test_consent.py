import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update

from db import CONSENT_VERSION, Chat, Consent, FaceReading, Keeping, Person, Platform, Store
from db.schema import PersonRow
from tests.db.conftest import SECRET
from tests.rows import count_rows

ANNA, BERT = Person(Platform.TELEGRAM, "778899001122"), Person(Platform.TELEGRAM, "665544332211")
GROUP = Chat(Platform.TELEGRAM, "-100987654321")
FACE = FaceReading((0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0), ("😁", "🙂", "😐"), bytes(range(256)) * 9)


async def agreed_to(store: Store, version: int) -> None:
    """Let Anna's answer be one to the words of another version."""
    async with store.transactions.write() as session:
        await session.execute(update(PersonRow).values(consent_version=version, asked_version=version))


async def crops(store: Store) -> int:
    return await count_rows(store, "readings WHERE crop IS NOT NULL")


async def test_nobody_agrees_by_saying_nothing_or_by_being_asked(store: Store) -> None:
    assert await store.consents.of(ANNA) == Consent()
    assert await store.consents.may_ask(ANNA)
    await store.add_photo(ANNA, GROUP, "model-1", [FACE])
    assert await store.consents.of(ANNA) == Consent()
    assert await crops(store) == 0


async def test_everybody_is_asked_once(store: Store) -> None:
    asked = await asyncio.gather(*(store.consents.may_ask(ANNA) for _ in range(5)))
    assert sorted(asked) == [False] * 4 + [True]
    assert await store.consents.may_ask(BERT)


@pytest.mark.parametrize("answer", [True, False])
async def test_who_has_answered_is_not_asked(store: Store, answer: bool) -> None:
    await store.set_keeps_faces(ANNA, answer)
    assert not await store.consents.may_ask(ANNA)


async def test_a_yes_to_older_words_keeps_no_new_faces_and_is_asked_again_once(store: Store) -> None:
    await store.set_keeps_faces(ANNA, True)
    await store.add_photo(ANNA, GROUP, "model-1", [FACE])
    await agreed_to(store, CONSENT_VERSION - 1)
    await store.add_photo(ANNA, GROUP, "model-1", [FACE])
    assert await store.consents.of(ANNA) == Consent(agreed=False, is_outdated=True)
    assert await crops(store) == 1  # the one that was covered
    assert [await store.consents.may_ask(ANNA) for _ in range(2)] == [True, False]
    await store.set_keeps_faces(ANNA, True)
    await store.add_photo(ANNA, GROUP, "model-1", [FACE])
    assert await crops(store) == 2


async def test_a_no_holds_for_all_words_to_come(store: Store) -> None:
    await store.set_keeps_faces(ANNA, False)
    await agreed_to(store, CONSENT_VERSION - 1)
    assert not await store.consents.may_ask(ANNA)


async def test_outdated_words_of_the_sender_or_of_who_asks_keep_no_face(store: Store) -> None:
    await store.set_keeps_faces(ANNA, True)
    await agreed_to(store, CONSENT_VERSION - 1)
    await store.set_keeps_faces(BERT, True)
    await store.add_photo(BERT, GROUP, "model-1", [FACE], sender=ANNA)
    await store.add_photo(ANNA, GROUP, "model-1", [FACE], sender=BERT)
    assert await crops(store) == 0


@pytest.mark.parametrize(("longer", "is_covered"), [(30, True), (90, True), (91, False), (0, False)])
async def test_a_yes_covers_no_longer_time_than_it_named(tmp_path: Path, longer: int, is_covered: bool) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    store = await Store.open(url, SECRET, keeping=Keeping(90, 365))
    await store.set_keeps_faces(ANNA, True)
    await store.close()
    store = await Store.open(url, SECRET, keeping=Keeping(longer, 0))
    await store.add_photo(ANNA, GROUP, "model-1", [FACE])
    assert await crops(store) == is_covered
    assert await store.consents.may_ask(ANNA) is not is_covered
    await store.close()


async def test_a_no_also_deletes_what_is_being_stored_at_that_moment(store: Store) -> None:
    for _ in range(5):
        await store.set_keeps_faces(ANNA, True)
        storing = [store.add_photo(ANNA, GROUP, "model-1", [FACE]) for _ in range(4)]
        await asyncio.gather(*storing, store.set_keeps_faces(ANNA, False))
        assert await crops(store) == 0
