"""Who comes next: chats take turns, and within a chat the people, so that nobody waits for somebody else's album."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass

MOST_OF_ONE = 30
"""Places that one person may hold in the queue of one chat: three albums."""


@dataclass(frozen=True)
class Whose:
    """On whose behalf something is done: a person in a chat."""

    chat: Hashable
    person: Hashable


NOBODY = Whose(None, None)
"""For what the bot does by itself."""


class TooManyError(Exception):
    """A person has `MOST_OF_ONE` places in the queue already."""


_Queue = deque["asyncio.Future[None]"]


class FairQueue:
    """Lets at most `places` in at once; who waits is let in by turns: of chats, of people, and in order of arrival."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._chats: OrderedDict[Hashable, OrderedDict[Hashable, _Queue]] = OrderedDict()

    @property
    def has_free_place(self) -> bool:
        """Return whether the next one does not have to wait."""
        return self._free > 0

    @property
    def waiting(self) -> int:
        """Return how many wait, of all people."""
        return sum(len(queue) for people in self._chats.values() for queue in people.values())

    def ahead_of(self, whose: Whose) -> int:
        """Return how many that wait now come before the next one of a person; 0 if that one need not wait."""
        if self._free:
            return 0
        people = self._chats.get(whose.chat, OrderedDict())
        own = len(people.get(whose.person, ()))
        same_chat = own + sum(min(len(queue), own + 1) for who, queue in people.items() if who != whose.person)
        others = sum(
            min(sum(map(len, queues.values())), same_chat + 1)
            for chat, queues in self._chats.items()
            if chat != whose.chat
        )
        return same_chat + others

    @asynccontextmanager
    async def place(self, whose: Whose) -> AsyncIterator[None]:
        """Hold a place in this context, after waiting for it. Raise `TooManyError` if the person waits too often."""
        await self._take(whose)
        try:
            yield
        finally:
            self._hand_on()

    async def _take(self, whose: Whose) -> None:
        if self._free:
            self._free -= 1
            return
        queue = self._chats.setdefault(whose.chat, OrderedDict()).setdefault(whose.person, deque())
        if len(queue) >= MOST_OF_ONE and whose is not NOBODY:
            raise TooManyError
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn had come just then
                self._hand_on()
            else:
                self._leave(whose, turn)
            raise

    def _hand_on(self) -> None:
        """Let the next one in: of the chat, and the person there, whose turn is longest ago."""
        while self._chats:
            chat, people = next(iter(self._chats.items()))
            person, queue = next(iter(people.items()))
            turn = queue.popleft()
            if turn.cancelled():  # who gave up has not left yet
                self._tidy(chat, person)
                continue
            people.move_to_end(person)
            self._chats.move_to_end(chat)
            self._tidy(chat, person)
            turn.set_result(None)
            return
        self._free += 1

    def _leave(self, whose: Whose, turn: "asyncio.Future[None]") -> None:
        queue = self._chats.get(whose.chat, OrderedDict()).get(whose.person)
        if queue is not None and turn in queue:
            queue.remove(turn)
            self._tidy(whose.chat, whose.person)

    def _tidy(self, chat: Hashable, person: Hashable) -> None:
        """Forget who no longer waits."""
        if not self._chats[chat][person]:
            del self._chats[chat][person]
        if not self._chats[chat]:
            del self._chats[chat]
