"""`python -m bots` stops on a signal with exit status 0, also where the event loop handles none, as on Windows."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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
        _, errors = bot.communicate(timeout=30)
        assert (bot.returncode, "Traceback" in errors) == (0, False), errors
    finally:
        bot.kill()
