import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from db import Actor, Chat, Consent, Depth, FaceReading, Person, Platform, Preferences, Store, StoreError
from db.migrate import upgrade
from db.schema import Base
from tests.db.conftest import SECRET
from tests.db.postgresql import PASSWORD
from tests.rows import execute, select_rows

SCRIPTS = Path(__file__).parents[2] / "db" / "migrations"


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return list(compare_metadata(context, Base.metadata))


def downgrade(connection: Connection, revision: str = "base") -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def run_in(store: Store, work: Callable[..., Any], *arguments: object) -> Any:
    """Run a function of a connection in a writing transaction."""
    async with store.transactions.write() as session:
        return await (await session.connection()).run_sync(work, *arguments)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_an_upgraded_database_has_the_schema_of_the_code(store: Store) -> None:
    assert await run_in(store, differences) == []
    assert await run_in(store, tables) == {*Base.metadata.tables, "alembic_version"}


async def test_upgrading_twice_changes_nothing(store: Store) -> None:
    await run_in(store, upgrade, SECRET)
    assert await run_in(store, differences) == []


async def test_a_downgrade_to_nothing_and_back_works(store: Store) -> None:
    await run_in(store, downgrade)
    assert await run_in(store, tables) == {"alembic_version"}
    await run_in(store, upgrade, SECRET)
    assert await run_in(store, differences) == []


async def test_people_of_the_first_schema_keep_their_photos_and_have_no_preferences(store: Store) -> None:
    anna = Person(Platform.TELEGRAM, "778899001122")
    await store.set_keeps_faces(anna, agreed=True)
    (reading,) = (
        await store.add_photo(anna, Chat(Platform.TELEGRAM, "1"), "model-1", [FaceReading((1.0,), ("😁",), b"")])
    ).readings
    await run_in(store, downgrade, "0001")
    await run_in(store, upgrade, SECRET)
    assert await store.consents.of(anna) == Consent(agreed=False, is_outdated=True)  # to words without a time
    assert await store.photo_of(reading.id, asked_by=anna) is not None
    assert await store.preferences(anna) == Preferences()


async def test_sqlite_is_in_wal_mode_with_foreign_keys_on(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", "secret")
    expected = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "secure_delete": 1}
    found = {name: (await select_rows(store, f"PRAGMA {name}"))[0][0] for name in expected}
    await store.close()
    assert found == expected


async def test_raw_ids_of_admins_become_hashes_and_names_stay(store: Store) -> None:
    await store.versions.begin_with("shipped-1", b"files")
    await store.retrainings.start(Depth.ADAPT, Actor("the schedule"))
    await run_in(store, downgrade, "0004")
    names = ["telegram 778899001122", "discord 42", "Grace", "the software"]
    values = ", ".join(
        f"({number}, 1, '2026-01-01 00:00:00', '{name}', 'promote', '')" for number, name in enumerate(names, start=10)
    )
    await execute(
        store,
        f'INSERT INTO promotions (id, model_id, at, "by", kind, reason) VALUES {values}',
        "UPDATE retrainings SET asked_by = 'telegram 778899001122'",
    )
    await run_in(store, upgrade, SECRET)
    anna, bert = Person(Platform.TELEGRAM, "778899001122"), Person(Platform.DISCORD, "42")
    rows = await select_rows(store, 'SELECT "by", by_hash FROM promotions WHERE id >= 10 ORDER BY id')
    assert rows == [
        ("an admin on Telegram", anna.hashed(SECRET)),
        ("an admin on Discord", bert.hashed(SECRET)),
        ("Grace", None),
        ("the software", None),
    ]
    assert await store.retrainings.was_asked_by(1, anna)
    assert not await store.retrainings.was_asked_by(1, bert)
    for table in Base.metadata.tables:
        assert "778899001122" not in str(await select_rows(store, f"SELECT * FROM {table}"))


async def test_a_database_of_a_newer_version_is_one_sentence(store: Store, url: str) -> None:
    await execute(store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="written by a newer version of Mugmoji") as error:
        await Store.open(url, SECRET)
    assert PASSWORD not in str(error.value)


async def test_taps_of_before_are_found_by_person_and_chat(store: Store) -> None:
    anna, chat, long_ago = (
        Person(Platform.TELEGRAM, "1"),
        Chat(Platform.TELEGRAM, "2"),
        datetime(2000, 1, 1, tzinfo=UTC),
    )
    (reading,) = (await store.add_photo(anna, chat, "model-1", [FaceReading((1.0,), ("😁",), b"")])).readings
    await store.taps.add(reading.id, emoji="😁")
    await run_in(store, downgrade, "0004")
    await run_in(store, upgrade, SECRET)
    assert [choice.emoji for choice in await store.choices.of_person(anna, long_ago, 9)] == ["😁"]
    assert [choice.emoji for choice in await store.choices.of_chat(chat, long_ago, 9)] == ["😁"]


async def test_replicas_that_start_at_once_on_an_empty_database_all_start(url: str) -> None:
    """In processes of their own, as replicas are; each waits at the start for the others to be ready."""
    replicas = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _REPLICA, url, SECRET),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=SCRIPTS.parents[1],
        )
        for _ in range(4)
    ]
    for replica in replicas:
        assert replica.stdout is not None
        assert await replica.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(replica.communicate(b"go\n") for replica in replicas))
    assert [(out, errors.decode()[-600:]) for out, errors in said] == [(b"0010\n", "")] * len(replicas)


_REPLICA = """
import asyncio, sys
from sqlalchemy import text
from db import Store

async def main():
    store = await Store.open(*sys.argv[1:3])
    async with store.transactions.read() as session:
        print(await session.scalar(text("SELECT version_num FROM alembic_version")))
    await store.close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""
