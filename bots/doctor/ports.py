"""Check that the ports of the bot are free, or that the bot has them."""

import errno
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from bots.doctor.findings import Finding, fine, problem
from bots.operations import HEALTH
from bots.settings import Settings

_WITHIN_S = 2.0
_SUBJECT = "ports"


def check_ports(settings: Settings) -> list[Finding]:
    """Return whether each port that the bot opens can be opened."""
    wanted = {}
    if settings.web_chat or settings.console:
        wanted["WEB_PORT"] = (settings.web_host, settings.web_port)
    if settings.ops_port is not None:
        wanted["OPS_PORT"] = (settings.ops_host, settings.ops_port)
    if len({port for _, port in wanted.values()}) < len(wanted):
        return [problem(_SUBJECT, "WEB_PORT and OPS_PORT are the same.", "Give OPS_PORT a number of its own.")]
    return [each for setting, (host, port) in wanted.items() for each in _of_port(setting, host, port)]


def _of_port(setting: str, host: str, port: int) -> Iterator[Finding]:
    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        yield _taken(setting, host, port, error)
    else:
        yield fine(_SUBJECT, f"{host}:{port} is free ({setting}).")


def _taken(setting: str, host: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        if _is_the_bot(port):
            return fine(_SUBJECT, f"The bot runs already and has {host}:{port} ({setting}).")
        advice = f"Stop what has it (ss -ltnp names it), or set {setting} to another number."
        return problem(_SUBJECT, f"Another program has {host}:{port}.", advice)
    if error.errno == errno.EACCES:
        advice = f"Set {setting} to a number from 1024 on; a proxy in front can have 80 and 443."
        return problem(_SUBJECT, f"This user may not open port {port}.", advice)
    advice = f"Set {setting.replace('PORT', 'HOST')} to an address of this machine, 127.0.0.1 or 0.0.0.0."
    return problem(_SUBJECT, f"{host}:{port} cannot be opened ({error.strerror or type(error).__name__}).", advice)


def _is_the_bot(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=_WITHIN_S)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().read(64) == b"alive\n"
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
