"""The web adapter as an operator meets it: the real program starts, says what is wrong with a setting, and stops."""

import os
import re
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.bots.web.program import ROOT, Bot
from tests.waiting import PATIENCE_S, wait_until


def test_it_stops_on_ctrl_c_with_status_0(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    bot.wait_for("adapter_open")
    assert bot.stop() == 0


def test_a_taken_port_is_one_sentence_and_status_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        bot = Bot(tmp_path, WEB_PORT=port)
        assert bot.process.wait(PATIENCE_S) == 3
    assert "set WEB_HOST or WEB_PORT" in bot.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"WEB_CHAT": "false", "CONSOLE": "false"}, "Nothing to do: set TELEGRAM_TOKEN"),
        ({"DATABASE_URL": "mysql://u:hidden@h/d"}, "DATABASE_URL is not understood"),
        ({"EMOJI_MAP": "/nowhere/map.yaml"}, "Set EMOJI_MAP"),
        ({"TELEGRAM_TOKEN": "wrong", "WEB_CHAT": "false", "CONSOLE": "false"}, "Telegram refused TELEGRAM_TOKEN"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_status_3(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    bot = Bot(tmp_path, **settings)
    assert bot.process.wait(PATIENCE_S) == 3
    log = re.sub(r"INFO: Created TensorFlow.*\n", "", bot.log.read_text(encoding="utf-8"))
    assert sentence in log
    assert "Traceback" not in log
    assert "hidden" not in log


def test_a_reaction_telegram_does_not_allow_is_named_with_its_line(tmp_path: Path) -> None:
    lines = (ROOT / "emoji_map.yaml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, line in enumerate(lines) if line.strip().startswith("😀:"))
    lines[line] = lines[line].replace("reactions: [", "reactions: [telegram, ")
    (tmp_path / "map.yaml").write_text("\n".join(lines), encoding="utf-8")
    bot = Bot(tmp_path, TELEGRAM_TOKEN="1:x", EMOJI_MAP="map.yaml")
    assert bot.process.wait(PATIENCE_S) == 3
    sentence = f"map.yaml, line {line + 1}: telegram allows no reaction with 😀"
    assert sentence in bot.log.read_text(encoding="utf-8")


def test_a_wrong_token_leaves_the_web_chat_open(tmp_path: Path) -> None:
    bot = Bot(tmp_path, TELEGRAM_TOKEN="wrong")
    bot.wait_for("adapter_open")
    bot.wait_for("Telegram refused TELEGRAM_TOKEN")
    assert bot.process.poll() is None
    assert bot.stop() == 3


def test_nothing_of_the_training_folder_is_deleted_or_taken_in_where_the_console_is_off(tmp_path: Path) -> None:
    training = tmp_path / "data" / "training"
    abandoned, half = training / "uploads" / "faces.zip", training / "data" / ".faces-0123abcd"
    for folder in (abandoned.parent, half):
        folder.mkdir(parents=True)
    abandoned.write_bytes(b"abcd")
    for each in (abandoned, half):
        os.utime(each, (time.time() - 2 * 86400,) * 2)
    before = sorted(training.rglob("*"))
    bot = Bot(tmp_path, CONSOLE="false")
    bot.wait_for("adapter_open")
    asked = {"file": "a.zip", "offset": "0", "size": "4"}
    answer = httpx.post(f"{bot.url}console/training/upload", params=asked, content=b"abcd", timeout=PATIENCE_S)
    assert answer.status_code in {404, 405}
    assert bot.stop() == 0
    assert sorted(training.rglob("*")) == before
    bot = Bot(tmp_path)
    bot.wait_for("adapter_open")
    wait_until(lambda: not abandoned.exists() and not half.exists(), bot.said)
    assert bot.stop() == 0
