"""Check whether the bot can do its work: each part says what is wrong with it, or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from db import Role, Store

ANSWER_WITHIN_S = 2.0
Check = Callable[[], Awaitable[str]]
"""Returns a sentence about what is wrong, empty if nothing is."""


@dataclass(frozen=True)
class Failing:
    """One part that does not work, and why."""

    part: str
    reason: str


class Readiness:
    """The checks of all parts."""

    def __init__(self, checks: Mapping[str, Check], tasks: Callable[[], Mapping[str, str]]) -> None:
        """checks: by the name of their part. tasks: returns what does not run, with a sentence about each."""
        self._checks = checks
        self._tasks = tasks

    async def failing(self) -> list[Failing]:
        """Return the parts that do not work. Raise nothing."""
        reasons = await asyncio.gather(*(_reason(check) for check in self._checks.values()))
        parts = [*zip(self._checks, reasons, strict=True), *self._tasks().items()]
        return [Failing(part, reason) for part, reason in parts if reason]

    async def report(self) -> dict[str, Any]:
        """Return what is ready and what is not, for JSON."""
        failing = await self.failing()
        return {"ready": not failing, "failing": [asdict(each) for each in failing]}


async def database_problem(store: Store) -> str:
    """Return what is wrong with the database. Raise what it raises."""
    await store.versions.holding(Role.ACTIVE)
    return ""


async def _reason(check: Check) -> str:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await check()
    except TimeoutError:
        return f"It does not answer within {ANSWER_WITHIN_S:.0f} seconds."
    except Exception as error:
        return f"It does not answer ({type(error).__name__})."
