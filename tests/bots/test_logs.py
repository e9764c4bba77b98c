"""Logs never contain a token, whichever library writes them, and nobody outside decides what a line looks like."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from bots.logs import configure_logs

TELEGRAM = "123456789:AAtelemelyaTestTokenOfNoBotAnywhere00"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"
LINK = "https://cdn.discordapp.com/attachments/1/2/me.jpg?ex=1"


STYLES = pytest.mark.parametrize("style", ["console", "json"])
FORGED = [
    "boss\n2026-11-27T10:00:00Z [info     ] console_entered   admin=boss",
    "boss\r\x1b[2K\x1b[1A[info] console_entered admin=boss",
    "boss\u2028console_entered admin=boss",
    "boss\x85console_entered admin=boss",
    "\u202eboss\u2066\u200b\x00",
]


@contextmanager
def configured(level: str, style: str) -> Iterator[None]:
    before = structlog.get_config()
    handlers, root_level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure_logs(level, style)
        yield
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(root_level)


@STYLES
@pytest.mark.parametrize("secret", [TELEGRAM, DISCORD, LINK])
def test_a_secret_is_removed(style: str, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    with configured("info", style):
        url = f"https://api.telegram.org/bot{secret}/getMe" if secret != LINK else secret
        structlog.get_logger().info("event", url=url)
        logging.getLogger("somebody").warning("they wrote %s", secret)
        try:
            raise RuntimeError(secret)
        except RuntimeError:
            structlog.get_logger().exception("it failed")
        text = capsys.readouterr().err
        assert "it failed" in text
        assert "they wrote" in text
        assert secret not in text


@STYLES
@pytest.mark.parametrize("forged", FORGED)
def test_what_comes_from_outside_makes_no_line_and_controls_no_terminal(
    style: str, forged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured("info", style):
        log = structlog.get_logger()
        log.info(
            "one", name=forged, many=[forged], deep={"a": {forged: (forged,)}}, odd=ValueError(forged), **{forged: 1}
        )
        logging.getLogger("somebody").warning("two %s", forged)
        log.info(forged)
        lines = capsys.readouterr().err.rstrip("\n").split("\n")
        assert len(lines) == 3
        assert all(each.isprintable() for line in lines for each in line)


@STYLES
def test_a_traceback_keeps_its_lines_but_none_begins_like_a_line_of_the_log(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured("info", style):
        try:
            raise RuntimeError(FORGED[0])
        except RuntimeError:
            structlog.get_logger().exception("it failed")
            logging.getLogger("somebody").exception("it failed too")
        text = capsys.readouterr().err
        if style == "json":
            assert len([json.loads(line) for line in text.splitlines()]) == 2
        else:
            assert sum(not line.startswith("    ") for line in text.splitlines() if line) == 2


@STYLES
def test_nothing_from_outside_fills_the_log(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    with configured("info", style):
        long = "x" * 1_000_000
        log = structlog.get_logger()
        log.info("one", name=long, many=[long] * 10_000, deep=dict.fromkeys(range(1000), long))
        log.info(long, **{long: long})
        try:
            raise RuntimeError(long)
        except RuntimeError:
            log.exception("it failed")
        assert len(capsys.readouterr().err) < 100_000


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_listener_is_told_whatever_is_written(level: str) -> None:
    told: list[str] = []
    with configured(level, "json"):
        configure_logs(level, "json", lambda _, facts: told.append(facts["event"]))
        structlog.get_logger().info("photo_read", faces=1)
    assert told == ["photo_read"]
