"""Every test that takes `url` or `store` runs on SQLite and on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db import Store
from tests.db import postgresql
from tests.faults import Faults

SECRET = "a secret for tests"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    programs = postgresql.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed: apt-get install postgresql")
    with postgresql.server(programs) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return await postgresql.new_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
async def store(url: str, faults: Faults) -> AsyncIterator[Store]:
    store = await Store.open(url, SECRET, before_statement=faults)
    yield store
    await store.close()
