"""The settings, explained."""

from pathlib import Path

import pytest

from bots.doctor.findings import Severity
from bots.doctor.settings import check_settings
from bots.pictures.artwork import Artwork, ArtworkError
from tests.bots.doctor.conftest import Made


def test_what_will_run_is_said(made: Made) -> None:
    found = check_settings(made(telegram_token="1:2", console=False, workers=3))
    assert "On are Telegram, the web chat." in [each.fact for each in found]
    assert "Set are TELEGRAM_TOKEN, CONSOLE=False, WORKERS=3; the others have their defaults." in [
        each.fact for each in found
    ]
    assert {each.severity for each in found} == {Severity.OK}


def test_nothing_to_run_is_a_problem(made: Made) -> None:
    assert Severity.PROBLEM in [each.severity for each in check_settings(made(web_chat=False, console=False))]


def test_the_file_they_are_from_is_named(made: Made, tmp_path: Path) -> None:
    assert check_settings(made())[0].fact.startswith(f"There is no {tmp_path}/.env")
    (tmp_path / ".env").write_text("WORKERS=1\n")
    assert check_settings(made())[0].fact.startswith(f"They are from {tmp_path}/.env")


def test_a_misspelt_setting_is_named_with_the_one_that_is_meant(made: Made, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_TOKN=123:secret\nPOSTGRES_PASSWORD=a\nworkers=2\n")
    [warned] = [each for each in check_settings(made()) if each.severity is Severity.WARNING]
    assert warned.fact.startswith("TELEGRAM_TOKN in .env is no setting")
    assert warned.advice == "Call it TELEGRAM_TOKEN."
    assert "secret" not in str(warned)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"console_remote": True, "web_host": "0.0.0.0"}, "CONSOLE_REMOTE"),
        ({"ops_port": 9000, "ops_host": "0.0.0.0"}, "/metrics"),
        ({"ops_port": 9000, "ops_host": "bot.example.org"}, "/metrics"),
    ],
)
def test_what_others_reach_is_a_warning(made: Made, given: dict[str, object], named: str) -> None:
    [warned] = [each for each in check_settings(made(**given)) if each.severity is Severity.WARNING]
    assert named in warned.fact


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_what_only_this_machine_reaches_is_well(made: Made, host: str) -> None:
    given = {"console_remote": True, "web_host": host, "ops_port": 9000, "ops_host": host}
    assert {each.severity for each in check_settings(made(**given))} == {Severity.OK}


def test_an_emoji_map_with_a_mistake_is_a_problem(made: Made, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("families: [")
    [found] = [each for each in check_settings(made(emoji_map=tmp_path / "mine.yaml")) if each.subject == "emoji map"]
    assert found.severity is Severity.PROBLEM
    assert "mine.yaml" in found.fact


def test_missing_artwork_is_a_problem(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ArtworkError("It is missing.")

    monkeypatch.setattr(Artwork, "load", missing)
    assert ("artwork", Severity.PROBLEM) in [(each.subject, each.severity) for each in check_settings(made())]
