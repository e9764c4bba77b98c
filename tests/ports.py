"""Ports for servers that other processes start."""

import random
import socket

_PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections, of which other tests make many meanwhile."""
_CHANCE = random.SystemRandom()
"""Trainings seed Python's own generator, after which two workers would draw the same ports."""


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens; a random one, since other workers look for theirs."""
    for port in _CHANCE.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("a hundred ports are taken")
