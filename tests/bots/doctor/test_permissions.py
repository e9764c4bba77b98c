"""Who else can read what the bot stores."""

import os
from pathlib import Path

import pytest

from bots.doctor.findings import Severity
from bots.doctor.permissions import check_permissions
from bots.settings import Settings
from tests.bots.doctor.conftest import Made


@pytest.fixture
async def settings(made: Made) -> Settings:
    """Return settings whose files the bot has created."""
    settings = made()
    settings.console_secret()
    store = await settings.open_store()
    await store.close()
    return settings


def test_what_the_bot_creates_is_for_nobody_else(settings: Settings) -> None:
    [found] = check_permissions(settings)
    assert found.severity is Severity.OK
    assert "4 files and folders" in found.fact


def test_before_the_first_start_there_is_nothing_to_check(made: Made) -> None:
    assert [each.severity for each in check_permissions(made())] == [Severity.OK]


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("data", "chmod 700 data"),
        ("data/mugmoji.secret", "chmod 600 data/mugmoji.secret"),
        ("data/console.token", "chmod 600 data/console.token"),
        ("data/mugmoji.db", "chmod 600 data/mugmoji.db"),
        (".env", "chmod 600 .env"),
    ],
)
def test_what_others_can_read_is_a_warning_with_the_command_that_mends_it(
    settings: Settings, path: str, command: str
) -> None:
    Path(path).touch(exist_ok=True)
    Path(path).chmod(0o755)
    [found] = check_permissions(settings)
    assert (found.severity, found.advice) == (Severity.WARNING, command)


def test_what_the_bot_cannot_use_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usable = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "mugmoji.secret" and usable(path, mode))
    [found] = check_permissions(settings)
    assert (found.severity, "mugmoji.secret" in found.fact) == (Severity.PROBLEM, True)


def test_files_of_another_user_are_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert {each.severity for each in check_permissions(settings)} == {Severity.WARNING}
