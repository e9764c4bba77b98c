"""So much of one person and of one chat is in hand, on every platform; who sends more is told so once a burst."""

import asyncio
from contextlib import ExitStack

import pytest

from bots.serving.admission import CAPS, Admission, Cap, Kind, RefusedError
from bots.serving.fair_queue import Whose

ADA, BERT, EVE = Whose("group", "ada"), Whose("group", "bert"), Whose("eve", "eve")
FEW = {Kind.PHOTO: Cap(3, 5), Kind.OTHER: Cap(2, 3)}


def refused(admission: Admission, whose: Whose, kind: Kind = Kind.OTHER) -> RefusedError | None:
    try:
        with admission.admitted(whose, kind):
            return None
    except RefusedError as error:
        return error


async def test_a_person_has_so_much_in_hand_and_others_are_admitted() -> None:
    admission = Admission(FEW)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(admission.admitted(ADA, Kind.OTHER))
        assert refused(admission, ADA) is not None
        assert refused(admission, ADA, Kind.PHOTO) is None
        assert refused(admission, BERT) is None
        assert refused(admission, EVE) is None
        assert admission.in_hand == 2
    assert refused(admission, ADA) is None
    assert admission.in_hand == 0


async def test_a_chat_has_so_much_in_hand() -> None:
    admission = Admission(FEW)
    with ExitStack() as held:
        for number in range(3):
            held.enter_context(admission.admitted(Whose("group", number), Kind.OTHER))
        assert refused(admission, BERT) is not None
        assert refused(admission, EVE) is None


async def test_who_sends_too_much_is_told_so_once_a_burst() -> None:
    admission = Admission(FEW)
    for _ in range(2):
        with ExitStack() as held:
            for _ in range(2):
                held.enter_context(admission.admitted(ADA, Kind.OTHER))
            told = [refused(admission, ADA) for _ in range(10)]
            assert [error.tells for error in told if error is not None] == [True] + [False] * 9
    assert not admission._crowds


async def test_all_chats_together_have_a_bound_too() -> None:
    admission = Admission(FEW, most_in_all=2)
    with ExitStack() as held:
        for number in range(2):
            held.enter_context(admission.admitted(Whose(number, number), Kind.OTHER))
        error = refused(admission, EVE)
        assert error is not None
        assert not error.tells


async def test_at_the_end_nothing_is_admitted_and_what_is_in_hand_is_waited_for() -> None:
    admission, done = Admission(), asyncio.Event()

    async def answer() -> None:
        with admission.admitted(ADA, Kind.PHOTO):
            await done.wait()

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    ending = asyncio.create_task(admission.finish(60))
    await asyncio.sleep(0)
    assert refused(admission, EVE) is not None
    assert not ending.done()
    done.set()
    assert await ending == 0
    await answering


@pytest.mark.parametrize("is_cut_short", [False, True])
async def test_what_is_not_done_in_time_is_cancelled_and_so_it_is_at_a_second_signal(is_cut_short: bool) -> None:
    admission = Admission()

    async def answer() -> None:
        with admission.admitted(ADA, Kind.PHOTO):
            await asyncio.Event().wait()

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    ending = asyncio.create_task(admission.finish(60 if is_cut_short else 0.01))
    await asyncio.sleep(0)
    if is_cut_short:
        ending.cancel()
    ends = await asyncio.gather(answering, ending, return_exceptions=True)
    assert isinstance(ends[0], asyncio.CancelledError)
    assert isinstance(ends[1], asyncio.CancelledError) if is_cut_short else ends[1] == 1


def test_albums_pass() -> None:
    assert CAPS[Kind.PHOTO].of_person >= 3 * 10
