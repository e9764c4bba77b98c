import asyncio
import os
import sys
from pathlib import Path

import pytest

from bots.learning.retraining_process import RetrainingProcess
from db import Actor, BusyError, Depth, Retraining, State, Store


def retraining_process(store: Store, script: str) -> RetrainingProcess:
    return RetrainingProcess(store, {}, (sys.executable, "-c", script))


async def ended(store: Store, started: RetrainingProcess) -> Retraining:
    number = await started.start(Depth.ADAPT, Actor("Anna"))
    return [each async for each in started.watch(number, look_every_s=0.05)][-1]


async def test_a_process_that_cannot_say_what_is_missing_is_spoken_for(store: Store) -> None:
    script = "import sys; print('Retraining needs scipy: install it.', file=sys.stderr); sys.exit(3)"
    seen = await ended(store, retraining_process(store, script))
    assert (seen.state, seen.message) == (State.FAILED, "Retraining needs scipy: install it.")
    await store.retrainings.start(Depth.ADAPT, Actor("Bert"))  # and its place is free


async def test_a_process_that_is_killed_is_told_at_once(store: Store) -> None:
    seen = await ended(store, retraining_process(store, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert seen.state is State.FAILED
    assert "status -9; nothing was changed" in seen.message


@pytest.fixture
def go_on(tmp_path: Path) -> Path:
    """A pipe: who opens it for reading waits until somebody writes to it."""
    os.mkfifo(tmp_path / "go on")
    return tmp_path / "go on"


async def test_what_a_process_said_itself_stands(store: Store, go_on: Path) -> None:
    started = retraining_process(store, f"import sys; open({str(go_on)!r}).read(); sys.exit(1)")
    number = await started.start(Depth.ADAPT, Actor("Anna"))
    await store.retrainings.finish(number, State.FAILED, "There is too little feedback.")
    await asyncio.to_thread(go_on.write_text, "")
    await started.finished()
    seen = await store.retrainings.find(number)
    assert seen is not None
    assert seen.message == "There is too little feedback."


async def test_a_program_that_is_not_there_is_told(store: Store) -> None:
    seen = await ended(store, RetrainingProcess(store, {}, ("/nowhere/python",)))
    assert seen.state is State.FAILED
    assert "could not be started" in seen.message


async def test_one_at_a_time(store: Store, go_on: Path) -> None:
    started = retraining_process(store, f"open({str(go_on)!r}).read()")
    await started.start(Depth.ADAPT, Actor("Anna"))
    with pytest.raises(BusyError):
        await started.start(Depth.ADAPT, Actor("Bert"))
    await asyncio.to_thread(go_on.write_text, "")
    await started.finished()


async def test_what_is_missing_for_a_depth_is_asked_once(store: Store, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    script = (
        f"import sys; open({str(asked)!r}, 'a').write(sys.argv[2] + ' '); "
        "sys.exit('full' in sys.argv and (print('It needs keras.', file=sys.stderr) or 3))"
    )
    process = retraining_process(store, script)
    for _ in range(2):
        assert await process.obstacle(Depth.ADAPT) == ""
        assert await process.obstacle(Depth.FULL) == "It needs keras."
    assert asked.read_text() == "adapt full "
    assert await store.retrainings.latest() is None
