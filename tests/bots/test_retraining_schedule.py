from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bots.retrainer import Retrainer
from bots.retraining_schedule import RetrainingSchedule
from db import State, Store
from tests.training.feedback import fill

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def retrainer(store: Store, tmp_path: Path) -> Retrainer:
    url = f"sqlite:///{tmp_path}/test.db"
    return Retrainer(store, {"DATABASE_URL": url, "SECRET": "a secret for tests", "DATA_DIR": str(tmp_path)})


def schedule(store: Store, retrainer: Retrainer, least: int = 5, at: time = time(3, 30)) -> RetrainingSchedule:
    return RetrainingSchedule(store, retrainer, at, least, clock=lambda: NOON)


@pytest.mark.parametrize(("at", "hours"), [(time(3, 30), 15.5), (time(12, 0), 24), (time(12, 30), 0.5)])
def test_it_waits_for_the_next_time(store: Store, retrainer: Retrainer, at: time, hours: float) -> None:
    assert schedule(store, retrainer, at=at).seconds_to_go() == hours * 3600


async def test_it_starts_when_enough_was_said_since_the_last_time(store: Store, retrainer: Retrainer) -> None:
    assert not await schedule(store, retrainer).retrain_if_due()
    await fill(store, people=1)
    assert not await schedule(store, retrainer, least=6).retrain_if_due()
    assert await schedule(store, retrainer).retrain_if_due()
    latest = await store.retrainings.latest()
    assert latest is not None
    assert (latest.depth, latest.asked_by) == ("adapt", "the schedule")
    assert not await schedule(store, retrainer).retrain_if_due()  # nothing was said since
    ended = [each async for each in retrainer.watch(latest.id)][-1]
    assert ended.state is State.FAILED  # the process did run, and found five faces too few
    assert "10 are needed" in ended.message


async def test_of_several_replicas_one_starts(store: Store, retrainer: Retrainer) -> None:
    await fill(store, people=1)
    await store.retrainings.start("adapt", "another replica")
    await fill(store, people=2)
    assert not await schedule(store, retrainer).retrain_if_due()
