"""How findings are written down."""

from bots.doctor.findings import Severity, fine, problem, warning
from bots.doctor.report import line_of, summary_of, worst


def test_a_finding_is_a_line_and_what_to_do_the_next_one() -> None:
    assert line_of(fine("disk", "There is room.")) == "ok      disk: There is room."
    assert line_of(problem("disk", "It is full.", "Make room.")).splitlines() == [
        "problem disk: It is full.",
        "        → Make room.",
    ]


def test_the_summary_counts() -> None:
    assert summary_of([fine("a", "b")]) == "All is well."
    assert summary_of([warning("a", "b", "c")]) == "0 problems, 1 warning."
    assert summary_of([warning("a", "b", "c"), *[problem("a", "b", "c")] * 2]) == "2 problems, 1 warning."


def test_the_worst_finding_counts() -> None:
    assert worst([]) is Severity.OK
    assert worst([fine("a", "b"), warning("a", "b", "c")]) is Severity.WARNING
    assert worst([problem("a", "b", "c"), warning("a", "b", "c")]) is Severity.PROBLEM
