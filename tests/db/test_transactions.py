"""Every method of the store is one transaction: broken off in the middle, nothing of it is kept."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from db import (
    Actor,
    Chat,
    ChatChoices,
    Claimed,
    Depth,
    FaceReading,
    Game,
    Imported,
    Lesson,
    Opened,
    Origin,
    Part,
    Person,
    Platform,
    Preferences,
    State,
    Store,
    Verdict,
    gathering,
)
from db.chat_emoji import ChatEmoji, OwnEmoji
from db.chats import Chats
from db.choices import Choices
from db.consent import Consents
from db.crop_keys import CropKeys
from db.feedback import Feedback
from db.games import Games
from db.journal import Journal
from db.leases import Leases
from db.retention import Retention
from db.retrainings import Retrainings
from db.schema import Base
from db.taps import Taps
from db.update_claims import UpdateClaims
from db.versions import Versions
from tests.faults import Faults
from tests.judgements import judgement
from tests.rows import count_rows

ANNA, ADMIN = Person(Platform.TELEGRAM, "1"), Person(Platform.CONSOLE, "Grace")
OLD_CHAT = Chat(Platform.TELEGRAM, "1")
NEW, NEW_CHAT = Person(Platform.DISCORD, "2"), Chat(Platform.DISCORD, "3")
SEVEN = (0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0)
FACE = FaceReading(SEVEN, ("😄", "😐"), bytes(48 * 48))
GRACE = Actor.of(ADMIN)
LONG_AGO, DAY = datetime(2000, 1, 1, tzinfo=UTC), timedelta(days=1)
HOLDER = "a process"
ALBUM = OLD_CHAT.message("album").hashed("a secret for tests")
GAME = Game(1, 1, "sad", "😢", ("sad",), 0, is_shared=True)
OWN = OwnEmoji("<:blob:123456789012345678>", "happy", "😄")
METRICS = judgement(offered=True).to_metrics()

Write = Callable[[Store, int], Awaitable[object]]


async def _add_version(
    store: Store, name: str, *, parent: str, lessons: tuple[Lesson, ...] = (), retraining: int | None = None
) -> None:
    await store.versions.add(
        name,
        name.encode(),
        origin=Origin.ADAPT,
        parent=parent,
        metrics=METRICS,
        fingerprint="f" * 64,
        lessons=lessons,
        retraining=retraining,
    )


async def _prepared(store: Store) -> int:
    """A database in which every method has something to do; returns a reading of Anna's."""
    await store.set_keeps_faces(ANNA, agreed=True)
    (reading,) = (await store.add_photo(ANNA, OLD_CHAT, "shipped-1", [FACE], messages=["7"])).readings
    await store.taps.add(reading.id, emoji="😄")
    await store.feedback.add_label(reading.id, ADMIN, Verdict.HAPPY)
    await store.versions.begin_with("shipped-1", b"files")
    await _add_version(store, "a", parent="shipped-1")
    await _add_version(store, "old", parent="shipped-1")
    await store.versions.promote("a", instead_of="shipped-1", by=GRACE)
    await _add_version(store, "b", parent="a")
    await store.add_photo(NEW, OLD_CHAT, "shipped-1", [FACE], messages=["9"])
    await store.chat_emoji.put(OLD_CHAT, OWN)
    assert await store.games.start(OLD_CHAT, None, "sad", "😢", LONG_AGO) == GAME
    await store.games.note_message(GAME.id, OLD_CHAT.message("70"))
    await store.games.score(GAME, ANNA, "Anna", 3)
    assert await store.retrainings.start(Depth.ADAPT, Actor.of(ANNA)) == 1
    assert [(await _open(store, message)).id for message in ("7", "6", "5")] == [1, 2, 3]
    asked = ANNA, OLD_CHAT, OLD_CHAT.message("album")
    await store.journal.open(*asked, gathering({"message": 77}), HOLDER, LONG_AGO, LONG_AGO + DAY)
    await store.journal.close(2, HOLDER, LONG_AGO)
    assert await store.journal.begin_to_send(3, HOLDER, 0, "")
    assert await store.leases.take("polling", HOLDER, LONG_AGO, LONG_AGO + DAY)
    assert (await _claim(store, 1)).mine
    return reading.id


async def _open(store: Store, message: str) -> Opened:
    asked = ANNA, OLD_CHAT, OLD_CHAT.message(message)
    return await store.journal.open(*asked, {"message": message}, HOLDER, LONG_AGO, LONG_AGO + DAY)


async def _claim(store: Store, number: int) -> Claimed:
    return await store.update_claims.claim(9, [number], [], HOLDER, LONG_AGO, LONG_AGO + DAY)


async def _start(store: Store, _: int) -> None:
    await store.retrainings.start(Depth.FULL, GRACE)


def _import(store: Store, _: int) -> Awaitable[object]:
    face = Imported(bytes(range(256)) * 9, SEVEN, Verdict.SAD, Person(Platform.IMPORT, "set/1"))
    return store.feedback.add_imported([face], "shipped-1", "set")


def _add(store: Store, reading: int) -> Awaitable[object]:
    lessons = (Lesson(reading, Part.LEARN, 1.0, SEVEN),)
    return _add_version(store, "c", parent="a", lessons=lessons, retraining=1)


WRITERS = (
    Store,
    Consents,
    Retention,
    CropKeys,
    Chats,
    ChatEmoji,
    Games,
    Journal,
    Leases,
    UpdateClaims,
    Taps,
    Feedback,
    Choices,
    Versions,
    Retrainings,
)
IN_STEPS = {"Retention._in_batches", "CropKeys._rotated"}
"""What may be broken off between two of its transactions, and goes on with the rest the next time."""

WRITES: dict[str, Write] = {
    "Store.add_photo": lambda store, _: store.add_photo(NEW, NEW_CHAT, "shipped-1", [FACE, FACE]),
    "Taps.add": lambda store, reading: store.taps.add(reading, emoji="😐", voter=NEW),
    "Taps.add of the sender": lambda store, reading: store.taps.add(reading, emoji="😐"),
    "Store.set_keeps_faces": lambda store, _: store.set_keeps_faces(ANNA, agreed=False),
    "Consents.may_ask": lambda store, _: store.consents.may_ask(NEW),
    "Consents.note_introduced": lambda store, _: store.consents.note_introduced(NEW),
    "Retention.believe": lambda store, _: store.retention.believe(LONG_AGO),
    "Retention._expire_journal": lambda store, _: store.retention._expire_journal(LONG_AGO + DAY),
    "Retention.doubt": lambda store, _: store.retention.doubt(LONG_AGO),
    "Store.set_preferences": lambda store, _: store.set_preferences(NEW, Preferences("de")),
    "Store.forget": lambda store, _: store.forget(ANNA),
    "ChatEmoji.put": lambda store, _: store.chat_emoji.put(NEW_CHAT, OWN),
    "ChatEmoji.remove": lambda store, _: store.chat_emoji.remove(OLD_CHAT, OWN.symbol),
    "Games.start": lambda store, _: store.games.start(NEW_CHAT, ANNA, "sad", "😢", LONG_AGO),
    "Games.note_message": lambda store, _: store.games.note_message(1, OLD_CHAT.message("77")),
    "Games.go_on": lambda store, _: store.games.go_on(GAME, 5, "fear", "😱", LONG_AGO),
    "Games.change": lambda store, _: store.games.change(GAME, "fear", "😱", LONG_AGO),
    "Games.end": lambda store, _: store.games.end(GAME),
    "Games.score": lambda store, _: store.games.score(GAME, NEW, "New", 5),
    "Games.clear_scoreboard": lambda store, _: store.games.clear_scoreboard(OLD_CHAT),
    "Journal.open": lambda store, _: _open(store, "8"),
    "Journal.extend": lambda store, _: store.journal.extend(ALBUM, {"message": 78}, 10),
    "Journal.end_gathering": lambda store, _: store.journal.end_gathering(4, HOLDER),
    "Journal.drop": lambda store, _: store.journal.drop(1, HOLDER),
    "Journal.begin_to_send": lambda store, _: store.journal.begin_to_send(1, HOLDER, 0, ""),
    "Journal.put_off": lambda store, _: store.journal.put_off(3, HOLDER),
    "Journal.close": lambda store, _: store.journal.close(1, HOLDER, LONG_AGO),
    "Journal.renew": lambda store, _: store.journal.renew(HOLDER, LONG_AGO + 2 * DAY),
    "Journal.take": lambda store, _: store.journal.take(
        Platform.TELEGRAM, "another", LONG_AGO + 2 * DAY, LONG_AGO + 3 * DAY, 20
    ),
    "Leases.take": lambda store, _: store.leases.take("polling", HOLDER, LONG_AGO, LONG_AGO + 2 * DAY),
    "Leases.clear_away": lambda store, _: store.leases.clear_away("poll", LONG_AGO + 2 * DAY),
    "Leases.give_back": lambda store, _: store.leases.give_back("polling", HOLDER),
    "UpdateClaims.claim": lambda store, _: _claim(store, 2),
    "UpdateClaims.give_back": lambda store, _: store.update_claims.give_back(HOLDER, 9),
    "Feedback.add_label": lambda store, reading: store.feedback.add_label(reading, NEW, Verdict.SAD),
    "Feedback.undo_label": lambda store, _: store.feedback.undo_label(ADMIN),
    "Feedback.add_imported": _import,
    "Chats.change": lambda store, _: store.chats.change(NEW_CHAT, lambda _: ChatChoices(everyone_taps=True)),
    "Chats.move": lambda store, _: store.chats.move(OLD_CHAT, NEW_CHAT),
    "Taps.react": lambda store, _: store.taps.react(OLD_CHAT.message("9"), NEW, "😐"),
    "Taps.note_messages": lambda store, _: store.taps.note_messages(1, [OLD_CHAT.message("8")]),
    "Versions.begin_with": lambda store, _: store.versions.begin_with("shipped-2", b"other files"),
    "Versions.add": _add,
    "Versions.promote": lambda store, _: store.versions.promote("b", instead_of="a", by=GRACE),
    "Versions.roll_back": lambda store, _: store.versions.roll_back(instead_of="a", by=GRACE),
    "Versions.set_shadow": lambda store, _: store.versions.set_shadow("b"),
    "Versions.add_shadow": lambda store, reading: store.versions.add_shadow("b", [(reading, SEVEN)]),
    "Versions.clear_away": lambda store, _: store.versions.clear_away(1),
    "Retrainings.start": _start,
    "Retrainings.take": lambda store, _: store.retrainings.take(1),
    "Retrainings.beat": lambda store, _: store.retrainings.beat(1, "learning", 0.5),
    "Retrainings.ask_to_stop": lambda store, _: store.retrainings.ask_to_stop(),
    "Retrainings.finish": lambda store, _: store.retrainings.finish(1, State.FAILED, "It failed."),
}


class _InterruptionError(Exception):
    """What breaks a method off."""


async def _content(store: Store) -> dict[str, list[str]]:
    async with store.transactions.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: sorted(map(str, await session.execute(select(table)))) for table in tables}


def test_every_method_that_writes_is_broken_off_here() -> None:
    writing = {
        f"{kind.__name__}.{name}"
        for kind in WRITERS
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if "transactions.write(" in inspect.getsource(method)
    }
    assert writing == {name.removesuffix(" of the sender") for name in WRITES} | IN_STEPS


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_that_is_broken_off_at_any_statement_leaves_nothing(
    store: Store, faults: Faults, name: str
) -> None:
    reading = await _prepared(store)
    if name == "Retrainings.start":
        await store.retrainings.finish(1, State.DONE, "")
    before = await _content(store)
    statements = 0
    while True:
        interruption = (_InterruptionError, asyncio.CancelledError)[statements % 2]
        left = [statements]

        def fault(said: str, left: list[int] = left, kind: type[BaseException] = interruption) -> BaseException | None:
            left[0] -= not said.startswith(
                "PRAGMA wal_checkpoint"
            )  # after the transaction, to leave nothing in the log
            return kind() if left[0] < 0 else None

        try:
            with faults.on(fault):
                await WRITES[name](store, reading)
            break
        except interruption:
            assert await _content(store) == before
        statements += 1
    assert statements >= 1  # it was broken off at least once
    assert await _content(store) != before


async def test_what_was_read_in_a_transaction_stays_as_it_was(store: Store) -> None:
    await _prepared(store)
    async with store.transactions.read() as session:
        table = Base.metadata.tables["people"]
        before = len((await session.execute(select(table))).all())
        await store.set_preferences(Person(Platform.WEB, "a third"), Preferences("de"))
        same = len((await session.execute(select(table))).all())
    is_snapshot = store.transactions.is_sqlite  # PostgreSQL's default isolation shows what was committed meanwhile
    assert same == (before if is_snapshot else before + 1)


async def test_a_database_in_memory_has_one_connection_for_all() -> None:
    store = await Store.open("sqlite://", "a secret for tests")
    people = [Person(Platform.TELEGRAM, str(number)) for number in range(20)]
    writes = [store.set_preferences(person, Preferences("de")) for person in people]
    await asyncio.gather(*writes, *(store.preferences(person) for person in people))
    assert {(await store.preferences(person)).language for person in people} == {"de"}
    await store.close()


async def test_a_writer_waits_until_the_one_before_has_ended(tmp_path: Path) -> None:
    said: list[str] = []
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", "a secret for tests", before_statement=said.append)
    async with store.transactions.write() as session:
        await session.execute(text("SELECT 1"))
        before = len(said)
        second = asyncio.create_task(store.set_preferences(NEW, Preferences("de")))
        await asyncio.wait({second}, timeout=0.2)
        assert not second.done()
        assert len(said) == before  # it is not even begun, which would keep a thread busy
    await second
    assert await store.preferences(NEW) == Preferences("de")
    await store.close()


async def test_what_a_writer_has_read_is_still_so_when_it_writes(url: str, tmp_path: Path) -> None:
    """Two processes, as it were: on SQLite the second begins when the first has ended."""
    one, other = [await Store.open(url, "a secret for tests") for _ in range(2)]
    async with one.transactions.write() as session:
        assert (await session.execute(text("SELECT count(*) FROM people"))).scalar_one() == 0
        second = asyncio.create_task(other.set_preferences(NEW, Preferences("de")))
        await asyncio.wait({second}, timeout=0.3)
        await session.execute(text("INSERT INTO people (platform, hash, keeps_faces) VALUES ('web', 'x', true)"))
    await second
    assert await count_rows(one, "people") == 2
    for store in (one, other):
        await store.close()


async def test_taps_and_a_deletion_at_once_do_not_wait_for_each_other(store: Store) -> None:
    for _ in range(15):
        (reading,) = (await store.add_photo(ANNA, NEW_CHAT, "shipped-1", [FACE])).readings
        taps = [store.taps.add(reading.id, emoji="😄") for _ in range(3)]
        photos = [store.add_photo(person, NEW_CHAT, "shipped-1", [FACE]) for person in (ANNA, NEW)]
        _, _, (_, of_another) = await asyncio.gather(asyncio.gather(*taps), store.forget(ANNA), asyncio.gather(*photos))
        assert await store.photo_of(of_another.readings[0].id, asked_by=NEW) is not None
        await store.forget(NEW)


async def test_writers_of_one_process_all_get_their_turn(store: Store) -> None:
    people = [Person(Platform.TELEGRAM, str(number)) for number in range(60)]
    await asyncio.gather(*(store.set_preferences(person, Preferences("de")) for person in people))
    assert {(await store.preferences(person)).language for person in people} == {"de"}
