"""Guessing the console's token or a link into it, passes that should have ended, and posing as another admin."""

import re
import time
from pathlib import Path

import httpx
import pytest

from bots.console.account_file import AccountFile
from bots.console.accounts import Accounts
from bots.settings import CONSOLE_ACCOUNT_FILE
from tests.attacks.conftest import TOKEN
from tests.bots.web.program import Bot
from tests.waiting import PATIENCE_S


def patient(bot: Bot) -> httpx.Client:
    """Return a client of a bot that may be slow to answer."""
    return httpx.Client(base_url=bot.url, timeout=PATIENCE_S)


def _enter(client: httpx.Client, token: str, name: str = "Ada", **headers: str) -> int:
    return client.post("/console/login", data={"name": name, "token": token}, headers=headers).status_code


@pytest.mark.parametrize("guesser", [{}, {"X-Forwarded-For": "203.0.113.9"}])
def test_thirty_wrong_tokens_do_not_refuse_the_right_one(
    tmp_path_factory: pytest.TempPathFactory, guesser: dict[str, str]
) -> None:
    bot = Bot(tmp_path_factory.mktemp("bot"), CONSOLE_TOKEN=TOKEN, CONSOLE_REMOTE="true", LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    with patient(bot) as stranger, patient(bot) as admin:
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
    with patient(bot) as admin, patient(bot) as elsewhere:
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
    assert httpx.get(f"{again.url}console", cookies=stolen, timeout=PATIENCE_S).status_code == 303
    assert httpx.get(f"{again.url}console", cookies=stays, timeout=PATIENCE_S).status_code == 200
    again.stop()


def test_a_pass_is_in_no_log_and_no_file(bot: Bot) -> None:
    with patient(bot) as admin:
        assert _enter(admin, TOKEN) == 303
        cookie = admin.cookies["session"]
    stored = [path.read_bytes() for path in bot.log.parent.rglob("*") if path.is_file()]
    assert not any(cookie.encode() in content for content in stored)
    assert re.search(r'"address": "127.0.0.1"', bot.said())


def _invited(folder: Path, *names: str) -> list[str]:
    """Return the links of people who are invited before the bot starts."""
    (folder / "data").mkdir(mode=0o700)
    accounts = Accounts(AccountFile(folder / "data" / CONSOLE_ACCOUNT_FILE), time.time)
    return [f"/console/join/{accounts.invite(name, 'Grace')}" for name in names]


def _token_in(page: str) -> str:
    [token] = re.findall(r'Your token <input value="([^"]{43})"', page)
    return str(token)


def test_a_link_lets_one_person_in_once_and_is_in_no_log(tmp_path: Path) -> None:
    link, others = _invited(tmp_path, "Ada", "<b>Eve</b>")
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN, LOG_FORMAT="json", LOG_LEVEL="debug")
    bot.wait_for("adapter_open")
    with patient(bot) as ada, patient(bot) as thief:
        for _ in range(2):  # as the preview of a link does
            preview = thief.get(link)
            assert preview.status_code == 200
            assert preview.headers["Cache-Control"] == "no-store"
        assert "<strong>&lt;b&gt;Eve&lt;/b&gt;</strong>" in thief.get(others).text
        assert thief.post(link, headers={"Origin": "http://evil.example"}).status_code == 403
        assert thief.get("/console").status_code == 303
        joined = ada.post(link)
        assert joined.status_code == 200
        assert joined.headers["Cache-Control"] == "no-store"
        assert ada.get("/console").status_code == 200
        for answer in (thief.get(link), thief.post(link), ada.post(link)):
            assert answer.status_code == 403
            assert "used" in answer.text
        assert thief.get("/console").status_code == 303
        token = _token_in(joined.text)
        assert _enter(thief, token, "Eve") == 403
        assert _enter(ada, token, "ada") == 303
    assert bot.stop() == 0
    for secret in (link.rpartition("/")[2], others.rpartition("/")[2], token):
        assert secret not in bot.said()


def test_guessing_links_is_slowed_down_and_reported_and_locks_nobody_out(tmp_path: Path) -> None:
    [link] = _invited(tmp_path, "Ada")
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN, CONSOLE_REMOTE="true", LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    with patient(bot) as stranger, patient(bot) as ada:
        begun = time.monotonic()
        for number in range(16):
            guess = f"{link[:-3]}{number:03}"
            assert stranger.get(guess, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
            assert stranger.post(guess, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
        assert time.monotonic() - begun > 10
        assert ada.post(link).status_code == 200
    bot.stop()
    [alarm] = [line for line in bot.said().splitlines() if "console_under_attack" in line]
    assert "203.0.113.9" in alarm


def test_a_link_opens_from_this_machine_only_as_the_console_does(tmp_path: Path) -> None:
    [link] = _invited(tmp_path, "Ada")
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN)
    bot.wait_for("adapter_open")
    for method in ("GET", "POST"):
        answer = httpx.request(
            method, bot.url[:-1] + link, headers={"X-Forwarded-For": "203.0.113.9"}, timeout=PATIENCE_S
        )
        assert answer.status_code == 403
        assert "CONSOLE_REMOTE" in answer.text
    assert httpx.post(bot.url[:-1] + link, timeout=PATIENCE_S).status_code == 200
    bot.stop()


def test_nobody_poses_as_an_account_with_the_shared_token(tmp_path: Path) -> None:
    [link] = _invited(tmp_path, "Ada")
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN)
    bot.wait_for("adapter_open")
    with patient(bot) as ada, patient(bot) as poser:
        assert _enter(poser, TOKEN, "Ada") == 303  # she has no account yet
        assert "You are Ada here" in poser.get("/console").text
        assert ada.post(link).status_code == 200
        assert "You are Ada here" in ada.get("/console").text
        assert "You are Ada (shared token) here" in poser.get("/console").text
        for name in ("Ada", "ADA", " ada ", "\uff21da", "Ada (shared token)", "Ada\u200b"):
            assert _enter(poser, TOKEN, name) == 403
        assert _enter(poser, TOKEN, "operator") == 303
        assert "You are operator (shared token) here" in poser.get("/console").text
    bot.stop()
