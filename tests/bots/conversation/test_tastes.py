"""Whose taps rank the suggestions, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from bots.conversation.tastes import EVERYONE_FOR, Tastes
from db import Chat, FaceReading, Person, Platform, Store, StoredChoice
from recognizer import EMOTIONS, EmojiMap
from tests.rows import execute

MAP = EmojiMap.load()
HAPPY = tuple(float(name == "happy") for name in EMOTIONS)
ADA, CHAT, ELSEWHERE = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "1"), Chat(Platform.TELEGRAM, "2")
PLACE = EMOTIONS.index("happy"), MAP.emoji.index("😎")


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", "a secret for tests")
    yield store
    await store.close()


async def tap(store: Store, person: Person, chat: Chat, times: int = 1) -> None:
    for _ in range(times):
        (reading,) = (await store.add_photo(person, chat, "model-1", [FaceReading(HAPPY, ("😎",), b"")])).readings
        await store.taps.add(reading.id, emoji="😎")


async def test_a_person_takes_their_taste_along_to_another_chat(store: Store) -> None:
    tastes = Tastes(store, Clock())
    await tap(store, ADA, CHAT, times=5)
    here, there = [(await tastes.of(MAP, ADA, chat))[PLACE] for chat in (CHAT, ELSEWHERE)]
    assert here > 0.4
    assert there > 0.4


async def test_taps_of_everyone_are_asked_for_again_after_a_while(store: Store) -> None:
    clock = Clock()
    tastes = Tastes(store, clock)
    untaught = (await tastes.of(MAP, ADA, ELSEWHERE))[PLACE]
    for number in range(40):
        await tap(store, Person(Platform.TELEGRAM, f"friend {number}"), CHAT)
    assert (await tastes.of(MAP, ADA, ELSEWHERE))[PLACE] == untaught
    clock.now += EVERYONE_FOR
    assert (await tastes.of(MAP, ADA, ELSEWHERE))[PLACE] > untaught


async def test_last_years_taps_are_left_alone(store: Store) -> None:
    clock = Clock()
    await tap(store, ADA, CHAT, times=5)
    clock.now += timedelta(days=366)
    assert np.allclose(await Tastes(store, clock).of(MAP, ADA, CHAT), MAP.likelihoods)


async def test_without_a_database_the_map_speaks(store: Store) -> None:
    await execute(store, "DROP TABLE taps")
    with capture_logs() as logs:
        table = await Tastes(store, Clock()).of(MAP, ADA, CHAT)
    assert np.allclose(table, MAP.likelihoods)
    assert [entry["event"] for entry in logs] == ["taste_not_known"]


async def test_a_table_made_while_somebody_was_forgotten_is_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tastes, friends = Tastes(store, Clock()), [Person(Platform.TELEGRAM, f"friend {number}") for number in range(3)]
    for friend in friends:
        await tap(store, friend, CHAT)
    asked, forgotten, choices = asyncio.Event(), asyncio.Event(), store.choices.of_everyone

    async def slow(*arguments: Any, **whose: Any) -> tuple[StoredChoice, ...]:
        found = await choices(*arguments, **whose)
        asked.set()
        await forgotten.wait()
        return found

    monkeypatch.setattr(store.choices, "of_everyone", slow)
    making = asyncio.create_task(tastes.of(MAP, ADA, ELSEWHERE))
    await asked.wait()
    for friend in friends:
        await store.forget(friend)
    tastes.forget()
    forgotten.set()
    await making
    assert np.allclose(await tastes.of(MAP, ADA, ELSEWHERE), MAP.likelihoods)


class Counted:
    """Counts the statements of a store that read taps."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, statement: str) -> None:
        """Count a statement."""
        self.reads += statement.startswith("SELECT") and "FROM taps" in statement


async def test_a_photo_reads_taps_only_where_they_changed(tmp_path: Path) -> None:
    counted = Counted()
    store = await Store.open(f"sqlite:///{tmp_path}/counted.db", "a secret for tests", before_statement=counted)
    tastes = Tastes(store, Clock())
    await tap(store, ADA, CHAT, times=5)
    first = await tastes.of(MAP, ADA, CHAT)
    reads = counted.reads
    assert (await tastes.of(MAP, ADA, CHAT) == first).all()
    assert counted.reads == reads
    await tastes.of(MAP, ADA, ELSEWHERE)
    assert counted.reads == reads + 1  # the taps of the other chat; hers are known
    await tap(store, ADA, CHAT)
    tastes.prepare(MAP, ADA, CHAT)
    await tastes.close()
    reads = counted.reads
    assert (await tastes.of(MAP, ADA, CHAT))[PLACE] > first[PLACE]
    assert counted.reads == reads
    await store.close()


async def test_a_tap_and_a_deletion_in_another_replica_count_at_once(store: Store, tmp_path: Path) -> None:
    tastes, other = Tastes(store, Clock()), await Store.open(f"sqlite:///{tmp_path}/test.db", "a secret for tests")
    untaught = await tastes.of(MAP, ADA, CHAT)
    await tap(other, ADA, CHAT, times=5)
    assert (await tastes.of(MAP, ADA, CHAT))[PLACE] > 2 * untaught[PLACE]
    await other.forget(ADA)
    assert np.allclose(await tastes.of(MAP, ADA, CHAT), untaught)
    await other.close()
