"""A retraining outlives the bot, on every Python that the project allows and this machine has."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bots.learning import detached_process
from bots.learning.detached_process import DetachedProcess

_MODULE = Path(detached_process.__file__)
_VERSIONS = ("3.11", "3.12", "3.13", "3.14")
_CHILD = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "begun").touch()
while not (folder / "bot has ended").exists():
    time.sleep(0.02)
(folder / "outlived").touch()
"""
_BOT = """
import asyncio, importlib.util, os, pathlib, signal, sys, time
spec = importlib.util.spec_from_file_location("detached_process", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder, child, end = sys.argv[2:]

async def main():
    process = module.DetachedProcess.start([sys.executable, "-c", child, folder], pathlib.Path(folder), os.environ)
    waiting = asyncio.create_task(process.wait())
    while not (pathlib.Path(folder) / "begun").exists():
        await asyncio.sleep(0.02)
    if end == "killed by a signal":
        os.kill(0, signal.SIGINT)  # Ctrl-C reaches the whole group of the terminal
        await asyncio.sleep(60)
    if end == "with its task cancelled":
        waiting.cancel()

asyncio.run(main())
"""


def _interpreter(version: str) -> str | None:
    """A Python of this version that starts, or None."""
    roots = [Path(sys.base_prefix), *(Path.home() / ".pyenv" / "versions").glob(f"{version}.*")]
    found = [shutil.which(f"python{version}"), *(str(root / "bin" / f"python{version}") for root in roots)]
    for each in filter(None, found):
        ask = [each, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if Path(each).exists():
            answer = subprocess.run(ask, check=False, capture_output=True, text=True)
            if answer.stdout.strip() == version:
                return each
    return None


@pytest.mark.parametrize("end", ["by itself", "with its task cancelled", "killed by a signal"])
@pytest.mark.parametrize("version", _VERSIONS)
def test_it_outlives_the_bot(tmp_path: Path, version: str, end: str) -> None:
    interpreter = _interpreter(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not on this machine")
    bot = subprocess.run(
        [interpreter, "-c", _BOT, str(_MODULE), str(tmp_path), _CHILD, end],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )
    assert bot.returncode == (-signal.SIGINT if end == "killed by a signal" else 0), bot.stderr
    (tmp_path / "bot has ended").touch()
    deadline = time.monotonic() + 60
    while not (tmp_path / "outlived").exists():
        assert time.monotonic() < deadline, "the retraining was ended with the bot"
        time.sleep(0.02)


async def test_its_status_and_its_last_words_are_known(tmp_path: Path) -> None:
    script = "import sys; print('first\\nlast\\n', file=sys.stderr); sys.exit(3)"
    process = DetachedProcess.start([sys.executable, "-c", script], tmp_path, os.environ)
    async with asyncio.timeout(60):
        assert await process.wait() == 3
    assert process.last_error_line() == "last"


async def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DetachedProcess.start([str(tmp_path / "nothing")], tmp_path, os.environ)
