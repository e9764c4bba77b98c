"""The clock."""

import time
from pathlib import Path

import pytest

from bots.doctor.clock import check_clock
from bots.doctor.findings import Severity
from tests.bots.doctor.conftest import Made


def test_the_clock_of_this_machine_is_well(made: Made) -> None:
    assert [each.severity for each in check_clock(made())] == [Severity.OK]


def test_a_clock_before_the_files_that_are_there_is_a_problem(made: Made) -> None:
    [found] = check_clock(made(), lambda: 0.0)
    assert (found.severity, "1970-01-01 00:00 UTC" in found.fact) == (Severity.PROBLEM, True)


@pytest.mark.parametrize(("shift_s", "said"), [(86_400.0, "86400 seconds ahead"), (60.0, "60 seconds ahead")])
def test_a_clock_apart_from_that_of_the_file_system_is_a_warning(made: Made, shift_s: float, said: str) -> None:
    [found] = check_clock(made(), lambda: time.time() + shift_s)
    assert (found.severity, said in found.fact) == (Severity.WARNING, True)


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_clock(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert [each.severity for each in check_clock(made())] == [Severity.OK]
