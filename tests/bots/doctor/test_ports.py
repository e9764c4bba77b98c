"""Ports: free, taken, or the bot's own."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bots.doctor.findings import Severity
from bots.doctor.ports import check_ports
from tests.bots.doctor.conftest import Made
from tests.ports import free_port


class _Bot(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"alive\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port_of_the_bot() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Bot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_free_ports_are_well(made: Made) -> None:
    found = check_ports(made(web_port=free_port(), ops_port=free_port()))
    assert [each.severity for each in found] == [Severity.OK, Severity.OK]


def test_a_port_of_another_program_is_a_problem(made: Made) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        other.settimeout(0)
        [found] = check_ports(made(web_port=other.getsockname()[1]))
    assert (found.severity, "WEB_PORT" in found.advice) == (Severity.PROBLEM, True)


def test_the_bots_own_port_is_well(made: Made, port_of_the_bot: int) -> None:
    [found] = check_ports(made(web_port=port_of_the_bot))
    assert (found.severity, "runs already" in found.fact) == (Severity.OK, True)


def test_one_port_for_two_things_is_a_problem(made: Made) -> None:
    assert [each.severity for each in check_ports(made(web_port=9000, ops_port=9000))] == [Severity.PROBLEM]


def test_without_web_chat_and_console_no_port_is_needed(made: Made) -> None:
    assert check_ports(made(web_chat=False, console=False)) == []


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-name.invalid"])
def test_an_address_of_another_machine_is_a_problem(made: Made, host: str) -> None:
    [found] = check_ports(made(web_host=host))
    assert (found.severity, "WEB_HOST" in found.advice) == (Severity.PROBLEM, True)


def test_a_port_that_only_root_may_open_is_a_problem(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refused)
    [found] = check_ports(made(web_port=80))
    assert (found.severity, "1024" in found.advice) == (Severity.PROBLEM, True)
