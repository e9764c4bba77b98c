"""`python -m tests.bench.event_loop [--rows N]`: how long a large database holds up the event loop, and a taste takes.

A community of `N` photos with a tap each (100,000 by default), on SQLite. Everything that reads much of it is done as
the bot does it; the longest callback of the event loop meanwhile is what another person's photo may have to wait.
"""

import argparse
import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select

from bots.console.figures_cache import FiguresCache
from bots.conversation.tastes import Tastes
from bots.learning.review_queue import ReviewQueue
from db import Chat, Person, Platform, Store
from db.schema import ChatRow, LabelRow, PersonRow, PhotoRow, ReadingRow, TapRow
from recognizer import FACE_SIZE, EmojiMap

ROWS = 100_000
_PEOPLE, _CHATS = 2_000, 50
_SECRET = "a secret for the benchmark"
_SEED = 20261126
_AT_ONCE = 5_000
_TASTES = 200


class LongestCallback:
    """Times every callback of the event loop while it is entered; `milliseconds` is the longest."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    def __enter__(self) -> "LongestCallback":
        """Start timing: replaces what the event loop calls for each callback."""
        self._run: Callable[[asyncio.Handle], None] = asyncio.Handle._run
        run = self._run

        def timed(handle: asyncio.Handle) -> None:
            began = time.perf_counter()
            run(handle)
            self.milliseconds = max(self.milliseconds, 1000 * (time.perf_counter() - began))

        asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop timing."""
        asyncio.Handle._run = self._run  # type: ignore[method-assign,assignment]


async def community(store: Store, rows: int) -> None:
    """Fill a store with `rows` photos of one face, a tap on each, and a label on every tenth."""
    draw, now = random.Random(_SEED), datetime.now(UTC)
    people = [Person(Platform.TELEGRAM, str(number)) for number in range(_PEOPLE)]
    chats = [Chat(Platform.TELEGRAM, str(number)) for number in range(_CHATS)]
    emoji, crop = EmojiMap.load().emoji, bytes(FACE_SIZE * FACE_SIZE)
    async with store.transactions.write() as session:
        hashes = [{"platform": "telegram", "hash": each.hashed(_SECRET), "keeps_faces": True} for each in people]
        await session.execute(insert(PersonRow), hashes)
        await session.execute(
            insert(ChatRow), [{"platform": "telegram", "hash": each.hashed(_SECRET)} for each in chats]
        )
    for start in range(1, rows + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, rows + 1))
        photos, readings, taps, labels = [], [], [], []
        for number in numbers:
            at = now - timedelta(days=80 * draw.random())
            sender, chat = 1 + int(_PEOPLE * draw.random() ** 3), 1 + int(_CHATS * draw.random() ** 3)
            seven = [draw.random() ** 3 for _ in range(7)]
            seven = [share / sum(seven) for share in seven]
            photos.append({"id": number, "person_id": sender, "chat_id": chat, "taken_at": at, "model": "shipped"})
            readings.append(
                {"id": number, "photo_id": number, "probabilities": seven, "suggestions": emoji[:63], "crop": crop}
            )
            taps.append(
                {
                    "reading_id": number,
                    "sender_id": sender,
                    "chat_id": chat,
                    "tapped_at": at,
                    "emoji": draw.choice(emoji),
                }
            )
            if number % 10 == 0:
                labels.append(
                    {"reading_id": number, "person_id": 1, "labelled_at": at, "source": "admin", "verdict": "sad"}
                )
        async with store.transactions.write() as session:
            for table, values in ((PhotoRow, photos), (ReadingRow, readings), (TapRow, taps), (LabelRow, labels)):
                await session.execute(insert(table), values)


async def loop_table(store: Store, rows: int) -> Table:
    """Tabulate what each large read takes, and the longest callback of the event loop meanwhile."""
    emoji_map, admin = EmojiMap.load(), Person(Platform.CONSOLE, "Grace")
    review, figures = ReviewQueue(store, lambda: emoji_map), FiguresCache(store, lambda: emoji_map)
    skipped: list[int] = []

    async def next_face() -> None:
        item = await review.next(admin, skipped)
        assert item is not None
        skipped.append(item.reading)

    works: dict[str, Callable[[], Awaitable[object]]] = {
        "the review queue is ordered, and its first face shown": next_face,
        "the next face": next_face,
        "the overview's figures": figures.figures,
        "new answers since the last retraining": store.feedback.new_answers,
        "how far admins agree": review.agreement,
        "the taste of everyone, of a chat and of a person": lambda: _taste(store, emoji_map, 0),
    }
    table = Table("what", "takes", "longest callback", title=f"{rows:,} photos and taps in SQLite, milliseconds")
    for name, work in works.items():
        with LongestCallback() as longest:
            began = time.perf_counter()
            await work()
            took = 1000 * (time.perf_counter() - began)
        table.add_row(name, f"{took:,.0f}", f"{longest.milliseconds:.1f}")
    return table


async def _taste(store: Store, emoji_map: EmojiMap, number: int) -> None:
    person, chat = Person(Platform.TELEGRAM, str(number)), Chat(Platform.TELEGRAM, str(number % _CHATS))
    await Tastes(store, lambda: datetime.now(UTC)).of(emoji_map, person, chat)


async def taste_table(store: Store, rows: int) -> Table:
    """Tabulate what the taste for one photo takes: of somebody the process has not met, again, and after a tap."""
    emoji_map, tastes = EmojiMap.load(), Tastes(store, lambda: datetime.now(UTC))
    await tastes.of(emoji_map, Person(Platform.TELEGRAM, "nobody"), Chat(Platform.TELEGRAM, "nowhere"))  # everyone's
    first, again, after_a_tap = [], [], []
    for reading, sender, where in await _photos(store):
        person, chat = Person(Platform.TELEGRAM, str(sender - 1)), Chat(Platform.TELEGRAM, str(where - 1))
        first.append(await _milliseconds(lambda: tastes.of(emoji_map, person, chat)))  # noqa: B023  # called at once
        again.append(await _milliseconds(lambda: tastes.of(emoji_map, person, chat)))  # noqa: B023
        await store.taps.add(reading, emoji=emoji_map.emoji[0])
        tastes.prepare(emoji_map, person, chat)  # as the service does after a tap
        await tastes.close()
        after_a_tap.append(await _milliseconds(lambda: tastes.of(emoji_map, person, chat)))  # noqa: B023
    table = Table("taste for one photo", "median", "p95", title=f"{rows:,} photos and taps in SQLite, milliseconds")
    for name, taken in (("first time", first), ("again", again), ("after a tap", after_a_tap)):
        table.add_row(name, f"{statistics.median(taken):.2f}", f"{statistics.quantiles(taken, n=20)[-1]:.2f}")
    return table


async def _photos(store: Store) -> list[tuple[int, int, int]]:
    """Return some readings, with the numbers of their senders and chats."""
    query = select(ReadingRow.id, PhotoRow.person_id, PhotoRow.chat_id).join(PhotoRow).limit(_TASTES)
    async with store.transactions.read() as session:
        return [(reading, sender, where) for reading, sender, where in await session.execute(query)]


async def _milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - began)


async def event_loop_tables(rows: int) -> list[Table]:
    """Fill a database of `rows` photos and return both tables."""
    with tempfile.TemporaryDirectory(prefix="mugmoji-bench-") as folder:
        store = await Store.open(f"sqlite:///{Path(folder)}/bench.db", _SECRET)
        try:
            await community(store, rows)
            gc.collect()
            gc.freeze()  # as the bot does at its start
            return [await loop_table(store, rows), await taste_table(store, rows)]
        finally:
            await store.close()


def main() -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.bench.event_loop")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"photos with a tap each (default {ROWS:,})")
    console = Console(width=110)
    for table in asyncio.run(event_loop_tables(parser.parse_args().rows)):
        console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
