"""Answers that outlive the request they were asked with: whoever asks again with the same id gets the same one."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractContextManager

from cachetools import TTLCache
from pydantic import BaseModel

REMEMBERED_FOR_S = 600.0
"""How long an answer waits for a browser that lost its connection."""
MOST_REMEMBERED = 256
MOST_REMEMBERED_BYTES = 64 * 1024
"""A longer answer is handed out while it is made, and not remembered."""


class Answering:
    """One answer, in lines of JSON; it is made to its end whether or not anybody is there to read it."""

    def __init__(self, shapes: AsyncIterator[BaseModel]) -> None:
        """shapes: the lines, which come to an end and raise nothing."""
        self._lines: list[bytes] = []
        self._more = asyncio.Condition()
        self._task = asyncio.create_task(self._make(shapes))

    @property
    def is_done(self) -> bool:
        """Return whether it is complete."""
        return self._task.done()

    @property
    def size(self) -> int:
        """Return the bytes of the lines so far."""
        return sum(map(len, self._lines))

    def hold(self, held: AbstractContextManager[None]) -> None:
        """Stay in a context until it is complete."""
        held.__enter__()
        self._task.add_done_callback(lambda _: held.__exit__(None, None, None))

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield all its lines, as soon as they are there."""
        sent = 0
        while True:
            async with self._more:
                while sent == len(self._lines) and not self.is_done:
                    await self._more.wait()
            if sent == len(self._lines):
                return
            yield self._lines[sent]
            sent += 1

    async def _make(self, shapes: AsyncIterator[BaseModel]) -> None:
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self._wake()))
        async for shape in shapes:
            self._lines.append(shape.model_dump_json().encode() + b"\n")
            await self._wake()

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()


class Answers:
    """The answers that are being made, and for a while those that were."""

    def __init__(self) -> None:
        self._answers: TTLCache[Hashable, Answering] = TTLCache(MOST_REMEMBERED, REMEMBERED_FOR_S)

    def of(self, key: Hashable, shapes: AsyncIterator[BaseModel]) -> tuple[Answering, bool]:
        """Return the answer of this key, and whether it is a new one, which these shapes make."""
        known = self._answers.get(key)
        if known is not None and (not known.is_done or known.size <= MOST_REMEMBERED_BYTES):
            return known, False
        answering = self._answers[key] = Answering(shapes)
        return answering, True
