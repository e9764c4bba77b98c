"""Chats and people take turns; nobody waits for all of somebody else's photos, and nothing is left behind."""

import asyncio
from collections.abc import Sequence

import pytest

from bots.serving.fair_queue import MOST_OF_ONE, FairQueue, TooManyError, Whose

ADA, BERT, EVE = Whose("group", "ada"), Whose("group", "bert"), Whose("eve", "eve")


class Line:
    """A queue with one place, which is taken; tasks that wait note when they were let in."""

    def __init__(self) -> None:
        self.queue = FairQueue(1)
        self.seen: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._open = asyncio.Event()

    async def wait(self, *waiting: tuple[str, Whose]) -> None:
        for name, whose in waiting:
            self.tasks.append(asyncio.create_task(self._wait(name, whose)))
            await asyncio.sleep(0)

    async def _wait(self, name: str, whose: Whose) -> None:
        async with self.queue.place(whose):
            self.seen.append(name)

    async def through(self) -> Sequence[str]:
        await asyncio.gather(*self.tasks)
        return self.seen


async def test_chats_take_turns_and_people_within_them() -> None:
    line = Line()
    async with line.queue.place(ADA):
        await line.wait(*((f"ada {number}", ADA) for number in range(4)))
        await line.wait(("bert 0", BERT), ("eve 0", EVE), ("bert 1", BERT), ("eve 1", EVE))
    assert await line.through() == ["ada 0", "eve 0", "bert 0", "eve 1", "ada 1", "bert 1", "ada 2", "ada 3"]


async def test_a_stranger_waits_for_one_photo_of_an_album_and_is_told_so() -> None:
    line = Line()
    async with line.queue.place(ADA):
        await line.wait(*((f"ada {number}", ADA) for number in range(20)))
        assert line.queue.ahead_of(EVE) == 1
        assert line.queue.ahead_of(BERT) == 1
        assert line.queue.ahead_of(ADA) == 20
        await line.wait(("eve", EVE))
    assert (await line.through()).index("eve") == 1


@pytest.mark.parametrize("seed", range(20))
async def test_what_people_are_told_is_what_happens(seed: int) -> None:
    import random

    chance, line = random.Random(seed), Line()
    everybody = [Whose(f"chat {chat}", f"person {person}") for chat in range(3) for person in range(2)]
    async with line.queue.place(ADA):
        for number in range(25):
            await line.wait((str(number), chance.choice(everybody)))
        whose = chance.choice(everybody)
        told = line.queue.ahead_of(whose)
        await line.wait(("mine", whose))
    assert abs((await line.through()).index("mine") - told) <= 3  # whose chat is next decides about the last turn


async def test_one_person_holds_so_many_places_and_no_more() -> None:
    line = Line()
    async with line.queue.place(EVE):
        await line.wait(*((f"ada {number}", ADA) for number in range(MOST_OF_ONE)))
        with pytest.raises(TooManyError):
            async with line.queue.place(ADA):
                pass
        await line.wait(("bert", BERT))
    assert len(await line.through()) == MOST_OF_ONE + 1


async def test_who_gives_up_leaves_no_gap_and_no_trace() -> None:
    line = Line()
    async with line.queue.place(EVE):
        await line.wait(("ada", ADA), ("bert", BERT), ("eve", EVE))
        line.tasks.pop(0).cancel()
        await asyncio.sleep(0)
    assert await line.through() == ["bert", "eve"]
    assert not line.queue._chats
    assert line.queue.has_free_place


async def test_a_turn_that_came_to_somebody_who_just_gave_up_goes_on_to_the_next() -> None:
    line = Line()
    async with line.queue.place(EVE):
        await line.wait(("ada", ADA), ("bert", BERT))
    line.tasks.pop(0).cancel()  # its place was handed to it, but it has not run yet
    assert await line.through() == ["bert"]
    assert line.queue.has_free_place


async def test_a_place_that_becomes_free_just_as_somebody_gives_up_goes_to_the_next() -> None:
    line = Line()
    async with line.queue.place(ADA):
        await line.wait(("ada", ADA), ("bert", BERT))
        line.tasks.pop(0).cancel()  # and has not left the queue when the place is handed on
    assert await line.through() == ["bert"]
    assert not line.queue._chats
    assert line.queue.has_free_place
