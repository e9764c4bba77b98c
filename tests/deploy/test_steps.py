"""What Docker and systemd would do, done here: the program starts without rights on a tree that it cannot write."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.deploy.files import ROOT, dockerfile, example, image_environment
from tests.ports import free_port
from tests.waiting import wait_until

_POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
"""For tests that run as root: a root that may write only what permissions let it."""


@dataclass(frozen=True)
class Container:
    """What a container of the image has: the program, one writable folder, and its environment."""

    program: Path
    data: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        """Return a command of the image as it is run here."""
        own = [sys.executable if word == "python" else word for word in words]
        return [*(_POWERLESS if os.geteuid() == 0 else ()), *own]


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    """Take the image's steps that copy and compile, and make the tree read-only."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("as root this needs setpriv (util-linux)")
    program, data = tmp_path / "app", tmp_path / "data"
    program.mkdir()
    data.mkdir(mode=0o700)
    for source in (each for name, rest in dockerfile() if name == "COPY" for each in rest.split()[:-1]):
        if source.startswith(("--from", "deploy/", "/")):
            continue
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, program / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, program / source)
    assert ("RUN", "python -m compileall -q .") in dockerfile()
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=program, check=True)
    for path in (program, *program.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    ports = {
        "WEB_PORT": str(free_port()),
        "OPS_PORT": str(free_port()),
        "WEB_HOST": "127.0.0.1",
        "OPS_HOST": "127.0.0.1",
    }
    given = {
        name: value.replace("/data", str(data)).replace("/app", str(program))
        for name, value in image_environment().items()
        if name != "PATH"
    }
    yield Container(program, data, {"PATH": os.environ["PATH"], **given, **ports})
    for path in (program, *program.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def test_the_image_starts_is_healthy_and_ends(container: Container) -> None:
    [start] = [eval(rest) for name, rest in dockerfile() if name == "CMD" and "bots" in rest]  # a list of words
    [check] = [rest for name, rest in dockerfile() if name == "HEALTHCHECK"]
    words = eval(check[check.index("CMD ") + 4 :])
    with (container.data / "log").open("w") as log:
        bot = subprocess.Popen(
            container.command(*start), cwd=container.data, env=container.environment, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{container.environment['OPS_PORT']}"
        wait_until(lambda: _is_ready(url))
        healthy = subprocess.run(container.command(*words), env=container.environment, check=False)
        assert healthy.returncode == 0
        assert httpx.get(f"http://127.0.0.1:{container.environment['WEB_PORT']}/", timeout=60).status_code == 200
    finally:
        bot.terminate()
        status = bot.wait(60)
    assert status == 0, (container.data / "log").read_text()
    assert not list(container.program.rglob(".nicegui"))
    assert (container.data / "mugmoji.db").exists()
    assert subprocess.run(
        container.command(*words), env=container.environment, check=False, capture_output=True
    ).returncode


def test_the_example_of_settings_leads_to_the_writable_folder(container: Container) -> None:
    given = {name: value for name, value in example().items() if not name.startswith(("WEB_", "OPS_"))}
    said = subprocess.run(
        container.command("python", "-m", "training", "models"),
        cwd=container.data,
        env={**container.environment, **given},
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert (container.data / "data" / "mugmoji.db").exists()


def test_its_other_commands_work_there(container: Container) -> None:
    def called(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            container.command("python", "-m", *words),
            cwd=container.data,
            env=container.environment,
            check=False,
            capture_output=True,
            text=True,
        )

    assert called("bots", "doctor").returncode == 0
    assert "10 are needed" in called("training", "retrain").stderr
    backed_up = called("db", "backup", str(container.data / "backup" / "mugmoji.db"))
    assert backed_up.returncode == 0, backed_up.stderr


def test_the_tree_cannot_be_written(container: Container) -> None:
    tried = subprocess.run(
        container.command("touch", str(container.program / "bots" / "new")), check=False, capture_output=True
    )
    assert tried.returncode != 0


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Return the systemd unit with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    text = (ROOT / "deploy" / "mugmoji.service").read_text()
    (tmp_path / "mugmoji.service").write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.M)
    )
    return tmp_path / "mugmoji.service"


def test_systemd_understands_every_line_of_the_unit(unit: Path) -> None:
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True)
    assert [line for line in said.stderr.splitlines() if "mugmoji" in line] == []
    assert said.returncode == 0


def test_systemd_finds_little_that_the_unit_leaves_open(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout[-200:]


def _is_ready(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/readyz").json() == {"ready": True, "failing": []})
    except httpx.TransportError:
        return False
