"""The audit of the pinned packages: what is found counts, what cannot be asked about is said."""

import json
import subprocess

import pytest

from tests import audit
from tests.audit import Audit, audit_of, lines_of, main, status_of

FAULT = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": "It breaks."}


def _report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


CLEAN = _report({"name": "one", "version": "1.0", "vulns": []})
UNKNOWN = _report({"name": "one", "skip_reason": "Dependency not found on PyPI"})
FAULTY = _report({"name": "one", "version": "1.0", "vulns": [FAULT]}, {"name": "two", "version": "2", "vulns": []})


@pytest.mark.parametrize("is_strict", [False, True])
def test_clean_packages_pass(is_strict: bool) -> None:
    assert status_of(audit_of(CLEAN), is_strict=is_strict) == 0
    assert [*lines_of(audit_of(CLEAN))] == ["Audited: 1 packages, 0 known vulnerabilities."]


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_vulnerability_fails(is_strict: bool) -> None:
    assert status_of(audit_of(FAULTY), is_strict=is_strict) == 1
    assert "one 1.0: PYSEC-1, mended in 1.1" in lines_of(audit_of(FAULTY))


def test_one_that_is_explained_passes_with_its_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "EXPLAINED", {"PYSEC-1": "only on Windows 95"})
    assert status_of(audit_of(FAULTY), is_strict=True) == 0
    assert "explained: only on Windows 95" in "\n".join(lines_of(audit_of(FAULTY)))


@pytest.mark.parametrize("report", [UNKNOWN, "", "Traceback", "[]", "null"])
def test_what_could_not_be_asked_about_is_said_and_fails_only_if_that_is_wanted(report: str) -> None:
    assert next(lines_of(audit_of(report))).startswith("NOT AUDITED")
    assert status_of(audit_of(report), is_strict=False) == 0
    assert status_of(audit_of(report), is_strict=True) == 3


def test_the_service_that_knows_most_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"pypi": audit_of(UNKNOWN), "osv": Audit(1, (), {"PYSEC-1": "one 1.0: PYSEC-1"})}
    monkeypatch.setattr(audit, "_audited", answers.get)
    assert main([]) == 1
    assert "PYSEC-1" in capsys.readouterr().out


def test_a_service_that_hangs_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip-audit", 1)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert main([]) == 0
    assert main(["--strict"]) == 3
    assert "NOT AUDITED" in capsys.readouterr().out
