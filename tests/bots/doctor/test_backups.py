"""How old the newest backup is."""

import os
import time
from pathlib import Path

import pytest

from bots.doctor.backups import check_backups
from bots.doctor.findings import Finding, Severity
from bots.settings import Settings
from tests.bots.doctor.conftest import Made

_DAY_S = 86_400


@pytest.fixture
def settings(made: Made, tmp_path: Path) -> Settings:
    """Return settings with a database that is there."""
    (tmp_path / "bot.db").touch()
    return made(database_url="sqlite:///bot.db")


def _found(settings: Settings, folder: Path, *ages_s: float) -> Finding:
    folder.mkdir()
    for number, age_s in enumerate(ages_s):
        (folder / f"{number}.db").touch()
        os.utime(folder / f"{number}.db", (time.time() - age_s, time.time() - age_s))
    [found] = check_backups(settings, folder)
    return found


def test_the_newest_counts(settings: Settings, tmp_path: Path) -> None:
    found = _found(settings, tmp_path / "backup", 100 * _DAY_S, 5 * 3600 + 60, 20 * _DAY_S)
    assert (found.severity, "5 hours old" in found.fact) == (Severity.OK, True)


def test_an_old_one_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    found = _found(settings, tmp_path / "backup", 8 * _DAY_S + 60)
    assert (found.severity, "8 days old" in found.fact) == (Severity.WARNING, True)


def test_none_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    assert [each.severity for each in check_backups(settings, tmp_path / "none")] == [Severity.WARNING]
    assert _found(settings, tmp_path / "empty").severity is Severity.WARNING


def test_before_there_is_a_database_none_is_needed(made: Made, tmp_path: Path) -> None:
    assert [each.severity for each in check_backups(made(), tmp_path / "none")] == [Severity.OK]
