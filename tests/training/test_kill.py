"""kill -9 at every step of a retraining and of a promotion: the served version stays intact, exactly one is active."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db import Role, Store
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack
from tests.rows import execute
from tests.training.feedback_rows import fill

SECRET = "a secret for tests"
ROOT = Path(__file__).parents[2]

# Runs a command line and kills itself at the n-th occurrence of one of these: "tell", a progress report; "keep", a
# statement or commit, counted from the first statement that writes a version or a role.
KILLED = """
import os, signal, sys
from sqlalchemy import event
import training.feedback.adapting
from sqlalchemy.engine import Engine
from training.__main__ import main
from training.feedback.retraining import Progress

training.feedback.adapting._STEPS = 2  # accuracy is tested elsewhere
at, what = int(sys.argv[1]), sys.argv[2]
count = 0

def step(*facts):
    global count
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
sys.argv = ["training", *sys.argv[3:]]
sys.exit(main())
"""


@pytest.fixture
async def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/kill.db"
    store = await Store.open(url, SECRET)
    await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
    await fill(store, people=6)
    await store.close()
    return url


def run(url: str, at: int, what: str, *command: str) -> int:
    """Run a command line that is killed at its `at`-th step and return its exit status; -9 if it was killed."""
    environment = {**os.environ, "DATABASE_URL": url, "SECRET": SECRET}
    call = [sys.executable, "-c", KILLED, str(at), what, *command]
    return subprocess.run(call, env=environment, cwd=ROOT, capture_output=True, timeout=120, check=False).returncode


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
async def test_a_retraining_that_is_killed_changes_nothing_that_is_served(url: str, what: str) -> None:
    shipped, _ = await names(url)
    step = 0
    while True:
        step += 1
        status = await asyncio.to_thread(run, url, step, what, "retrain")
        assert (await names(url))[0] == shipped
        await free_the_place(url)
        if status != -signal.SIGKILL:
            break
    assert status == 0
    assert step > 3
    assert len((await names(url))[1]) >= 2


@pytest.mark.parametrize("command", ["promote", "rollback"])
async def test_a_promotion_that_is_killed_has_happened_or_has_not(url: str, command: str) -> None:
    assert await asyncio.to_thread(run, url, 0, "tell", "retrain") == 0
    shipped, (new, _) = await names(url)
    promote = ("promote", new, "--because", "it is a test")
    before, after = (shipped, new) if command == "promote" else (new, shipped)
    if command == "rollback":
        assert await asyncio.to_thread(run, url, 0, "tell", *promote) == 0
    arguments = promote if command == "promote" else ("rollback",)
    for step in range(1, 100):
        status = await asyncio.to_thread(run, url, step, "keep", *arguments)
        active, _ = await names(url)
        if status != -signal.SIGKILL or active == after:
            break
        assert active == before
    assert active == after
    assert step > 3
