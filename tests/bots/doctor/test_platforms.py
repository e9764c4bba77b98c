"""Whether platforms can be reached, and their clocks."""

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bots.doctor import platforms
from bots.doctor.findings import Severity
from bots.doctor.platforms import check_platforms
from tests.bots.doctor.conftest import Made


class _Server(HTTPServer):
    """Answers every request with a date that is so many seconds ahead."""

    ahead_s = 0.0
    heard: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self.server.heard.append(f"{self.path} {self.headers}")
        self.send_response_only(302)
        self.send_header("Date", formatdate(time.time() + self.server.ahead_s, usegmt=True))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _address(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_without_a_token_nobody_is_asked(made: Made) -> None:
    assert check_platforms(made()) == []


@pytest.mark.parametrize(
    ("ahead_s", "severity"),
    [(0.0, Severity.OK), (10.0, Severity.WARNING), (-10.0, Severity.WARNING), (3600.0, Severity.PROBLEM)],
)
def test_the_clocks_are_compared(made: Made, server: _Server, ahead_s: float, severity: Severity) -> None:
    server.ahead_s = ahead_s
    [found] = check_platforms(made(telegram_token="1:secret", telegram_api_url=_address(server)))
    assert (found.subject, found.severity) == ("Telegram", severity)
    assert "secret" not in str(server.heard)


def test_discord_is_asked_if_it_has_a_token(made: Made, server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "DISCORD", _address(server))
    assert [each.subject for each in check_platforms(made(discord_token="secret"))] == ["Discord"]
    assert len(server.heard) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://", "http://[::", "nothing"])
def test_one_that_cannot_be_reached_is_a_warning(made: Made, address: str) -> None:
    [found] = check_platforms(made(telegram_token="1:secret", telegram_api_url=address))
    assert found.severity is Severity.WARNING
