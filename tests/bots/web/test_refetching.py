"""What a browser may send when it was asked for a photo, and what not."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from nicegui import ui
from starlette.requests import Request
from starlette.types import Message

from bots.conversation import texts
from bots.messages import NotFetchedError, Tap
from bots.serving.admission import Admission
from bots.web.adapter import _Conversation, _Shot
from bots.web.bodies import MemoryBudget
from bots.web.refetching import Refetching
from db import Chat, Person, Platform
from tests.waiting import until

ADA, BOB = Person(Platform.WEB, "ada"), Person(Platform.WEB, "bob")


def request(*pieces: bytes) -> Request:
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    left: AsyncIterator[Message] = _each(messages)
    return Request({"type": "http", "method": "POST", "headers": []}, lambda: anext(left))


async def _each(messages: list[Message]) -> AsyncIterator[Message]:
    for message in messages:
        yield message


async def test_a_ticket_is_good_for_one_photo() -> None:
    refetching = Refetching(max_bytes=100)
    arrived = refetching._expected["ticket"] = asyncio.get_running_loop().create_future()
    assert (await refetching.receive("another", request(b"x"))).status_code == 404
    assert (await refetching.receive("ticket", request(b"a ", b"photo"))).status_code == 204
    assert await arrived == b"a photo"
    assert (await refetching.receive("ticket", request(b"again"))).status_code == 404


async def test_a_body_that_is_too_large_is_refused_while_it_comes() -> None:
    refetching = Refetching(max_bytes=100)
    arrived = refetching._expected["ticket"] = asyncio.get_running_loop().create_future()
    assert (await refetching.receive("ticket", request(bytes(60), bytes(60)))).status_code == 413
    assert not arrived.done()


async def test_one_photo_of_a_guest_is_waited_for_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = asyncio.Event()

    async def nothing_comes(*_arguments: object, **_options: object) -> bool:
        return await silent.wait()

    monkeypatch.setattr(ui, "run_javascript", nothing_comes)
    refetching = Refetching(max_bytes=100)
    waiting = [asyncio.create_task(refetching.fetch(guest, "a photo")) for guest in (ADA, BOB)]
    await until(lambda: len(refetching._expected) == 2)
    with pytest.raises(NotFetchedError, match=texts.TOO_FAST):
        await refetching.fetch(ADA, "another")
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    again = asyncio.create_task(refetching.fetch(ADA, "another"))
    await until(lambda: len(refetching._expected) == 1)
    again.cancel()


class _AnsweredError(Exception):
    """The service was asked; what the page shows afterwards is not looked at."""


async def test_a_photo_that_comes_again_is_counted_by_the_web_until_the_tap_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refetching, budget, taps, taken = Refetching(max_bytes=100), MemoryBudget(1000, 1000), [], []

    async def send(_script: str, **_options: object) -> bool:
        [ticket] = refetching._expected
        return (await refetching.receive(ticket, request(b"a photo"))).status_code == 204

    class Service:
        async def on_tap(self, tap: Tap) -> None:
            assert tap.fetch is not None
            taken.append(budget.taken)
            await tap.fetch()
            taken.append(budget.taken)
            taps.append(tap)
            raise _AnsweredError

    monkeypatch.setattr(ui, "run_javascript", send)
    guest: Any = SimpleNamespace(person=ADA, chat=Chat(Platform.WEB, "ada"), voice=None, accepted="en")
    service: Any = Service()
    shown: Any = None
    page = _Conversation(service, refetching, partial(budget.holding, "192.0.2.1"), Admission(), guest)
    with pytest.raises(_AnsweredError):
        await page._answer_tap("a token", shown, shown, _Shot(shown, "a name"))
    assert taken == [0, len(b"a photo")]
    assert budget.taken == 0
    assert taps[0].is_sent_again
