import asyncio
from pathlib import Path

import pytest

import training.feedback.adapting
from db import Store
from tests.training.feedback_rows import fill
from training.__main__ import main

SECRET = "a secret for tests"


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/loop.db"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return url


def called(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *command: str) -> tuple[int, str]:
    """Run a command and return its exit status and output."""
    monkeypatch.setattr("sys.argv", ["training", *command])
    try:
        status = main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    out, error = capfd.readouterr()
    return status, out + error


def test_what_a_full_retraining_needs_is_said_without_starting_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FER2013_DIR", str(tmp_path / "nowhere"))
    status, said = called(monkeypatch, capfd, "retrain", "--depth", "full", "--check")
    assert (status, "No FER2013 data at" in said) == (3, True)
    assert called(monkeypatch, capfd, "retrain", "--check")[0] == 0
    assert not (tmp_path / "loop.db").exists()


async def test_from_feedback_to_a_served_version_and_back(
    url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training.feedback.adapting, "_STEPS", 10)  # enough to be offered
    store = await Store.open(url, SECRET)
    await fill(store, people=60)
    await store.close()

    async def run(*command: str) -> tuple[int, str]:
        return await asyncio.to_thread(called, monkeypatch, capfd, *command)

    status, said = await run("retrain")
    assert status == 0, said
    assert "Serve it: python -m training promote adapt-" in said.replace("\n", " ")
    new = next(word for word in said.split() if word.startswith("adapt-")).rstrip(":")
    status, said = await run("promote", new)
    assert (status, "is served from now on" in said) == (0, True)
    status, said = await run("models")
    assert status == 0
    assert new in said
    assert "promote by command line" in said
    assert "better for your people by" in said
    assert max(map(len, said.splitlines())) <= 80
    status, said = await run("rollback")
    assert (status, "is served again" in said) == (0, True)
    status, said = await run("rollback")
    assert (status, "first version" in said) == (1, True)


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        (("promote", "nothing"), 1, "There is no version nothing"),
        (("retrain",), 1, "10 are needed"),
        (("retrain", "--depth", "deep"), 2, "'adapt', 'full'"),
        (("import-faces", "nowhere"), 1, "not there"),
        (("promote",), 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_with_its_status(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    status: int,
    sentence: str,
) -> None:
    got, said = called(monkeypatch, capfd, *command)
    assert got == status
    assert sentence in said


def test_a_database_that_cannot_be_opened_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://nothing")
    status, said = called(monkeypatch, capfd, "models")
    assert status == 3
    assert "DATABASE_URL" in said
