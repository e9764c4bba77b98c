"""kill -9 at every step of a retraining and of a promotion: the served version stays intact, exactly one is active."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import Role, Store
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack
from tests.rows import execute
from tests.training.feedback_rows import fill

SECRET = "a secret for tests"
ROOT = Path(__file__).parents[2]

# Runs a command line for each line of JSON, in a process of its own: forked where all is imported, since imports take
# longer than the command. It dies at the n-th time that one of these is reached: "tell", what the work says of itself;
# "keep", a statement or commit from the first one on that writes a version or a role. Answers with the exit status.
KILLED = """
import json, os, signal, sys
from sqlalchemy import event
import training.feedback.adapting
import training.feedback.commands
from sqlalchemy.engine import Engine
from training.__main__ import main
from training.feedback.retraining import Progress

training.feedback.adapting._STEPS = 2  # how well it learns is tested elsewhere

def run(at, what, url, command):
    count = 0

    def step(*facts):
        nonlocal count
        statement = facts[2] if len(facts) > 2 else ""
        if what == "keep" and not count and not str(statement).startswith(("INSERT INTO models", "UPDATE models")):
            return
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    if what == "tell":
        tell = Progress.tell
        Progress.tell = lambda self, *facts: (step(), tell(self, *facts))
    else:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "commit", step)
    os.environ["DATABASE_URL"] = url
    sys.argv = ["training", *command]
    sys.exit(main())

for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        run(*json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Victim:
    """Command lines that are killed, one after the other, each a process of its own."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self._url, self._process = url, process

    def run(self, at: int, what: str, *command: str) -> int:
        """The exit status of a command line that is killed at its `at`-th step; -9 where it was."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([at, what, self._url, command]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "SECRET": SECRET, "OPENBLAS_NUM_THREADS": "1"}  # what forks has no other threads
    call = [sys.executable, "-c", KILLED]
    with subprocess.Popen(
        call, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def victim(url: str, process: subprocess.Popen[str]) -> Victim:
    return Victim(url, process)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/kill.db"
    store = await Store.open(url, SECRET)
    await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
    await fill(store, people=6)
    await store.close()
    return url


async def names(url: str) -> tuple[str, list[str]]:
    """Return the active version, after checking its files, and all versions; fail unless exactly one is active."""
    store = await Store.open(url, SECRET)
    try:
        versions = await store.versions.all()
        (active,) = [version.name for version in versions if version.role is Role.ACTIVE]
        Classifier.from_files(unpack(await store.versions.artefact(active)))
        assert len(await store.versions.history(100)) >= 1
        return active, [version.name for version in versions]
    finally:
        await store.close()


async def free_the_place(url: str) -> None:
    """Do what happens after 90 seconds without a heartbeat."""
    store = await Store.open(url, SECRET)
    await execute(store, "UPDATE retrainings SET beat_at = '2020-01-01 00:00:00.000000'")
    await store.close()


@pytest.mark.parametrize("what", ["tell", "keep"])
async def test_a_retraining_that_is_killed_changes_nothing_that_is_served(url: str, victim: Victim, what: str) -> None:
    shipped, _ = await names(url)
    step = 0
    while True:
        step += 1
        status = await asyncio.to_thread(victim.run, step, what, "retrain")
        assert (await names(url))[0] == shipped
        await free_the_place(url)
        if status != -signal.SIGKILL:
            break
    assert status == 0
    assert step > 3
    assert len((await names(url))[1]) >= 2


@pytest.mark.parametrize("command", ["promote", "rollback"])
async def test_a_promotion_that_is_killed_has_happened_or_has_not(url: str, victim: Victim, command: str) -> None:
    assert await asyncio.to_thread(victim.run, 0, "tell", "retrain") == 0
    shipped, (new, _) = await names(url)
    promote = ("promote", new, "--because", "it is a test")
    before, after = (shipped, new) if command == "promote" else (new, shipped)
    if command == "rollback":
        assert await asyncio.to_thread(victim.run, 0, "tell", *promote) == 0
    arguments = promote if command == "promote" else ("rollback",)
    for step in range(1, 100):
        status = await asyncio.to_thread(victim.run, step, "keep", *arguments)
        active, _ = await names(url)
        if status != -signal.SIGKILL or active == after:
            break
        assert active == before
    assert active == after
    assert step > 3
