"""Compare what `requirements.txt` pins with the known vulnerabilities: `python -m tests.audit`, a part of `make lint`.

pip-audit asks the Python Package Index, and where that does not answer, OSV. What neither knows is not passed in
silence: it is said, and with `--strict` (`make audit`) it is an error. Without, it is none, because machines that test
may have no line to either.

Exit status: 0 if all is clean or could not be asked about, 1 if there are vulnerabilities that nobody explained, 3 with
`--strict` if not everything could be asked about.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EXPLAINED: Mapping[str, str] = {}
"""Vulnerabilities by their id that do not concern this program, and why; each is printed."""
_SERVICES = ("pypi", "osv")
_REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
_WITHIN_S = 300
_MOST_NAMED = 8


@dataclass(frozen=True)
class Audit:
    """What is known of the pinned packages.

    checked: their number. unknown: names of those that could not be asked about. found: each vulnerability's id, with a
    line about it.
    """

    checked: int
    unknown: tuple[str, ...]
    found: Mapping[str, str]


def main(arguments: Sequence[str]) -> int:
    """Audit the requirements, print what was found and return the exit status."""
    audits = (audit for service in _SERVICES if (audit := _audited(service)) is not None)
    best = min(audits, key=lambda audit: len(audit.unknown), default=None)
    print(*lines_of(best), sep="\n")
    return status_of(best, is_strict="--strict" in arguments)


def audit_of(report: str) -> Audit | None:
    """Return what a report of pip-audit in JSON says; None if it is none."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    unknown = tuple(each["name"] for each in packages if "skip_reason" in each)
    return Audit(len(packages) - len(unknown), unknown, dict(_vulnerabilities(packages)))


def lines_of(audit: Audit | None) -> Iterator[str]:
    """Yield what to print."""
    if audit is None:
        yield "NOT AUDITED: no database of vulnerabilities can be reached from here. Run make audit where one can."
        return
    if audit.unknown:
        named = ", ".join(audit.unknown[:_MOST_NAMED]) + (", …" if len(audit.unknown) > _MOST_NAMED else "")
        yield f"NOT AUDITED: {len(audit.unknown)} packages that no database in reach knows ({named})."
    for known, line in audit.found.items():
        yield f"{line}; explained: {EXPLAINED[known]}" if known in EXPLAINED else line
    yield f"Audited: {audit.checked} packages, {len(audit.found)} known vulnerabilities."


def status_of(audit: Audit | None, *, is_strict: bool) -> int:
    """Return the exit status."""
    if audit is not None and any(known not in EXPLAINED for known in audit.found):
        return 1
    return 3 if is_strict and (audit is None or audit.unknown) else 0


def _audited(service: str) -> Audit | None:
    """Return what a service says; None if it does not answer."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--format", "json"]
    command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(
            [*command, "--requirement", str(_REQUIREMENTS)],
            check=False,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        return None
    return audit_of(done.stdout)


def _vulnerabilities(packages: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    for package in packages:
        vulnerabilities = package.get("vulns")
        assert vulnerabilities is None or isinstance(vulnerabilities, list)
        for each in vulnerabilities or ():
            fixed = ", ".join(each["fix_versions"]) or "no version yet"
            yield each["id"], f"{package['name']} {package['version']}: {each['id']}, mended in {fixed}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
