"""What several copies of the bot need."""

from typing import Any

import pytest

from bots.doctor.findings import Severity
from bots.doctor.replicas import check_replicas
from tests.bots.doctor.conftest import Made

TOKEN = "1:2"
SERVER = "postgresql://mugmoji@127.0.0.1/mugmoji"
URL = "https://bot.example.org/telegram"


@pytest.mark.parametrize(
    ("given", "severity", "part"),
    [
        ({"telegram_token": TOKEN, "telegram_webhook_url": URL}, Severity.OK, "127.0.0.1:8080/telegram"),
        ({"telegram_token": TOKEN, "telegram_webhook_url": URL.replace("org", "org:8443")}, Severity.OK, "8443"),
        ({"telegram_token": TOKEN, "telegram_webhook_url": URL.replace("org", "org:8444")}, Severity.PROBLEM, "8444"),
        ({"telegram_token": TOKEN, "telegram_webhook_url": URL.replace("https", "http")}, Severity.PROBLEM, "HTTPS"),
        (
            {
                "telegram_token": TOKEN,
                "telegram_webhook_url": "http://127.0.0.1:8081/telegram",
                "telegram_api_url": "http://127.0.0.1:8082",
            },
            Severity.OK,
            "Telegram posts to http://",
        ),
        ({"telegram_webhook_url": URL}, Severity.WARNING, "TELEGRAM_TOKEN"),
        ({"discord_shards": 2}, Severity.WARNING, "DISCORD_SHARDS"),
        ({"database_url": SERVER}, Severity.WARNING, "SECRET is not set"),
    ],
)
def test_a_fault_is_found_and_what_is_well_is_said(
    made: Made, given: dict[str, Any], severity: Severity, part: str
) -> None:
    [found] = check_replicas(made(**given))
    assert (found.severity, part in found.fact) == (severity, True)


@pytest.mark.parametrize(
    "given", [{}, {"database_url": SERVER, "secret": "one of all", "discord_shards": 4}, {"database_url": "nonsense"}]
)
def test_where_there_is_nothing_to_say_nothing_is_said(made: Made, given: dict[str, Any]) -> None:
    assert check_replicas(made(**given)) == []
