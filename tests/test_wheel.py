"""The built wheel runs on its own: in a new environment, outside the checkout, with all its data.

Its dependencies are those of the environment that runs the tests; `bots`, `db`, `recognizer` and `training` are not.
"""

import json
import os
import shutil
import site
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[1]
_PACKAGES = ("bots", "db", "recognizer", "training")
_DATA = (
    "recognizer/emoji_map.yaml",
    "recognizer/face_models/LICENSE",
    "recognizer/face_models/NOTICE.md",
    "recognizer/face_models/face_detection_short_range.tflite",
    "recognizer/face_models/face_landmark.tflite",
    "recognizer/face_models/face_landmarks_detector.tflite",
    "recognizer/face_models/face_blendshapes.tflite",
    "recognizer/face_models/selfie_segmentation.tflite",
    "recognizer/model/expression.tflite",
    "recognizer/model/guard.npz",
    "bots/conversation/locale/de/LC_MESSAGES/mugmoji.po",
    "bots/web/static/app.js",
    "bots/web/static/icon-512.png",
    "bots/web/templates/chat.html",
    "bots/console/static/console.css",
    "db/migrations/env.py",
    "db/migrations/versions/0001_first_schema.py",
    "training/recipes/vgg_small.yaml",
    "training/ablations/champion.yaml",
    "training/templates/report.html",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in (*_PACKAGES, "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "emoji_map.yaml"):
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(out), str(source)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    [made] = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in a new environment and return its interpreter."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    interpreter = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", f"--python={interpreter}", "install", "-q", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(
        "\n".join(site.getsitepackages())
    )  # as a path only: its .pth stay unread
    return interpreter


@pytest.fixture
def running_bot(python: Path, tmp_path: Path) -> Iterator[str]:
    """Start the bot of the wheel in an empty folder and return the address it says to open."""
    settings = {"WEB_PORT": str(free_port()), "TELEGRAM_TOKEN": "", "DISCORD_TOKEN": ""}
    environment = {**os.environ, **settings}
    bot = subprocess.Popen(
        [str(python), "-P", "-m", "bots"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert bot.stdout is not None
        said = bot.stdout.readline()
        assert said.startswith("Open http://127.0.0.1:"), said
        yield said.removeprefix("Open ").strip()
    finally:
        bot.terminate()
        bot.wait(60)


def test_the_wheel_holds_its_data_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in _DATA if name not in names] == []
    folders = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert folders == set(_PACKAGES)


def test_it_reads_a_photo(python: Path, tmp_path: Path, selfie: bytes) -> None:
    (tmp_path / "selfie.jpg").write_bytes(selfie)
    command = [str(python), "-P", "-m", "recognizer", "selfie.jpg", "--json"]
    read = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    [face] = json.loads(read.stdout)["faces"]
    assert max(face["emotions"], key=face["emotions"].get) == "happy"
    assert face["emoji"]


def test_all_of_it_comes_from_the_wheel(python: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(_PACKAGES)}; print(*(m.__file__ for m in ({', '.join(_PACKAGES)})), sep='\\n')"
    imported = subprocess.run(
        [str(python), "-P", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert all(Path(path).is_relative_to(python.parents[1]) for path in imported)


def test_its_bot_serves_the_web_chat(running_bot: str) -> None:
    with urllib.request.urlopen(running_bot, timeout=60) as page:
        assert b"chat.css" in page.read()
    for path in ("/static/app.js", "/console-static/console.css"):
        with urllib.request.urlopen(running_bot + path, timeout=60) as file:
            assert file.status == 200


def test_its_command_line_knows_recipes_and_versions(python: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "200"}
    for arguments, expected in ((("fit", "--help"), "vgg_small"), (("models",), "champion")):
        command = [str(python), "-P", "-m", "training", *arguments]
        said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        assert expected in said.stdout
