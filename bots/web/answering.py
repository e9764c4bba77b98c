"""Answers that outlive the request they were asked with: whoever asks again with the same id gets the same one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager

import structlog
from cachetools import TTLCache
from pydantic import BaseModel

from bots.web.shapes import ProblemShape
from db import Person

REMEMBERED_FOR_S = 600.0
"""How long an answer waits for a browser that lost its connection."""
MOST_REMEMBERED = 256
"""Answers that are remembered: each has a few kilobytes, since it has no picture of the photo."""

_log = structlog.get_logger()


class Answering:
    """One answer, in several parts; it is made to its end whether or not anybody is there to read it."""

    def __init__(self, shapes: AsyncIterator[BaseModel]) -> None:
        """shapes: the parts, which come to an end."""
        self._shapes: list[BaseModel] = []
        self._more = asyncio.Condition()
        self._task = asyncio.create_task(self._make(shapes))

    @property
    def is_done(self) -> bool:
        """Return whether it is complete."""
        return self._task.done()

    @property
    def may_be_repeated(self) -> bool:
        """Return whether who asks again gets the same: not if it failed, or says that nothing was done."""
        return not self.is_done or (bool(self._shapes) and not isinstance(self._shapes[-1], ProblemShape))

    def hold(self, held: AbstractContextManager[None]) -> None:
        """Stay in a context until it is complete."""
        held.__enter__()
        self._task.add_done_callback(lambda _: held.__exit__(None, None, None))

    async def follow(self) -> AsyncIterator[BaseModel]:
        """Yield all its parts, as soon as they are there."""
        sent = 0
        while True:
            async with self._more:
                while sent == len(self._shapes) and not self.is_done:
                    await self._more.wait()
            if sent == len(self._shapes):
                return
            yield self._shapes[sent]
            sent += 1

    async def _make(self, shapes: AsyncIterator[BaseModel]) -> None:
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self._wake()))
        try:
            async for shape in shapes:
                self._shapes.append(shape)
                await self._wake()
        except Exception:
            _log.exception("photo_failed", platform="web")

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()


class Answers:
    """The answers that are being made, and for a while those that were."""

    def __init__(self) -> None:
        self._answers: TTLCache[tuple[Person, str], Answering] = TTLCache(MOST_REMEMBERED, REMEMBERED_FOR_S)

    def of(self, person: Person, name: str, shapes: AsyncIterator[BaseModel]) -> tuple[Answering, bool]:
        """Return a person's answer of this name, and whether it is a new one, which these shapes make."""
        known = self._answers.get((person, name))
        if known is not None and known.may_be_repeated:
            return known, False
        answering = self._answers[person, name] = Answering(shapes)
        return answering, True

    def forget(self, person: Person) -> None:
        """Forget all answers of a person."""
        for key in [key for key in self._answers if key[0] == person]:
            del self._answers[key]
