import sys
from pathlib import Path

import pytest

from tests.training.conftest import model_folder
from training.__main__ import main
from training.reporting.model_folders import UnknownVersionError, find_model


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        model_folder(tmp_path / "runs" / name, f"version-{name}", [])
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "model.json").write_text("{", encoding="utf-8")
    (tmp_path / "runs" / "unfinished").mkdir()
    return tmp_path / "runs"


def test_a_version_is_found_in_the_runs_and_in_the_served_folder(runs: Path) -> None:
    assert find_model("version-two", runs / "one", runs).folder == runs / "two"
    assert find_model("version-one", runs / "one", runs / "nowhere").folder == runs / "one"


def test_an_unknown_version_is_answered_with_those_there_are(runs: Path) -> None:
    with pytest.raises(UnknownVersionError, match=r"'nope'.*There are: version-one, version-two\.$"):
        find_model("nope", runs / "one", runs)


def test_no_model_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError, match=r"There are: none\."):
        find_model("nope", tmp_path, tmp_path)


def test_the_command_ends_with_status_1(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["training", "report", "nope", "--runs", str(runs)])
    assert main() == 1
    assert "version-one, version-two" in capsys.readouterr().err


def test_a_card_with_one_recipe_is_a_model_of_one_member(runs: Path) -> None:
    card = '{"serving": {"version": "old"}, "recipe": {"name": "vgg", "seed": 1}}'
    (runs / "one" / "model.json").write_text(card, encoding="utf-8")
    (member,) = find_model("old", runs / "one", runs).members
    assert member.name == "vgg"
    assert member.history == {}


def test_the_size_is_of_the_networks(runs: Path) -> None:
    (runs / "two" / "second.tflite").write_bytes(bytes(1_000_000))
    one, two = (find_model(f"version-{name}", runs / "one", runs).megabytes for name in ("one", "two"))
    assert two == pytest.approx(one + 1)
