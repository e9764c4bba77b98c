"""The clock."""

import re
import time
from pathlib import Path

import pytest

from bots.doctor.clock import check_clock
from bots.doctor.findings import Severity
from tests.bots.doctor.conftest import Made
from tests.waiting import PATIENCE_S


def test_the_clock_of_this_machine_is_well(made: Made) -> None:
    assert [each.severity for each in check_clock(made())] == [Severity.OK]


def test_a_clock_before_the_files_that_are_there_is_a_problem(made: Made) -> None:
    [found] = check_clock(made(), lambda: 0.0)
    assert (found.severity, "1970-01-01 00:00 UTC" in found.fact) == (Severity.PROBLEM, True)


@pytest.mark.parametrize("shift_s", [86_400.0, 60.0])
def test_a_clock_apart_from_that_of_the_file_system_is_a_warning(made: Made, shift_s: float) -> None:
    [found] = check_clock(made(), lambda: time.time() + shift_s)
    assert found.severity == Severity.WARNING
    [told] = re.findall(r"(\d+) seconds ahead", found.fact)
    assert shift_s <= int(told) < shift_s + PATIENCE_S  # the file was made a moment before


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_clock(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert [each.severity for each in check_clock(made())] == [Severity.OK]
