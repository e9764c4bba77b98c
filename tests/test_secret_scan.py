"""The scan for secrets: what is new fails, what is accepted passes wherever it moves."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.secret_scan import BASELINE, main

ROOT = Path(__file__).parents[1]
_TOKEN = "1234567890:" + "AbCdEfGhIj" * 3 + "AbCdE"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one harmless file and the detectors of this one."""
    accepted = json.loads((ROOT / BASELINE).read_text())
    (tmp_path / BASELINE).write_text(json.dumps({**accepted, "results": {}}))
    (tmp_path / "settings.txt").write_text("WORKERS=2\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    _add(tmp_path)
    return tmp_path


def _add(repository: Path) -> None:
    subprocess.run(["git", "add", "--all"], cwd=repository, check=True)


def test_a_repository_without_secrets_passes(repository: Path) -> None:
    assert main([], repository) == 0


@pytest.mark.parametrize(
    "line",
    [
        f"TELEGRAM_TOKEN={_TOKEN}",
        "DATABASE_URL=postgresql://mugmoji:" + "hunter2hunter2@host/name",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "aws = 'AKIA" + "IOSFODNN7EXAMPLA'",
    ],
    ids=["Telegram", "a password", "a key", "AWS"],
)
def test_a_new_secret_fails_and_is_named_by_place_only(
    repository: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (repository / "settings.txt").write_text(f"WORKERS=2\n{line}\n")
    _add(repository)
    assert main([], repository) == 1
    said = capsys.readouterr().out
    assert said.startswith("settings.txt:2: ")
    assert line not in said


def test_what_was_accepted_passes_wherever_it_moves(repository: Path) -> None:
    (repository / "settings.txt").write_text(f"TELEGRAM_TOKEN={_TOKEN}\n")
    _add(repository)
    assert main(["--accept"], repository) == 0
    (repository / "settings.txt").write_text(f"\n\nWORKERS=2\nTELEGRAM_TOKEN={_TOKEN}\n")
    assert main([], repository) == 0
    assert _TOKEN not in (repository / BASELINE).read_text()
    assert str(repository) not in (repository / BASELINE).read_text()


def test_an_accepted_one_in_another_file_is_new(repository: Path) -> None:
    (repository / "settings.txt").write_text(f"TELEGRAM_TOKEN={_TOKEN}\n")
    _add(repository)
    main(["--accept"], repository)
    shutil.copy(repository / "settings.txt", repository / "copy.txt")
    _add(repository)
    assert main([], repository) == 1
