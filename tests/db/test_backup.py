"""A backup is whole though the bot writes meanwhile, only its owner can read it, and what it replaces is kept."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from db import Chat, FaceReading, Person, Platform, Preferences, Store, backup
from db.backup import BackupError, back_up, restore

ADA, BERT = Person(Platform.TELEGRAM, "1"), Person(Platform.TELEGRAM, "2")
FACE = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
SECRET = "a secret for tests"


async def opened(file: Path) -> Store:
    return await Store.open(f"sqlite:///{file}", SECRET)


def program(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    environment |= {"DATABASE_URL": f"sqlite:///{folder}/bot.db", "DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "db", *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


async def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    store = await opened(tmp_path / "bot.db")

    async def write() -> None:
        for number in range(40):
            await store.add_photo(Person(Platform.TELEGRAM, str(number)), Chat(Platform.TELEGRAM, "1"), "m", [FACE])

    writing = asyncio.create_task(write())
    for number in range(3):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(back_up, tmp_path / "bot.db", tmp_path / f"copy{number}.db")
    await writing
    await store.close()
    for number in range(3):
        copy = tmp_path / f"copy{number}.db"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with sqlite3.connect(copy) as rows:
            photos, readings = (rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED)
            assert photos == readings
            assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)


_COUNTED = ("photos", "readings")


async def test_a_bot_that_runs_goes_on_with_what_was_restored(tmp_path: Path) -> None:
    store = await opened(tmp_path / "bot.db")
    await store.set_preferences(ADA, Preferences("de"))
    back_up(tmp_path / "bot.db", tmp_path / "copy.db")
    await store.set_preferences(ADA, Preferences("fr"))
    kept = restore(tmp_path / "copy.db", tmp_path / "bot.db")
    assert (await store.preferences(ADA)).language == "de"
    await store.set_preferences(BERT, Preferences("ja"))
    await store.close()
    assert kept is not None
    before = await opened(kept)
    assert (await before.preferences(ADA)).language == "fr"
    await before.close()


def test_a_restore_that_fails_leaves_nothing_behind_or_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_made(tmp_path / "bot.db"))
    back_up(tmp_path / "bot.db", tmp_path / "copy.db")

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(backup, "_copy", full)
        with pytest.raises(BackupError, match="no space left"):
            restore(tmp_path / "copy.db", tmp_path / "bot.db")
    assert [each.name for each in tmp_path.glob("*bot.db?*")] == []
    replace, calls = Path.replace, 0

    def refuse_the_last(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("in use")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse_the_last)
        with pytest.raises(BackupError, match=r"in use.*what was there is in .*bot\.db\.before-"):
            restore(tmp_path / "copy.db", tmp_path / "bot.db")
    [kept] = tmp_path.glob("*bot.db?*")
    assert kept.name.startswith("bot.db.before-")


async def _made(file: Path) -> None:
    await (await opened(file)).close()


async def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    store = await opened(tmp_path / "bot.db")
    await store.set_preferences(ADA, Preferences("de"))
    (tmp_path / "words.db").write_text("no database at all")
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "cut.db").write_bytes((tmp_path / "bot.db").read_bytes()[:5000])
    for name in ("words.db", "empty.db", "cut.db", "missing.db"):
        with pytest.raises(BackupError):
            restore(tmp_path / name, tmp_path / "bot.db")
    assert (await store.preferences(ADA)).language == "de"
    await store.close()
    assert not [name for name in os.listdir(tmp_path) if "before" in name]  # noqa: PTH208  (in a coroutine)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    sqlite3.connect(tmp_path / "bot.db").close()
    (tmp_path / "bot.db").touch()
    with pytest.raises(BackupError, match="there already"):
        back_up(tmp_path / "bot.db", tmp_path / "copy.db")
    with pytest.raises(BackupError, match="check DATABASE_URL"):
        back_up(tmp_path / "other.db", tmp_path / "new.db")


async def test_the_program_backs_up_restores_and_says_what_else_to_keep(tmp_path: Path) -> None:
    store = await opened(tmp_path / "bot.db")
    await store.close()
    made = program(tmp_path, "backup", "copy.db")
    assert made.returncode == 0
    assert "mugmoji.secret" in made.stdout
    again = program(tmp_path, "backup", "copy.db")
    assert (again.returncode, again.stdout) == (1, "")
    assert "there already" in again.stderr
    assert program(tmp_path, "restore", "copy.db").returncode == 0
    assert program(tmp_path, "restore", "nothing.db").returncode == 1
