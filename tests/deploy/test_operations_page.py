"""The operators' page names everything that an operator may see, and every command in it exists."""

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.deploy.errors import events, messages, parts_of_readiness
from tests.deploy.files import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("## Everything that can go wrong") :]


@pytest.mark.parametrize("event", sorted(events()))
def test_every_event_from_warnings_on_is_in_the_table(event: str) -> None:
    assert f"`{event}`" in TABLE


@pytest.mark.parametrize("message", sorted(messages()))
def test_every_message_at_an_exit_is_in_the_table(message: str) -> None:
    assert f"| {message} |" in TABLE


@pytest.mark.parametrize("part", sorted(parts_of_readiness()))
def test_every_part_that_may_not_be_ready_is_in_the_table(part: str) -> None:
    assert f"| {part}" in TABLE


def test_every_row_says_what_it_means_and_what_to_do() -> None:
    rows = [line.strip("|").split(" | ") for line in TABLE.splitlines() if line.startswith("| ") and "**" not in line]
    assert len(rows) > 60
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_the_collectors_find_what_is_known_to_be_there() -> None:
    assert {"task_died", "photo_failed", "answer_not_noted", "console_refused"} <= events()
    assert any(message.startswith("Cannot open the database …") for message in messages())
    assert any(message.startswith("Telegram refused TELEGRAM_TOKEN") for message in messages())
    assert {"The database", "The model", "The port for operations"} <= parts_of_readiness()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"python -m ((?:bots|db|training) [a-z-]+)", PAGE))))
def test_every_command_on_the_page_exists(command: str) -> None:
    room, name = command.split()
    assert name in _help_of(room)


def test_every_figure_that_is_explained_is_measured() -> None:
    source = (ROOT / "bots" / "serving" / "measures.py").read_text()
    named = {name.removesuffix("_total") for name in re.findall(r"`(mugmoji_\w+)`", PAGE)}
    assert [name for name in named if f'"{name}"' not in source] == []


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 25
    assert [(file, name) for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")] == []


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#h][^)]*)\)", PAGE)
    assert targets
    assert [target for target in targets if not _leads_somewhere(*target.partition("#")[::2])] == []


def _leads_somewhere(page: str, heading: str) -> bool:
    path = (ROOT / "docs" / page).resolve()
    if not heading:
        return path.exists()
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_readme_leads_to_the_page() -> None:
    assert "docs/operations.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@cache
def _help_of(room: str) -> str:
    command = [sys.executable, "-m", room, "--help"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
