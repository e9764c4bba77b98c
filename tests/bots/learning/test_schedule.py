from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bots.learning.retraining_process import RetrainingProcess
from bots.learning.schedule import RetrainingSchedule
from db import Actor, Depth, State, Store
from tests.training.feedback_rows import fill

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def retraining_process(store: Store, tmp_path: Path) -> RetrainingProcess:
    url = f"sqlite:///{tmp_path}/test.db"
    return RetrainingProcess(store, {"DATABASE_URL": url, "SECRET": "a secret for tests", "DATA_DIR": str(tmp_path)})


def schedule(
    store: Store, retraining_process: RetrainingProcess, least: int = 5, at: time = time(3, 30)
) -> RetrainingSchedule:
    return RetrainingSchedule(store, retraining_process, at, least, clock=lambda: NOON)


@pytest.mark.parametrize(("at", "hours"), [(time(3, 30), 15.5), (time(12, 0), 24), (time(12, 30), 0.5)])
def test_it_waits_for_the_next_time(
    store: Store, retraining_process: RetrainingProcess, at: time, hours: float
) -> None:
    assert schedule(store, retraining_process, at=at).seconds_to_go() == hours * 3600


async def test_it_starts_when_enough_was_said_since_the_last_time(
    store: Store, retraining_process: RetrainingProcess
) -> None:
    assert not await schedule(store, retraining_process).retrain_if_due()
    await fill(store, people=1)
    assert not await schedule(store, retraining_process, least=6).retrain_if_due()
    assert await schedule(store, retraining_process).retrain_if_due()
    latest = await store.retrainings.latest()
    assert latest is not None
    assert (latest.depth, latest.asked_by) == ("adapt", "the schedule")
    assert not await schedule(store, retraining_process).retrain_if_due()  # no feedback since
    ended = [each async for each in retraining_process.watch(latest.id)][-1]
    assert ended.state is State.FAILED  # the process ran, and five faces were too few
    assert "10 are needed" in ended.message


async def test_of_several_replicas_one_starts(store: Store, retraining_process: RetrainingProcess) -> None:
    await fill(store, people=1)
    await store.retrainings.start(Depth.ADAPT, Actor("another replica"))
    await fill(store, people=2)
    assert not await schedule(store, retraining_process).retrain_if_due()
