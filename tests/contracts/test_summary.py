"""The requests that workers have checked are counted once, together."""

from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

_NOTING = """
import pytest
from tests.contracts.summary import note

@pytest.mark.parametrize("key", ["sendMessage(chat_id, text)", "getMe()", "getMe()"])
def test_it(key):
    note("telegram", key)
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "two workers"])
def test_the_end_of_a_run_tells_how_many_distinct_requests_were_checked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makepyfile(_NOTING)
    result = pytester.runpytest_subprocess("-p", "tests.contracts.summary", "-p", "no:cacheprovider", "-v", *workers)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["telegram: 2 distinct", "  getMe()", "  sendMessage(chat_id, text)"])
