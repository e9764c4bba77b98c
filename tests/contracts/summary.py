"""Count the distinct requests that were checked against what the platforms say of themselves, over all test workers.

A contract notes each request that it checked; pytest prints the numbers at the end. A plugin of `tests/conftest.py`.
"""

from collections import defaultdict
from typing import Any

import pytest

_OUTPUT = "checked_requests"
_checked: defaultdict[str, set[str]] = defaultdict(set)
"""Platform → the distinct requests checked, in this process and in the workers that have ended."""


def note(platform: str, key: str) -> None:
    """Note that a request was checked. key: what makes it distinct, such as its method and the set of its fields."""
    _checked[platform].add(key)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's requests to the controller of pytest-xdist."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = {platform: sorted(keys) for platform, keys in _checked.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the requests of a worker that has ended; a worker that crashed has none."""
    for platform, keys in getattr(node, "workeroutput", {}).get(_OUTPUT, {}).items():
        _checked[platform].update(keys)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the number of distinct requests for each platform; with -v also the requests."""
    if not _checked:
        return
    terminalreporter.section("requests checked against the platforms' contracts")
    for platform, keys in sorted(_checked.items()):
        terminalreporter.line(f"{platform}: {len(keys)} distinct")
        if config.get_verbosity() >= 0:
            for key in sorted(keys):
                terminalreporter.line(f"  {key}")
