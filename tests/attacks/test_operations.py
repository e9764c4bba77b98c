"""What strangers and tools learn from the running program."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.attacks.guest import Guest
from tests.bots.web.program import Bot
from tests.ports import free_port
from tests.waiting import PATIENCE_S, wait_until


def get(url: str) -> httpx.Response:
    """Ask a program that may be slow to answer."""
    return httpx.get(url, timeout=PATIENCE_S)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_running_bot_answers_on_the_port_of_the_web_chat(bot: Bot, path: str) -> None:
    wait_until(lambda: get(f"{bot.url}{path[1:]}").status_code == 200)


async def test_refused_requests_are_counted(bot: Bot, guest: Guest) -> None:
    assert (await guest.http.post("/api/v1/photos", content=bytes(21 << 20))).status_code == 413
    figures = (await guest.http.get("/metrics")).text
    assert 'mugmoji_refusals_total{code="413",platform="web"} 1.0' in figures
    assert "mugmoji_model{" in figures


def test_a_port_of_its_own_has_all_three_and_the_web_chat_only_says_that_it_is_alive(tmp_path: Path) -> None:
    port = free_port()
    bot = Bot(tmp_path, OPS_PORT=str(port))
    bot.wait_for("adapter_open")
    bot.wait_for("operations_open")
    for path, chat in (("/healthz", 200), ("/readyz", 404), ("/metrics", 404)):
        wait_until(lambda path=path: get(f"http://127.0.0.1:{port}{path}").status_code == 200)  # type: ignore[misc]
        assert get(f"{bot.url}{path[1:]}").status_code == chat
    assert get(f"http://127.0.0.1:{port}/").status_code == 404
    assert bot.stop() == 0


def test_a_database_that_is_gone_is_said_and_the_bot_stays_alive(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    bot.wait_for("adapter_open")
    wait_until(lambda: get(f"{bot.url}readyz").json() == {"ready": True, "failing": []})
    shutil.rmtree(tmp_path / "data")
    wait_until(lambda: get(f"{bot.url}readyz").status_code == 503)
    assert "The database" in [each["part"] for each in json.loads(get(f"{bot.url}readyz").text)["failing"]]
    assert get(f"{bot.url}healthz").status_code == 200
    bot.stop()
