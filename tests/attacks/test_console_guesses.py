"""Guessing the console's token, and passes that should have ended."""

import re
from pathlib import Path

import httpx
import pytest

from tests.attacks.conftest import TOKEN
from tests.bots.web.program import Bot


def _enter(client: httpx.Client, token: str, name: str = "Ada", **headers: str) -> int:
    return client.post("/console/login", data={"name": name, "token": token}, headers=headers).status_code


@pytest.mark.parametrize("guesser", [{}, {"X-Forwarded-For": "203.0.113.9"}])
def test_thirty_wrong_tokens_do_not_refuse_the_right_one(
    tmp_path_factory: pytest.TempPathFactory, guesser: dict[str, str]
) -> None:
    bot = Bot(tmp_path_factory.mktemp("bot"), CONSOLE_TOKEN=TOKEN, CONSOLE_REMOTE="true", LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    with httpx.Client(base_url=bot.url, timeout=60) as stranger, httpx.Client(base_url=bot.url, timeout=60) as admin:
        for number in range(32):
            assert _enter(stranger, f"wrong {number}", "Mallory\nconsole_entered", **guesser) == 403
        assert _enter(admin, TOKEN) == 303
        assert admin.get("/console").status_code == 200
    bot.stop()
    alarms = [line for line in bot.said().splitlines() if "console_under_attack" in line]
    assert len(alarms) == 1
    assert guesser.get("X-Forwarded-For", "127.0.0.1") in alarms[0]
    assert "wrong 3" not in bot.said()
    assert TOKEN not in bot.said()


def test_a_pass_that_was_logged_out_stays_out_after_a_restart(tmp_path: Path) -> None:
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN)
    bot.wait_for("adapter_open")
    with httpx.Client(base_url=bot.url) as admin, httpx.Client(base_url=bot.url) as elsewhere:
        assert _enter(admin, TOKEN) == 303
        assert _enter(elsewhere, TOKEN) == 303
        stolen = dict(admin.cookies)
        stays = dict(elsewhere.cookies)
        origin = {"Origin": "http://evil.example"}
        assert admin.post("/console/logout", headers=origin).status_code == 403
        assert admin.get("/console").status_code == 200
        assert admin.get("/console/logout").status_code == 405
        assert admin.post("/console/logout").status_code == 303
    bot.stop()
    again = Bot(tmp_path, CONSOLE_TOKEN=TOKEN)
    again.wait_for("adapter_open")
    assert httpx.get(f"{again.url}console", cookies=stolen).status_code == 303
    assert httpx.get(f"{again.url}console", cookies=stays).status_code == 200
    again.stop()


def test_a_pass_is_in_no_log_and_no_file(bot: Bot) -> None:
    with httpx.Client(base_url=bot.url) as admin:
        assert _enter(admin, TOKEN) == 303
        cookie = admin.cookies["session"]
    stored = [path.read_bytes() for path in bot.log.parent.rglob("*") if path.is_file()]
    assert not any(cookie.encode() in content for content in stored)
    assert re.search(r'"address": "127.0.0.1"', bot.said())
