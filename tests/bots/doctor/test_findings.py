"""What a check found, and how bad that is."""

from bots.doctor.findings import Severity, fine, problem, warning


def test_problems_are_worse_than_warnings() -> None:
    found = [warning("a", "b", "c"), problem("a", "b", "c"), fine("a", "b")]
    assert [each.severity for each in sorted(found, key=lambda each: each.severity)] == [*Severity]
