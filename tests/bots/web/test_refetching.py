"""What a browser may send when it was asked for a photo, and what not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from starlette.requests import Request
from starlette.types import Message

from bots.conversation import texts
from bots.messages import NotFetchedError
from bots.web.refetching import Refetching
from db import Person, Platform
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
