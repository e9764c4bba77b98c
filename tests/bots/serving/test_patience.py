"""A database that is away for some seconds is waited for; one that stays away is not, by nobody."""

import pytest
from sqlalchemy.exc import OperationalError

from bots.serving.patience import PATIENT_FOR_S, Patience
from db import Store

GONE = OperationalError("", {}, OSError())


class Database:
    """Answers from a moment on, in seconds."""

    def __init__(self, back_at: float) -> None:
        self.now = 0.0
        self.back_at = back_at
        self.asked = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def answer(self) -> str:
        self.asked += 1
        if self.now < self.back_at:
            raise GONE
        return "well"


def patience_with(database: Database, longest_s: float = PATIENT_FOR_S) -> Patience:
    return Patience(longest_s, clock=database.clock, sleep=database.sleep)


async def test_a_database_that_comes_back_answers() -> None:
    database = Database(back_at=10)
    assert await patience_with(database).ask(database.answer) == "well"
    assert database.now == pytest.approx(10, abs=1)


async def test_one_that_stays_away_is_waited_for_once() -> None:
    database = Database(back_at=1000)
    patience = patience_with(database)
    for waited in (PATIENT_FOR_S, 0):
        before = database.now
        with pytest.raises(OperationalError):
            await patience.ask(database.answer)
        assert database.now - before == waited


async def test_after_it_was_back_it_is_waited_for_again() -> None:
    database = Database(back_at=10)
    patience = patience_with(database)
    await patience.ask(database.answer)
    database.now, database.back_at = 500, 505
    assert await patience.ask(database.answer) == "well"


async def test_a_file_is_not_waited_for(store: Store) -> None:
    database = Database(back_at=1)
    patience = Patience.with_store(store)
    with pytest.raises(OperationalError):
        await patience.ask(database.answer)
    assert database.asked == 1
