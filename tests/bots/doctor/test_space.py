"""How much room there is."""

import shutil
from types import SimpleNamespace

import pytest

from bots.doctor.findings import Severity
from bots.doctor.space import check_space
from tests.bots.doctor.conftest import Made


@pytest.mark.parametrize(
    ("free", "severity"),
    [(50_000_000, Severity.PROBLEM), (500_000_000, Severity.WARNING), (50_000_000_000, Severity.OK)],
)
def test_little_room_is_said(made: Made, monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert {each.severity for each in check_space(made())} == {severity}


def test_folders_that_are_not_there_yet_count_as_their_disk(made: Made) -> None:
    found = check_space(made(data_dir="a/b/c", database_url="sqlite:///d/e/f.db"))
    assert found
    assert all("MB are free" in each.fact for each in found)
