"""What the log of a whole run must not contain: any id, name, token, link, picture or word of a person."""

import base64
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from tests.bots.test_logs import configured

_PIECE = 24
"""Bytes by which a picture is recognised, in whatever form they are written."""


@contextmanager
def logged_at_debug() -> Iterator[None]:
    """Write the log as a bot at the level debug does, what libraries write included."""
    with configured("debug", "json"):
        for name in ("httpx", "telegram", "discord", "asyncio"):  # as chatty as an operator can make them
            logging.getLogger(name).setLevel(logging.DEBUG)
        yield


def assert_names_nothing(log: str, secrets: Iterable[object], pictures: Iterable[bytes] = ()) -> None:
    """Check that a log has something in it, and none of these."""
    assert "photo_read" in log
    found = {str(secret) for secret in secrets if str(secret) in log}
    for picture in pictures:
        middle = picture[len(picture) // 2 :][:_PIECE]
        found.update(
            form for form in (repr(middle)[2:-1], middle.hex(), base64.b64encode(middle).decode()) if form in log
        )
    if found:
        lines = [line[:600] for line in log.splitlines() if any(each in line for each in found)]
        pytest.fail(f"{sorted(found)} in the log:\n" + "\n".join(lines[:10]), pytrace=False)
