"""Crops are encrypted with the first key, read with any, and encrypted anew with another by a command."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from db import Chat, CropKeyError, CropSealing, FaceReading, Imported, Person, Platform, Store, StoreError, Verdict
from db.crop_keys import Rotation
from db.crop_sealing import is_sealed, new_key
from db.schema import ReadingRow
from db.settings import DatabaseSettings
from tests.db.conftest import SECRET
from tests.db.test_store import bytes_of_all_files

ROOT = Path(__file__).parents[2]
ANNA, GROUP = Person(Platform.TELEGRAM, "778899001122"), Chat(Platform.TELEGRAM, "-100987654321")
SEVEN = (0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0)
CROP = bytes(range(256)) * 9
ONE, OTHER = new_key(), new_key()


async def opened(url: str, *keys: str) -> Store:
    return await Store.open(url, SECRET, sealing=CropSealing(keys))


async def stored(store: Store) -> list[bytes]:
    async with store.transactions.read() as session:
        query = select(ReadingRow.crop).where(ReadingRow.crop.is_not(None)).order_by(ReadingRow.id)
        return [crop or b"" for crop in await session.scalars(query)]


async def read(store: Store) -> list[bytes]:
    return [face.crop for face in await store.feedback.faces(only_with_answers=False)]


async def add(url: str, keys: Sequence[str]) -> None:
    store = await opened(url, *keys)
    await store.set_keeps_faces(ANNA, True)
    await store.add_photo(ANNA, GROUP, "model-1", [FaceReading(SEVEN, ("😁",), CROP)])
    await store.close()


async def test_with_a_key_no_crop_is_stored_as_it_is_and_all_that_needs_them_works(url: str) -> None:
    await add(url, [ONE])
    store = await opened(url, ONE)
    face = Imported(CROP, SEVEN, Verdict.SAD, Person(Platform.IMPORT, "set/1"))
    assert [await store.feedback.add_imported([face, face], "model-1", "set") for _ in range(2)] == [1, 0]
    assert all(is_sealed(each) and CROP[:100] not in each for each in await stored(store))
    assert await read(store) == [CROP, CROP]
    assert list((await store.feedback.crops([1, 2])).values()) == [CROP, CROP]
    data = await store.personal_data.of(ANNA)
    assert data is not None
    assert [each.crop for each in data.faces] == [CROP]
    await store.close()


async def test_without_a_key_crops_are_stored_as_they_are(url: str) -> None:
    await add(url, [])
    store = await opened(url)
    assert await stored(store) == await read(store) == [CROP]
    await store.close()


async def test_a_key_that_is_changed_reads_old_and_clear_crops_until_all_are_encrypted_anew(url: str) -> None:
    await add(url, [])
    await add(url, [ONE])
    store = await opened(url, OTHER, ONE)
    assert await read(store) == [CROP, CROP]
    assert await store.crop_keys.rotate() == Rotation(changed=2, is_scrubbed=True)
    assert await store.crop_keys.rotate() == Rotation(current=2, is_scrubbed=True)
    await store.close()
    store = await opened(url, OTHER)
    assert await read(store) == [CROP, CROP]
    await store.close()


@pytest.mark.parametrize(("keys", "advice"), [((), "CROPS_KEY is not set"), ((OTHER,), "add the one")])
async def test_where_no_key_fits_it_is_said_and_nothing_breaks(url: str, keys: tuple[str, ...], advice: str) -> None:
    await add(url, [ONE])
    store = await opened(url, *keys)
    with pytest.raises(StoreError, match=advice):
        await store.require_crop_key()
    with pytest.raises(CropKeyError, match=advice):
        await store.feedback.faces(only_with_answers=False)
    assert await store.feedback.crops([1]) == {}
    data = await store.personal_data.of(ANNA)
    assert data is not None
    assert [each.crop for each in data.faces] == [None]
    await store.close()


async def test_a_program_with_the_wrong_key_does_not_start_and_says_what_to_set(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    await add(url, [ONE])
    facts = {"database_url": SecretStr(url), "data_dir": tmp_path, "secret": SecretStr(SECRET)}
    for keys, advice in ((OTHER, "separated by a comma"), ("", "CROPS_KEY is not set")):
        with pytest.raises(StoreError, match=advice):
            await DatabaseSettings(crops_key=SecretStr(keys), **facts).open_store()  # type: ignore[arg-type]
    store = await DatabaseSettings(crops_key=SecretStr(f"{OTHER}, {ONE}"), **facts).open_store()  # type: ignore[arg-type]
    assert await read(store) == [CROP]
    await store.close()


async def test_one_key_of_two_that_is_missing_is_noticed_at_the_start(url: str) -> None:
    await add(url, [ONE])
    await add(url, [OTHER])
    for keys in ([ONE], [OTHER]):
        store = await opened(url, *keys)
        with pytest.raises(StoreError):
            await store.require_crop_key()
        await store.close()
    store = await opened(url, OTHER, ONE)
    await store.require_crop_key()
    await store.close()


async def test_crops_whose_key_is_lost_can_be_deleted_and_their_readings_stay(url: str) -> None:
    await add(url, [ONE])
    store = await opened(url, OTHER)
    assert await store.crop_keys.rotate() == Rotation(unreadable=1, is_scrubbed=True)
    assert await store.crop_keys.rotate(deletes_unreadable=True) == Rotation(unreadable=1, is_scrubbed=True)
    await store.require_crop_key()
    assert await stored(store) == []
    assert await store.photo_of(1, ANNA) is not None
    await store.close()


async def test_the_program_makes_a_key_encrypts_and_says_what_is_wrong(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    await add(url, [])
    clear = CROP[500:600]
    assert clear in bytes_of_all_files(tmp_path)
    key = _run(tmp_path, url, "new-key", key="").stdout.strip()
    done = _run(tmp_path, url, "rotate-key", key=key)
    assert (done.returncode, "1 faces are encrypted anew" in done.stdout) == (0, True)
    assert clear not in bytes_of_all_files(tmp_path)
    wrong = _run(tmp_path, url, "rotate-key", key=OTHER)
    assert (wrong.returncode, "fit no key" in wrong.stderr) == (1, True)
    missing = _run(tmp_path, url, "rotate-key", key="")
    assert (missing.returncode, "set CROPS_KEY" in missing.stderr) == (3, True)
    malformed = _run(tmp_path, url, "rotate-key", key="a-password-of-mine")
    assert (malformed.returncode, "CROPS_KEY" in malformed.stderr, "a-password" in malformed.stderr) == (3, True, False)


def _run(folder: Path, url: str, command: str, *, key: str) -> subprocess.CompletedProcess[str]:
    settings = {"DATABASE_URL": url, "SECRET": SECRET, "CROPS_KEY": key, "PYTHONPATH": str(ROOT)}
    environment = {"PATH": os.environ["PATH"], **settings}
    program = [sys.executable, "-m", "db", command]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
