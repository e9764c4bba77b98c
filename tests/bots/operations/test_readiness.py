"""What is ready, and what is not."""

import asyncio

import pytest

from bots.operations import Readiness, database_problem
from bots.operations import readiness as module
from db import Store
from tests.faults import Faults


async def _well() -> str:
    return ""


async def _ill() -> str:
    return "It hurts."


async def _broken() -> str:
    raise RuntimeError("a secret")


async def _hangs() -> str:
    await asyncio.Event().wait()
    return ""


async def test_where_everything_works_it_is_ready() -> None:
    assert await Readiness({"a": _well}, dict).report() == {"ready": True, "failing": []}


async def test_each_part_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.05)
    checks = {"ill": _ill, "well": _well, "broken": _broken, "hangs": _hangs}
    report = await Readiness(checks, lambda: {"The adapter for telegram": "It has stopped."}).report()
    assert report["ready"] is False
    assert [each["part"] for each in report["failing"]] == ["ill", "broken", "hangs", "The adapter for telegram"]
    assert "a secret" not in str(report)


async def test_a_database_that_does_not_answer_is_noticed(store: Store, faults: Faults) -> None:
    readiness = Readiness({"The database": lambda: database_problem(store)}, dict)
    assert await readiness.failing() == []
    with faults.no_database():
        [failing] = await readiness.failing()
    assert failing.part == "The database"
