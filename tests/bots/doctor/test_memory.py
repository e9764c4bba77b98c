"""How much memory there is."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bots.doctor.findings import Severity
from bots.doctor.memory import check_memory


@pytest.fixture(autouse=True)
def _large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8_000_000_000))


@pytest.mark.parametrize(
    ("available", "severity"),
    [(200_000_000, Severity.PROBLEM), (500_000_000, Severity.WARNING), (2_000_000_000, Severity.OK)],
)
def test_little_memory_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, available: int, severity: Severity
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    assert [each.severity for each in check_memory(tmp_path)] == [severity]


@pytest.mark.parametrize(
    ("most", "severity"),
    [
        ("max", Severity.OK),
        ("1100000000", Severity.OK),
        ("500000000", Severity.WARNING),
        ("200000000", Severity.PROBLEM),
    ],
)
def test_the_limit_of_a_container_counts(tmp_path: Path, most: str, severity: Severity) -> None:
    (tmp_path / "memory.max").write_text(f"{most}\n")
    (tmp_path / "memory.current").write_text("100000000\n")
    [found] = check_memory(tmp_path)
    assert (found.severity, "limit" in found.fact) == (severity, most != "max")
