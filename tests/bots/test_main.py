"""The command line: what it starts and refuses, how it stops, and that one adapter leaves the others alone."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from bots.__main__ import serve
from bots.adapter import AdapterError
from bots.assembly import AdapterFactory
from bots.settings import Settings
from db import Platform
from db.settings import SettingsError
from tests.ports import free_port
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
_RUN = "from bots.__main__ import app; app()"
_AS_ON_WINDOWS = """
import asyncio

def add_signal_handler(self, number, callback, *arguments):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = add_signal_handler
"""
_WITHOUT_A_SERVER = """
import asyncio
import bots.__main__ as bot
from bots.assembly import AdapterFactory
from db import Platform
from db.settings import SettingsError

class Silent:
    name, allowed_reactions = Platform.WEB, None

    async def run(self):
        print("Open", flush=True)
        await asyncio.Event().wait()

bot.configured_adapters = lambda settings: [AdapterFactory(Silent, lambda assembly: Silent())]
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(_RUN, id="here"),
        pytest.param(_AS_ON_WINDOWS + _RUN, id="as on Windows"),
        pytest.param(_AS_ON_WINDOWS + _WITHOUT_A_SERVER + _RUN, id="as on Windows, without uvicorn's own handlers"),
    ],
)
def test_the_bot_stops_on_a_signal(tmp_path: Path, program: str, number: signal.Signals) -> None:
    port = free_port()
    bot = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WEB_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert bot.stdout is not None
        assert bot.stdout.readline().startswith("Open")
        bot.send_signal(number)
        _, errors = bot.communicate(timeout=PATIENCE_S)
        assert (bot.returncode, "Traceback" in errors) == (0, False), errors
    finally:
        bot.kill()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--help",), 0, "Run the bot"),
        (("run", "--help"), 0, "Run the bot"),
        (("rnu",), 2, "No such command 'rnu'"),
        (("run", "now"), 2, "unexpected extra argument"),
        (("--port", "80"), 2, "No such option: --port"),
    ],
)
def test_words_that_do_not_run_the_bot(tmp_path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "bots", *arguments]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, said in ended.stdout + ended.stderr) == (status, True), ended.stderr
    assert not list(tmp_path.iterdir())  # nothing was started that keeps its data here


class _Failing:
    """An adapter that fails at its first run, serves at its second, and cannot be made at first."""

    name: ClassVar[Platform] = Platform.DISCORD
    allowed_reactions: ClassVar[frozenset[str] | None] = None
    made, runs = 0, 0
    serves: asyncio.Event

    def __init__(self) -> None:
        _Failing.made += 1
        if _Failing.made == 1:
            raise ValueError("unforeseen")

    async def run(self) -> None:
        _Failing.runs += 1
        if _Failing.runs == 1:
            raise RuntimeError("unforeseen")
        _Failing.serves.set()
        await asyncio.Event().wait()


class _Refused:
    """An adapter whose platform refuses it."""

    name: ClassVar[Platform] = Platform.TELEGRAM
    allowed_reactions: ClassVar[frozenset[str] | None] = None

    async def run(self) -> None:
        raise AdapterError("Telegram refused TELEGRAM_TOKEN.")


class _Unset(_Refused):
    """An adapter that lacks a setting."""

    name: ClassVar[Platform] = Platform.WEB

    def __init__(self) -> None:
        raise SettingsError("data/console.token is empty.")


async def test_an_adapter_that_fails_is_run_again_and_one_that_is_refused_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Failing.serves = asyncio.Event()
    factories = [AdapterFactory(kind, lambda _, kind=kind: kind()) for kind in (_Failing, _Refused, _Unset)]  # type: ignore[misc]
    monkeypatch.setattr("bots.__main__.configured_adapters", lambda _: factories)
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/test.db")  # type: ignore[call-arg, arg-type]
    with capture_logs() as logs:
        serving = asyncio.create_task(serve(settings))
        async with asyncio.timeout(PATIENCE_S):
            await _Failing.serves.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await serving == 3  # because of the one that was refused
    assert [entry["task"] for entry in logs if entry["event"] == "task_died"] == ["The adapter for discord"] * 2
    assert {"Telegram refused TELEGRAM_TOKEN.", "data/console.token is empty."} <= {entry["event"] for entry in logs}
