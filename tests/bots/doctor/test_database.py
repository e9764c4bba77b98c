"""The database: SQLite's file and PostgreSQL's server."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bots.doctor import database
from bots.doctor.database import check_database
from bots.doctor.findings import Severity
from bots.settings import Settings
from tests.bots.doctor.conftest import Made
from tests.ports import free_port

FILE = Path("data/mugmoji.db")


@pytest.fixture
async def settings(made: Made) -> Settings:
    """Return settings whose database the bot has created."""
    settings = made()
    store = await settings.open_store()
    await store.close()
    return settings


def _severities(settings: Settings) -> set[Severity]:
    return {each.severity for each in check_database(settings)}


def _in_database(*statements: str) -> None:
    with closing(sqlite3.connect(FILE)) as opened, opened:
        for statement in statements:
            opened.execute(statement)


def test_a_database_of_this_version_is_well_and_as_it_was(settings: Settings) -> None:
    before = FILE.read_bytes()
    assert _severities(settings) == {Severity.OK}
    assert FILE.read_bytes() == before
    assert sorted(each.name for each in FILE.parent.iterdir()) == ["mugmoji.db", "mugmoji.secret"]


def test_one_that_is_not_there_yet_is_well_and_is_not_created(made: Made) -> None:
    assert _severities(made()) == {Severity.OK}
    assert not FILE.exists()


def test_one_that_cannot_be_created_is_a_problem(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert _severities(made()) == {Severity.PROBLEM}


def test_one_of_an_older_version_is_a_warning_to_back_up(settings: Settings) -> None:
    _in_database("UPDATE alembic_version SET version_num = '0003'")
    [warned] = [each for each in check_database(settings) if each.severity is Severity.WARNING]
    assert "0003" in warned.fact
    assert "Back up" in warned.advice


def test_one_of_a_newer_version_is_a_problem(settings: Settings) -> None:
    _in_database("UPDATE alembic_version SET version_num = '9999'")
    assert Severity.PROBLEM in _severities(settings)


def test_an_empty_file_is_well(made: Made) -> None:
    FILE.parent.mkdir()
    _in_database("CREATE TABLE other (a)")
    assert Severity.PROBLEM not in {each.severity for each in check_database(made(secret="s" * 32))}


def test_a_damaged_one_is_a_problem(settings: Settings) -> None:
    content = bytearray(FILE.read_bytes())
    content[4096:12288] = b"x" * 8192
    FILE.write_bytes(content)
    assert Severity.PROBLEM in _severities(settings)
    FILE.write_bytes(b"x" * 10_000)
    assert Severity.PROBLEM in _severities(settings)


def test_a_locked_one_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_S", 0.1)
    with closing(sqlite3.connect(FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        [found] = check_database(settings)
    assert (found.severity, "locked" in found.fact) == (Severity.PROBLEM, True)


def test_a_database_without_its_secret_is_a_problem(settings: Settings) -> None:
    Path("data/mugmoji.secret").unlink()
    [found] = [each for each in check_database(settings) if each.severity is Severity.PROBLEM]
    assert "secret" in found.fact


def test_a_database_in_memory_is_a_warning(made: Made) -> None:
    assert _severities(made(database_url="sqlite://")) == {Severity.WARNING}


@pytest.mark.parametrize("address", ["nonsense", "mysql://a:s3cret@b/c", "postgresql://a:s3cret@b:port/c"])
def test_an_address_that_is_not_understood_is_a_problem(made: Made, address: str) -> None:
    found = check_database(made(database_url=address))
    assert {each.severity for each in found} == {Severity.PROBLEM}
    assert "s3cret" not in str(found)


def test_a_server_that_does_not_answer_is_a_problem_without_its_password(made: Made) -> None:
    found = check_database(made(database_url=f"postgresql://a:s3cret@127.0.0.1:{free_port()}/c"))
    assert {each.severity for each in found} == {Severity.PROBLEM}
    assert "s3cret" not in str(found)


def test_postgresql_without_its_package_is_a_problem(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "find_spec", lambda _: None)
    [found] = check_database(made(database_url="postgresql://a:b@127.0.0.1/c"))
    assert "[postgresql]" in found.advice


async def _make(server: str, name: str) -> str:
    """Return the address of a database of this name, new and empty."""
    address = make_url(server)
    engine = create_async_engine(address.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return address.set(database=name).render_as_string(hide_password=False)


def test_a_server_is_examined(made: Made, postgresql_server: str) -> None:
    settings = made(database_url=asyncio.run(_make(postgresql_server, "doctor")))
    assert [each.fact for each in check_database(settings)][1].startswith("It is empty")

    async def migrated() -> None:
        store = await settings.open_store()
        await store.close()

    asyncio.run(migrated())
    found = check_database(settings)
    assert {each.severity for each in found} == {Severity.OK}
    assert "newest" in found[1].fact


def test_a_server_that_is_only_read_is_a_problem(made: Made, postgresql_server: str) -> None:
    address = asyncio.run(_make(postgresql_server, "doctor_reads"))

    async def restrict() -> None:
        engine = create_async_engine(make_url(address).set(drivername="postgresql+asyncpg"))
        async with engine.begin() as connection:
            await connection.execute(text("ALTER DATABASE doctor_reads SET default_transaction_read_only = on"))
        await engine.dispose()

    asyncio.run(restrict())
    assert Severity.PROBLEM in _severities(made(database_url=address))
