"""Editing the emoji map while the bot runs."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.serving import emoji_map_watch
from bots.serving.emoji_map_watch import EmojiMapWatch
from recognizer import EmojiMap, EmojiMapError, Recognizer
from recognizer.emoji_map import DEFAULT_PATH
from tests.waiting import until

TEXT = DEFAULT_PATH.read_text(encoding="utf-8")


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def reader(recognizer: Recognizer, edited: Path) -> Recognizer:
    return Recognizer(recognizer._finder, recognizer._segmenter, recognizer.classifier, EmojiMap.load(edited))


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    later = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later, later))  # two edits within one tick of a coarse clock are still two


def test_an_edited_map_is_taken_up(reader: Recognizer, edited: Path) -> None:
    watch = EmojiMapWatch(reader)
    before = watch.refresh()
    write(edited, TEXT.replace("    😄:", "    🦄:"))
    after = watch.refresh()
    assert reader.emoji_map is after
    assert ("🦄" in after.emoji, "🦄" in before.emoji) == (True, False)
    assert watch.refresh() is after


def test_a_mistake_keeps_the_former_map_and_is_told_once(reader: Recognizer, edited: Path) -> None:
    watch = EmojiMapWatch(reader)
    before = watch.refresh()
    write(edited, TEXT.replace("angry: 1,", "agry: 1,", 1))
    with capture_logs() as logs:
        assert [watch.refresh() for _ in range(3)] == [before] * 3
    assert [entry["event"] for entry in logs] == ["emoji_map_kept"]
    assert "unknown key 'agry'" in logs[0]["reason"]
    write(edited, TEXT.replace("    😄:", "    🦄:"))
    assert "🦄" in watch.refresh().emoji


def test_a_map_that_is_gone_keeps_the_former_one(reader: Recognizer, edited: Path) -> None:
    watch = EmojiMapWatch(reader)
    before = watch.refresh()
    edited.unlink()
    with capture_logs() as logs:
        assert watch.refresh() is before
    assert "is missing" in logs[0]["reason"]


def test_a_map_that_a_platform_refuses_keeps_the_former_one(reader: Recognizer, edited: Path) -> None:
    def refuse(_: EmojiMap) -> None:
        raise EmojiMapError("telegram allows no reaction with 🦄")

    watch = EmojiMapWatch(reader, refuse)
    before = watch.refresh()
    write(edited, TEXT.replace("    😄:", "    🦄:"))
    with capture_logs() as logs:
        assert watch.refresh() is before
    assert "🦄" in logs[0]["reason"]


async def test_a_running_watch_loads_an_edited_map(
    reader: Recognizer, edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emoji_map_watch, "LOOK_EVERY_S", 0.01)
    before = reader.emoji_map
    running = asyncio.create_task(EmojiMapWatch(reader).run())
    try:
        write(edited, TEXT + "\n")
        await until(lambda: reader.emoji_map is not before)
    finally:
        running.cancel()
