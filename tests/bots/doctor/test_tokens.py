"""The form of tokens."""

import base64

import pytest

from bots.doctor.findings import Severity
from bots.doctor.tokens import check_tokens
from tests.bots.doctor.conftest import Made

_ID = base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("=")
TELEGRAM, DISCORD = f"123456789:{'a' * 35}", f"{_ID}.abcdef.{'b' * 38}"


def test_no_token_is_well(made: Made) -> None:
    assert [each.severity for each in check_tokens(made())] == [Severity.OK]


def test_tokens_of_the_right_form_are_well(made: Made) -> None:
    found = check_tokens(made(telegram_token=TELEGRAM, discord_token=DISCORD, secret="s" * 32, console_token="c" * 16))
    assert [each.severity for each in found] == [Severity.OK, Severity.OK]


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        (TELEGRAM[:-10], ""),
        ("a" * 35, ""),
        (DISCORD, ""),
        (f"bot{TELEGRAM}", ""),
        (f"{TELEGRAM} ", "blank"),
        (f'"{TELEGRAM}"', "quotes"),
        (TELEGRAM.replace("1", "١"), ""),
    ],
)
def test_a_telegram_token_of_another_form_is_a_problem(made: Made, token: str, hint: str) -> None:
    [found] = check_tokens(made(telegram_token=token))
    assert found.severity is Severity.PROBLEM
    assert hint in found.fact
    assert token.strip() not in str(found)


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        ("c" * 32, ""),
        (TELEGRAM, ""),
        (f"Bot {DISCORD}", "blank"),
        (f"'{DISCORD}'", "quotes"),
        (DISCORD.replace(_ID, "x" * len(_ID)), ""),
        (DISCORD.rpartition(".")[0], ""),
    ],
)
def test_a_discord_token_of_another_form_is_a_problem(made: Made, token: str, hint: str) -> None:
    [found] = check_tokens(made(discord_token=token))
    assert found.severity is Severity.PROBLEM
    assert hint in found.fact
    assert token.strip() not in str(found)


@pytest.mark.parametrize("name", ["secret", "console_token"])
def test_a_short_secret_is_a_warning(made: Made, name: str) -> None:
    [found] = check_tokens(made(**{name: "sesame"}))
    assert found.severity is Severity.WARNING
    assert name.upper() in found.fact
    assert "sesame" not in str(found)
