"""The real program in a folder of its own, and the browser that its pages are tried in."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


class Bot:
    """`python -m bots` in a separate folder, with only the settings given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / "bot.log"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WEB_PORT": str(self.port), **settings}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bots"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.said() or self.process.poll() is not None, self.said)
        assert words in self.said()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def count(self, table: str) -> int:
        """Return how many rows a table of its database has."""
        with sqlite3.connect(self.log.parent / "data" / "mugmoji.db") as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)
