"""Answers that outlive the requests for them."""

import asyncio
from collections.abc import AsyncIterator

from pydantic import BaseModel

from bots.web.answering import Answering, Answers
from bots.web.shapes import ProblemShape, ReplyShape, WaitingShape
from db import Person, Platform
from tests.waiting import until

ADA, BERT = Person(Platform.WEB, "ada"), Person(Platform.WEB, "bert")
ANSWER = ReplyShape(text="happy")


async def shapes(*made: BaseModel | Exception, after: asyncio.Event | None = None) -> AsyncIterator[BaseModel]:
    if after is not None:
        await after.wait()
    for each in made:
        if isinstance(each, Exception):
            raise each
        yield each


async def parts(answering: Answering) -> list[BaseModel]:
    return [part async for part in answering.follow()]


async def test_everybody_who_follows_gets_all_parts_once() -> None:
    gate = asyncio.Event()
    answering = Answering(shapes(WaitingShape(waiting=True, text="one moment"), ANSWER, after=gate))
    following = [asyncio.create_task(parts(answering)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert [len(each) for each in await asyncio.gather(*following)] == [2, 2, 2]
    assert len(await parts(answering)) == 2


async def test_one_id_of_one_person_has_one_answer() -> None:
    answers = Answers()
    first, is_new = answers.of(ADA, "a", shapes(ANSWER))
    assert is_new
    await parts(first)
    assert answers.of(ADA, "a", shapes(ANSWER)) == (first, False)
    assert answers.of(BERT, "a", shapes(ANSWER))[1]
    answers.forget(ADA)
    assert answers.of(ADA, "a", shapes(ANSWER))[1]
    assert not answers.of(BERT, "a", shapes(ANSWER))[1]


async def test_what_was_refused_or_failed_may_be_asked_for_again() -> None:
    for made in (ProblemShape(text="slow down", again=True), RuntimeError("no"), None):
        answers = Answers()
        refused, _ = answers.of(ADA, "a", shapes(*([made] if made is not None else [])))
        async with asyncio.timeout(10):
            await parts(refused)
        again, is_new = answers.of(ADA, "a", shapes(ANSWER))
        assert is_new
        assert await parts(again) == [ANSWER]


async def test_it_is_made_to_its_end_for_who_has_gone() -> None:
    gate = asyncio.Event()
    answering = Answering(shapes(ANSWER, after=gate))
    following = asyncio.create_task(parts(answering))
    await asyncio.sleep(0)
    following.cancel()
    gate.set()
    await until(lambda: answering.is_done)
    assert await parts(answering) == [ANSWER]
