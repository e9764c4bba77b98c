"""All checks together, and the command with its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bots.doctor import examination
from bots.doctor.examination import examine
from bots.doctor.findings import Severity
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
TELEGRAM, DISCORD = f"123456789:{'a' * 35}", f"{'MTIzNDU2Nzg5MDEyMzQ1Njc4'}.abcdef.{'b' * 38}"


def doctor(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the command in a folder, with these settings and no others."""
    return subprocess.run(
        [sys.executable, "-m", "bots", "doctor", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WEB_PORT": str(free_port()), **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_an_empty_folder_is_well_and_stays_empty(tmp_path: Path) -> None:
    said = doctor(tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "problem " not in said.stdout
    for subject in ("settings", "tokens", "database", "disk", "ports", "clock", "models", "memory", "processor"):
        assert f" {subject}: " in said.stdout
    assert "photos a second" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_problem_is_status_3(tmp_path: Path) -> None:
    said = doctor(tmp_path, TELEGRAM_TOKEN="not-a-token")
    assert said.returncode == 3
    assert "problem tokens: TELEGRAM_TOKEN" in said.stdout


def test_warnings_only_are_status_1_if_that_is_asked_for(tmp_path: Path) -> None:
    assert doctor(tmp_path, SECRET="short").returncode == 0
    assert doctor(tmp_path, "--strict", SECRET="short").returncode == 1


def test_settings_that_cannot_be_read_are_a_problem_and_the_rest_is_examined(tmp_path: Path) -> None:
    said = doctor(tmp_path, WORKERS="many")
    assert said.returncode == 3
    assert "problem settings: Check .env or the environment. WORKERS" in said.stdout
    assert "ok      models" in said.stdout


def test_no_token_is_printed(tmp_path: Path) -> None:
    secrets = {
        "TELEGRAM_TOKEN": TELEGRAM,
        "DISCORD_TOKEN": DISCORD,
        "SECRET": "s3cret-of-ids-0123456789",
        "CONSOLE_TOKEN": "s3cret-of-the-console-0123456789",
        "DATABASE_URL": "postgresql://mugmoji:s3cret-word@127.0.0.1:1/mugmoji",
    }
    said = doctor(tmp_path, TELEGRAM_API_URL="http://127.0.0.1:1", **secrets)
    printed = said.stdout + said.stderr
    assert said.returncode == 3
    for secret in (*secrets.values(), "s3cret"):
        assert secret not in printed
    assert "a" * 20 not in printed
    assert "b" * 20 not in printed


def test_a_check_that_breaks_is_a_problem_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(examination, "check_clock", broken)
    monkeypatch.setattr(examination, "check_processor", lambda _: [])
    found = list(examine(tmp_path))
    [clock] = [each for each in found if each.subject == "clock"]
    assert clock.severity is Severity.PROBLEM
    assert "RuntimeError" in clock.fact
    assert "s3cret" not in clock.fact
    assert "models" in [each.subject for each in found]
