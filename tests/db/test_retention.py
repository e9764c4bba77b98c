from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from db import (
    Actor,
    Chat,
    Depth,
    FaceReading,
    Imported,
    Keeping,
    Lesson,
    Origin,
    Part,
    Person,
    Platform,
    Store,
    Verdict,
)
from db.schema import PersonRow, PhotoRow
from tests.db.conftest import SECRET
from tests.db.test_store import bytes_of_all_files
from tests.rows import count_rows

ANNA, BERT = Person(Platform.TELEGRAM, "778899001122"), Person(Platform.TELEGRAM, "665544332211")
GROUP = Chat(Platform.TELEGRAM, "-100987654321")
SEVEN = (0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0)
FACE = FaceReading(SEVEN, ("😁", "🙂", "😐"), bytes(range(256)) * 9)
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


async def add(store: Store, days_ago: float, person: Person = ANNA) -> int:
    """Store a photo of so many days ago; return its reading."""
    await store.set_keeps_faces(person, True)
    photo = await store.add_photo(person, GROUP, "model-1", [FACE], messages=[str(days_ago)])
    async with store.transactions.write() as session:
        taken = update(PhotoRow).where(PhotoRow.id == photo.id).values(taken_at=NOW - timedelta(days=days_ago))
        await session.execute(taken)
    return photo.readings[0].id


async def crops(store: Store) -> int:
    return await count_rows(store, "readings WHERE crop IS NOT NULL")


async def test_crops_go_before_readings_and_what_is_young_stays(store: Store) -> None:
    for days_ago in (1, 89, 91, 364, 366, 1000):
        reading = await add(store, days_ago)
        await store.taps.add(reading, emoji="🙂")
        await store.feedback.add_label(reading, BERT, Verdict.HAPPY)
    expired = await store.retention.expire(NOW)
    assert (expired.crops, expired.photos) == (2, 2)
    assert await crops(store) == 2
    assert [await count_rows(store, table) for table in ("photos", "readings", "taps", "labels", "messages")] == [4] * 5
    assert (await store.retention.expire(NOW)).photos == 0


async def test_many_go_in_several_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.retention._BATCH", 2)
    for _ in range(5):
        await add(store, 100)
    assert (await store.retention.expire(NOW)).crops == 5


async def test_what_goes_is_not_learned_from_by_a_retraining_that_runs(store: Store) -> None:
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    await add(store, 10)
    await store.retention.expire(NOW)
    assert await store.retrainings.erasures(number) == 0
    await add(store, 100)
    await store.retention.expire(NOW)
    assert await store.retrainings.erasures(number) == 1


async def test_what_an_admin_imported_stays(store: Store) -> None:
    face = Imported(bytes(2304), SEVEN, Verdict.SAD, Person(Platform.IMPORT, "set/1"))
    await store.feedback.add_imported([face], "model-1", "set")
    await store.retention.expire(NOW + timedelta(days=4000))
    assert len(await store.feedback.faces()) == 1


async def test_a_version_outlives_the_faces_that_it_learned_from(store: Store) -> None:
    await store.versions.begin_with("shipped", b"files")
    reading = await add(store, 400)
    lessons = [Lesson(reading, Part.LEARN, 1.0, SEVEN)]
    await store.versions.add(
        "new", b"new files", origin=Origin.ADAPT, parent="shipped", metrics={}, fingerprint="f", lessons=lessons
    )
    await store.retention.expire(NOW)
    version = await store.versions.find("new")
    assert version is not None
    assert await store.versions.artefact("new") == b"new files"
    assert await store.versions.lessons("new") == ()
    assert await store.versions.kept_lessons("new", Part.LEARN) == 0


@pytest.mark.parametrize(
    ("keeping", "left"), [(Keeping(0, 0), (2, 2)), (Keeping(0, 365), (1, 1)), (Keeping(90, 0), (2, 0))]
)
async def test_no_days_are_no_limit(tmp_path: Path, keeping: Keeping, left: tuple[int, int]) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", SECRET, keeping=keeping)
    for days_ago in (100, 400):
        await add(store, days_ago)
    await store.retention.expire(NOW)
    assert (await count_rows(store, "photos"), await crops(store)) == left
    await store.close()


async def test_where_the_limit_was_raised_a_promise_of_before_is_kept(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", SECRET, keeping=Keeping(300, 365))
    for person in (ANNA, BERT):
        await add(store, 100, person)
    async with store.transactions.write() as session:
        anna = PersonRow.hash == ANNA.hashed(SECRET)
        await session.execute(update(PersonRow).where(anna).values(consent_days=90))
    assert (await store.retention.expire(NOW)).crops == 1
    assert await crops(store) == 1
    await store.close()


async def test_no_byte_of_an_expired_face_stays_in_any_file(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", SECRET)
    crop = np.random.default_rng(1).integers(0, 255, 48 * 48, np.uint8).tobytes()
    await store.set_keeps_faces(ANNA, True)
    await store.add_photo(ANNA, GROUP, "m", [FaceReading(SEVEN, ("😁",), crop)])
    assert crop[500:600] in bytes_of_all_files(tmp_path)
    await store.retention.expire(datetime.now(UTC) + timedelta(days=91))
    assert crop[500:600] not in bytes_of_all_files(tmp_path)
    await store.close()
