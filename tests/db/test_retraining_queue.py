"""What decides whether a retraining is handed over, and that it is begun once."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from db import Actor, Depth, LostError, State, Store
from db.retraining_queue import conninfo
from db.retrainings import LOST_AFTER, Retrainings
from db.settings import DatabaseSettings
from tests.db.conftest import SECRET

ANNA = Actor("Anna")
ODD = quote("x@ 'y")


async def test_of_all_that_take_a_retraining_one_gets_it(store: Store) -> None:
    number = await store.retrainings.start(Depth.FULL, ANNA)
    taken = await asyncio.gather(*(store.retrainings.take(number) for _ in range(5)), return_exceptions=True)
    assert taken.count(Depth.FULL) == 1
    assert sum(isinstance(each, LostError) for each in taken) == 4


async def test_a_retraining_that_runs_or_has_ended_is_not_taken(store: Store) -> None:
    number = await store.retrainings.start(Depth.ADAPT, ANNA)
    await store.retrainings.beat(number, "Learning", 0.5)
    with pytest.raises(LostError):
        await store.retrainings.take(number)
    await store.retrainings.finish(number, State.CANCELLED, "")
    with pytest.raises(LostError):
        await store.retrainings.take(number)
    with pytest.raises(LostError):
        await store.retrainings.take(number + 1)


@pytest.mark.parametrize(("late", "is_taken"), [(timedelta(0), True), (timedelta(seconds=1), False)])
async def test_a_retraining_that_waited_so_long_that_it_counts_as_dead_is_not_taken(
    store: Store, late: timedelta, is_taken: bool
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    retrainings = Retrainings(store.transactions, SECRET, lambda: now)
    number = await retrainings.start(Depth.ADAPT, ANNA)
    now += LOST_AFTER + late
    [taken] = await asyncio.gather(retrainings.take(number), return_exceptions=True)
    assert (taken is Depth.ADAPT) is is_taken


async def test_what_asked_it_to_stop_while_it_waited_is_heard(store: Store) -> None:
    number = await store.retrainings.start(Depth.ADAPT, ANNA)
    await store.retrainings.ask_to_stop()
    await store.retrainings.take(number)
    assert await store.retrainings.beat(number, "Learning", 0.1)


async def test_only_on_postgresql_with_its_packages_is_anything_handed_over(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = DatabaseSettings(database_url=SecretStr(url))
    assert (settings.retraining_queue(store) is None) is url.startswith("sqlite")
    monkeypatch.setitem(sys.modules, "db.retraining_queue", None)
    assert settings.retraining_queue(store) is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://a:b@host:1/c", "connect_timeout=10 host=host dbname=c user=a password=b port=1"),
        (f"postgres+asyncpg://a:{ODD}@host/c", r"connect_timeout=10 host=host dbname=c user=a password='x@ \'y'"),
        ("postgresql://a@/c?host=/run/x&ssl=require", "connect_timeout=10 dbname=c user=a host=/run/x sslmode=require"),
        (
            "postgresql+asyncpg://a@/c?host=one:1&host=two:2&prepared_statement_cache_size=0&connect_timeout=3",
            "connect_timeout=3 dbname=c user=a host=one,two port=1,2",
        ),
    ],
)
def test_libpq_understands_what_is_written_for_asyncpg(address: str, told: str) -> None:
    assert conninfo(address) == told
