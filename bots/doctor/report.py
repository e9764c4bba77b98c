"""Write findings for a person at a terminal: one line each, with what to do below it."""

from collections.abc import Sequence

from bots.doctor.findings import Finding, Severity

_WIDTH = 8
_INDENT = " " * _WIDTH


def line_of(finding: Finding) -> str:
    """Return the line of a finding, and a second one with what to do about it, if there is anything to do."""
    line = f"{finding.severity.name.lower():<{_WIDTH}}{finding.subject}: {finding.fact}"
    return f"{line}\n{_INDENT}→ {finding.advice}" if finding.advice else line


def summary_of(findings: Sequence[Finding]) -> str:
    """Return how many problems and warnings there are, in a sentence."""
    problems, warnings = (
        sum(each.severity is kind for each in findings) for kind in (Severity.PROBLEM, Severity.WARNING)
    )
    if not problems + warnings:
        return "All is well."
    return f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}."


def worst(findings: Sequence[Finding]) -> Severity:
    """Return how bad the worst of them is."""
    return max((each.severity for each in findings), default=Severity.OK)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
