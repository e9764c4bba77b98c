from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from db import Chat, FaceReading, Person, Platform, Preferences, Store
from db.migrate import upgrade
from db.schema import Base

SCRIPTS = Path(__file__).parents[2] / "db" / "migrations"


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return list(compare_metadata(context, Base.metadata))


def downgrade(connection: Connection, revision: str = "base") -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_an_upgraded_database_has_the_schema_of_the_code(store: Store) -> None:
    async with store._engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(tables) == {*Base.metadata.tables, "alembic_version"}


async def test_upgrading_twice_changes_nothing(store: Store) -> None:
    async with store._engine.begin() as connection:
        await connection.run_sync(upgrade)
    async with store._engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_downgrade_to_nothing_and_back_works(store: Store) -> None:
    async with store._engine.begin() as connection:
        await connection.run_sync(downgrade)
    async with store._engine.connect() as connection:
        assert await connection.run_sync(tables) == {"alembic_version"}
    async with store._engine.begin() as connection:
        await connection.run_sync(upgrade)
    async with store._engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_people_of_the_first_schema_keep_their_photos_and_have_no_preferences(store: Store) -> None:
    anna = Person(Platform.TELEGRAM, "778899001122")
    await store.set_keeps_faces(anna, agreed=True)
    (reading,) = await store.add_photo(
        anna, Chat(Platform.TELEGRAM, "1"), "model-1", [FaceReading((1.0,), ("😁",), b"")]
    )
    async with store._engine.begin() as connection:
        await connection.run_sync(downgrade, "0001")
    async with store._engine.begin() as connection:
        await connection.run_sync(upgrade)
    assert await store.keeps_faces(anna)
    assert await store.photo_of(reading.id, asked_by=anna) is not None
    assert await store.preferences(anna) == Preferences()


async def test_sqlite_is_in_wal_mode_with_foreign_keys_on(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", "secret")
    expected = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "secure_delete": 1}
    async with store._engine.connect() as connection:
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in expected}
    await store.close()
    assert found == expected
