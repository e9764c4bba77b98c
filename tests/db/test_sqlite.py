import asyncio
import os
import random
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import Chat, FaceReading, Person, Platform, Preferences, Store
from db.sqlite import DatabaseGoneError, connection
from tests.waiting import PATIENCE_S, TRAINING_PATIENCE_S

ADA = Person(Platform.TELEGRAM, "1")
_FILES = ("test.db", "test.db-wal", "test.db-shm")


async def keep_asking(store: Store) -> None:
    while True:
        await store.versions.all()


async def interrupt(url: str) -> None:
    """Leave a loop whose task was just cancelled during a query; the loop's end cancels it again."""
    store = await Store.open(url, "a secret for tests")
    asking = asyncio.create_task(keep_asking(store))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.sleep(0)


def test_a_process_ends_though_its_query_was_cancelled_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"

    def interrupt_often() -> None:
        for _ in range(50):
            asyncio.run(interrupt(url))

    process = Thread(target=interrupt_often, daemon=True)
    process.start()
    process.join(TRAINING_PATIENCE_S)
    assert not process.is_alive()


async def test_a_connection_that_is_closing_can_be_stopped() -> None:
    driver = await connection(":memory:")
    go_on = Event()
    busy = asyncio.create_task(driver._execute(go_on.wait))
    closing = asyncio.create_task(driver.close())
    await asyncio.sleep(0)
    driver.stop()
    closing.cancel()
    await asyncio.sleep(0)
    go_on.set()
    ended, _ = await asyncio.wait({busy, closing}, timeout=PATIENCE_S)
    assert ended == {busy, closing}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
async def in_folder(tmp_path: Path) -> AsyncIterator[tuple[Store, Path]]:
    """A store whose file is `new/test.db`."""
    file = tmp_path / "new" / "test.db"
    before = os.umask(0)
    store = await Store.open(f"sqlite:///{file}", "a secret for tests")
    os.umask(before)
    yield store, file
    await store.close()


async def test_nobody_else_can_read_the_files(in_folder: tuple[Store, Path]) -> None:
    store, file = in_folder
    await store.set_preferences(ADA, Preferences("de"))
    assert mode(file.parent) == 0o700
    assert {each.name: mode(each) for each in file.parent.iterdir()} == dict.fromkeys(
        ("test.db", "test.db-wal", "test.db-shm"), 384
    )


async def test_files_of_an_older_version_are_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    sqlite3.connect(file).close()
    file.touch()
    file.chmod(0o644)
    store = await Store.open(f"sqlite:///{file}", "a secret for tests")
    assert mode(file) == 0o600
    await store.close()


@pytest.mark.parametrize("way", ["forget", "refuse"])
async def test_no_byte_of_a_deleted_face_stays_in_any_file(in_folder: tuple[Store, Path], way: str) -> None:
    store, file = in_folder
    crop = np.random.default_rng(1).integers(0, 255, 48 * 48, np.uint8).tobytes()
    await store.set_keeps_faces(ADA, True)
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), crop)
    await store.add_photo(ADA, Chat(Platform.TELEGRAM, "1"), "m", [face])
    assert any(crop[500:600] in each.read_bytes() for each in file.parent.iterdir())
    if way == "forget":
        assert await store.forget(ADA)
    else:
        await store.set_keeps_faces(ADA, False)
    assert not any(crop[500:600] in each.read_bytes() for each in file.parent.iterdir())


async def test_a_reader_does_not_keep_a_deletion_from_being_answered(in_folder: tuple[Store, Path]) -> None:
    store, _ = in_folder
    await store.set_preferences(ADA, Preferences("de"))
    async with store.transactions.read() as session:
        await session.execute(text("SELECT count(*) FROM people"))
        assert await store.forget(ADA)
    assert await store.transactions.scrub()


async def test_a_deleted_file_is_noticed_and_nothing_is_said_to_be_kept(in_folder: tuple[Store, Path]) -> None:
    store, file = in_folder
    file.unlink()
    for work in (store.set_preferences(ADA, Preferences("de")), store.preferences(ADA), store.forget(ADA)):
        with pytest.raises(DatabaseGoneError, match="restore it from a backup"):
            await work
    assert not file.exists()


async def test_a_file_that_was_restored_is_opened_and_brought_up_to_date(in_folder: tuple[Store, Path]) -> None:
    store, file = in_folder
    await store.set_preferences(ADA, Preferences("de"))
    backup = file.with_name("backup.db")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    await store.set_preferences(ADA, Preferences("fr"))
    for each in file.parent.glob("test.db*"):
        each.unlink()
    backup.rename(file)
    readers = [store.preferences(ADA) for _ in range(5)]
    assert {found.language for found in await asyncio.gather(*readers)} == {"de"}
    await store.set_preferences(ADA, Preferences("ja"))
    assert (await store.preferences(ADA)).language == "ja"


async def test_an_empty_file_in_the_place_of_a_database_becomes_one(in_folder: tuple[Store, Path]) -> None:
    store, file = in_folder
    for each in file.parent.glob("test.db*"):
        each.unlink()
    (file.parent / "other").touch()
    (file.parent / "other").rename(file)
    await store.set_preferences(ADA, Preferences("de"))
    assert (await store.preferences(ADA)).language == "de"


async def test_a_restored_file_that_cannot_be_brought_up_to_date_is_tried_again(
    in_folder: tuple[Store, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, file = in_folder
    for each in file.parent.glob("test.db*"):
        each.unlink()
    (file.parent / "other").touch()
    (file.parent / "other").rename(file)
    prepare, tries = store.transactions._prepare, []
    assert prepare is not None

    async def at_the_second_time(engine: AsyncEngine) -> None:
        tries.append(engine)
        if len(tries) == 1:
            raise OSError("the disk is full")
        await prepare(engine)

    monkeypatch.setattr(store.transactions, "_prepare", at_the_second_time)
    with pytest.raises(OSError, match="full"):
        await store.preferences(ADA)
    await store.set_preferences(ADA, Preferences("de"))
    assert (await store.preferences(ADA)).language == "de"
    assert len(tries) == 2


async def test_a_writer_that_is_cancelled_leaves_the_database_to_the_next(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/a.db", secret="x")
    now, chance = datetime.now(UTC), random.Random(27)

    async def write() -> None:
        for number in range(5):
            await store.leases.take(f"lease {number}", "a process", now, now + timedelta(seconds=9))

    for _ in range(80):
        writing = asyncio.create_task(write())
        await asyncio.sleep(chance.uniform(0, 0.02))
        writing.cancel()
        assert await store.leases.take("another", "a process", now, now + timedelta(seconds=9))
    await store.close()
