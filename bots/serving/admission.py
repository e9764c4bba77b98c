"""How much of one person and of one chat is in hand at once, on every platform: beyond it they are told to slow down.

What is admitted may wait for a limit of its platform or for the recogniser without holding up anybody else: the caps
are small, and together they are far from what the process can have in hand. At the end nothing more is admitted, and
what is in hand is waited for.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bots.serving.fair_queue import MOST_OF_ONE, Whose


class Kind(Enum):
    """What is to be admitted: a photo waits as a name, and all else is answered soon or not at all."""

    PHOTO = "photo"
    OTHER = "other"


@dataclass(frozen=True)
class Cap:
    """What may be in hand at once: of one person in a chat, and of the chat."""

    of_person: int
    of_chat: int


CAPS: Mapping[Kind, Cap] = {Kind.PHOTO: Cap(MOST_OF_ONE, 1000), Kind.OTHER: Cap(20, 40)}
"""Three albums of a person, and as many photos of a chat as a hundred people send at a party; of all else, what a
Telegram group can be told in two minutes.
"""
MOST_IN_ALL = 4096
"""What may be in hand of all chats together: some 20 KB of memory each."""
END_OF_CANCELLED_S = 3.0
"""Seconds for which what was cancelled at the end is waited for."""


class RefusedError(Exception):
    """Too much of a person or a chat is in hand. tells: they are to be told so, which happens once a burst."""

    def __init__(self, *, tells: bool = False) -> None:
        super().__init__()
        self.tells = tells


@dataclass
class _Crowd:
    """What is in hand of one chat, and who of it was told to slow down."""

    people: Counter[Whose] = field(default_factory=Counter)
    told: set[Whose] = field(default_factory=set)


class Admission:
    """Counts what is in hand on one platform."""

    def __init__(self, caps: Mapping[Kind, Cap] = CAPS, most_in_all: int = MOST_IN_ALL) -> None:
        self._caps = caps
        self._most_in_all = most_in_all
        self._crowds: dict[tuple[object, Kind], _Crowd] = {}
        self._in_hand = 0
        self._tasks: Counter[asyncio.Task[Any]] = Counter()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_closed = False

    @property
    def in_hand(self) -> int:
        """Return how much is in hand."""
        return self._in_hand

    @property
    def is_closed(self) -> bool:
        """Return whether nothing is admitted any more."""
        return self._is_closed

    @contextmanager
    def admitted(self, whose: Whose, kind: Kind) -> Iterator[None]:
        """Count something as in hand until the context is left. Raise `RefusedError`."""
        if self._is_closed or self._in_hand >= self._most_in_all:
            raise RefusedError
        key = (whose.chat, kind)
        crowd = self._crowds.setdefault(key, _Crowd())
        cap = self._caps[kind]
        if crowd.people[whose] >= cap.of_person or crowd.people.total() >= cap.of_chat:
            tells = whose not in crowd.told
            crowd.told.add(whose)
            raise RefusedError(tells=tells)
        crowd.people[whose] += 1
        self._in_hand += 1
        self._is_idle.clear()
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] += 1
        try:
            yield
        finally:
            self._leave(key, whose, task)

    def close(self) -> None:
        """Admit nothing more."""
        self._is_closed = True

    def open(self) -> None:
        """Admit again."""
        self._is_closed = False

    async def finish(self, longest_s: float) -> int:
        """Admit nothing more, wait for what is in hand, so many seconds, and cancel the rest; return how much that was.

        Cancelled itself, it cancels the rest at once.
        """
        self.close()
        try:
            async with asyncio.timeout(longest_s):
                await self._is_idle.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self._cancel()
            raise
        rest = self._cancel()
        if rest:
            await asyncio.wait(rest, timeout=END_OF_CANCELLED_S)
        return len(rest)

    def _cancel(self) -> list["asyncio.Task[Any]"]:
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        return rest

    def _leave(self, key: tuple[object, Kind], whose: Whose, task: "asyncio.Task[Any]") -> None:
        crowd = self._crowds[key]
        crowd.people[whose] -= 1
        if not crowd.people[whose]:
            del crowd.people[whose]
            crowd.told.discard(whose)
        if not crowd.people:
            del self._crowds[key]
        self._tasks[task] -= 1
        if not self._tasks[task]:
            del self._tasks[task]
        self._in_hand -= 1
        if not self._in_hand:
            self._is_idle.set()
