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


def test_of_a_traceback_that_a_library_wrote_as_a_text_the_end_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "\n".join(f'  File "a.py", line {number}' for number in range(200))
    with configured("info", "json"):
        logging.getLogger("a.library").error(f"Traceback (most recent call last):\n{lines}\nKeyError: the cause")
    said = capsys.readouterr().err
    assert "KeyError: the cause" in said
    assert len(said) < 1_000


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_listener_is_told_whatever_is_written(level: str) -> None:
    told: list[str] = []
    with configured(level, "json"):
        configure_logs(level, "json", lambda _, facts: told.append(facts["event"]))
        structlog.get_logger().info("photo_read", faces=1)
    assert told == ["photo_read"]


IDS = [
    "778899001122",
    "-1009876543210",
    "1178899001122334455",
    "telegram:778899001122",
    "message 778899001122.",
    "photo_778899001122.jpg",
    "id778899001122",
    "chat-1009876543210",
    "AgACAgIAAxkBAAIBZ2ZkQm9YbGf4AAGx",
    "5f0c2c1e-9f2b-4f59-a6ce-3f5a4b5c6d7e",
    "a3" * 32,
    "https://api.telegram.org/file/bot1:x/photos/file_12.jpg",
    "postgresql://mugmoji:password@db.example.org/mugmoji",
]
HARMLESS = [
    "adapt-20261127-131408-abcdef",
    "2026-11-27T13:14:08.123456Z",
    "http://127.0.0.1:8080/console",
    "https://discord.com/developers/applications",
    "champion-e4b76241",
]


@STYLES
@pytest.mark.parametrize("named", IDS)
def test_an_id_or_a_link_is_removed_from_values_and_from_what_libraries_and_tracebacks_say(
    style: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured("debug", style):
        structlog.get_logger().info("event", value=named, values=[named])
        logging.getLogger("somebody").warning("they wrote %s", named)
        try:
            raise RuntimeError(f"no chat {named}")
        except RuntimeError:
            structlog.get_logger().exception("it failed")
        text = capsys.readouterr().err
        assert "it failed" in text
        assert named.rsplit(":", 1)[-1] not in text
        assert "password" not in text


@STYLES
@pytest.mark.parametrize("value", HARMLESS)
def test_what_operators_need_is_left(style: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with configured("debug", style):
        structlog.get_logger().info("event", value=value, bytes=12345)
        assert value in capsys.readouterr().err


@STYLES
def test_below_warnings_libraries_write_nothing_whatever_the_level(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured("debug", style):
        for name in ("httpx", "a library of the future"):
            logging.getLogger(name).setLevel(logging.DEBUG)
            logging.getLogger(name).info("GET for Adalgisa")
        assert capsys.readouterr().err == ""
