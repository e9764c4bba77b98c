"""What is put together goes on as a whole: a part that dies is logged, told to admins, and started again."""

import asyncio
import shutil
import sys
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from bots.assembly import assembled, configured_adapters
from bots.messages import AdminCommand, AdminCommandName, PhotoMessage, Picture
from bots.serving.model_watch import ModelWatch
from bots.settings import Settings
from db import Chat, Person, Platform
from recognizer import EmojiMapError, ModelError
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.emoji_map import DEFAULT_PATH
from tests.processes import children, has_ended
from tests.waiting import until

ANNA = Person(Platform.TELEGRAM, "1")


def settings(folder: Path, **more: object) -> Settings:
    address = f"sqlite:///{folder}/test.db"
    return Settings(_env_file=None, data_dir=folder, database_url=address, admins="telegram:1", **more)  # type: ignore[call-arg, arg-type]


async def test_a_watch_that_dies_is_told_to_admins_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, again = 0, asyncio.Event()

    async def run(_: ModelWatch) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("unforeseen")
        again.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ModelWatch, "run", run)
    with capture_logs() as logs:
        async with assembled(settings(tmp_path), []) as assembly:
            await until(assembly.problem)
            told = [reply.text async for reply in assembly.service.on_admin_command(_models())]
            await again.wait()
            assert assembly.problem() == ""
    assert "The watch on the served model has stopped (RuntimeError) and is started again." in told[-1]
    assert "task_died" in [entry["event"] for entry in logs]


async def test_a_map_with_what_telegram_does_not_allow_is_refused_where_telegram_is_configured(tmp_path: Path) -> None:
    own_map = tmp_path / "map.yaml"
    text = DEFAULT_PATH.read_text(encoding="utf-8")
    own_map.write_text(text.replace("[discord, web]", "[telegram, discord, web]", 1), "utf-8")
    chosen = settings(tmp_path, emoji_map=own_map, telegram_token="123456:a-token-for-tests")
    factories = [each for each in configured_adapters(chosen) if each.kind.name is Platform.TELEGRAM]
    with pytest.raises(EmojiMapError, match="telegram allows no reaction with 😀"):
        async with assembled(chosen, factories):
            pass
    async with assembled(chosen, []) as assembly:
        assert assembly.emoji_map_watch.refresh().path == own_map


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
async def test_pictures_are_decoded_in_a_process_that_is_replaced_and_ends_with_the_bot(
    tmp_path: Path, selfie: bytes
) -> None:
    photo = PhotoMessage(ANNA, Chat(Platform.TELEGRAM, "1"), (Picture(selfie),))
    before = _decoding()
    async with assembled(settings(tmp_path), []) as assembly:
        answers = [reply.text async for reply in assembly.service.on_photo(photo)]
        killed = _decoding() - before
        for process in killed:
            process.kill()
        answers += [reply.text async for reply in assembly.service.on_photo(photo)]
        assert ["happy" in answer for answer in answers] == [True, True]
        assert _decoding() - before - killed
    await until(lambda: _decoding() <= before and all(map(has_ended, killed)))


def _decoding() -> set[psutil.Process]:
    return children("recognizer.isolation.worker")


def _models() -> AdminCommand:
    return AdminCommand(ANNA, AdminCommandName.MODELS)


async def test_where_the_shipped_model_is_damaged_a_whole_version_of_the_database_answers_and_admins_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, selfie: bytes
) -> None:
    damaged = tmp_path / "model"
    shutil.copytree(MODEL_FOLDER, damaged)
    content = bytearray((damaged / "expression.tflite").read_bytes())
    content[5000] ^= 1
    (damaged / "expression.tflite").write_bytes(content)
    load = Classifier.load
    with monkeypatch.context() as patched:
        patched.setattr(Classifier, "load", lambda: load(damaged))
        with pytest.raises(ModelError, match="restore the model folder"):
            async with assembled(settings(tmp_path), []):
                pass
    async with assembled(settings(tmp_path), []):
        pass  # a healthy start stores the shipped version
    monkeypatch.setattr(Classifier, "load", lambda: load(damaged))
    photo = PhotoMessage(ANNA, Chat(Platform.TELEGRAM, "1"), (Picture(selfie),))
    async with assembled(settings(tmp_path), []) as assembly:
        answers = [reply.text async for reply in assembly.service.on_photo(photo)]
        assert "happy" in answers[-1]
        assert "damaged" in assembly.problem()
