"""Logs never contain a token, whichever library writes them."""

import logging

import pytest
import structlog

from bots.logs import configure_logs

TELEGRAM = "123456789:AAtelemelyaTestTokenOfNoBotAnywhere00"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"
LINK = "https://cdn.discordapp.com/attachments/1/2/me.jpg?ex=1"


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize("secret", [TELEGRAM, DISCORD, LINK])
def test_a_secret_is_removed(style: str, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure_logs("info", style)
        structlog.get_logger().info(
            "event", url=f"https://api.telegram.org/bot{secret}/getMe" if secret != LINK else secret
        )
        logging.getLogger("somebody").warning("they wrote %s", secret)
        try:
            raise RuntimeError(secret)
        except RuntimeError:
            structlog.get_logger().exception("it failed")
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    written = capsys.readouterr().err
    assert "it failed" in written
    assert "they wrote" in written
    assert secret not in written
