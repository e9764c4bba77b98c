"""What the database takes of a photo on PostgreSQL: `python -m tests.bench.capacity`.

Everything that is written for one photo of a webhook, as the bot does, some at once; and what stays of it on disk. The
server is one of the tests: on this machine, without waiting for the disk (`fsync` is off).
"""

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import typer
from sqlalchemy import text

from db import Chat, FaceReading, Person, Platform, Store
from tests.bench.processor import Processor
from tests.db import postgresql

AT_ONCE = 8
_SEVEN = (0.02, 0.01, 0.03, 0.8, 0.1, 0.02, 0.02)


async def measure(address: str, photos: int) -> None:
    """Print how many photos a second the database takes, and the bytes that one leaves."""
    store = await Store.open(address, "a secret for figures")
    person_of = [Person(Platform.TELEGRAM, str(number)) for number in range(photos // 10)]
    for person in person_of[::2]:  # every second one agreed that crops are kept
        await store.set_keeps_faces(person, True)
    before = await _bytes(store)
    numbers = iter(range(photos))
    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_photos(store, numbers, person_of) for _ in range(AT_ONCE)))
    took_s, worked_ms = time.perf_counter() - began, (time.process_time() - worked) / photos * 1000
    grown = (await _bytes(store) - before) / photos
    print(f"{Processor.this()}; {os.cpu_count()} cores, {photos} photos, {AT_ONCE} at once")
    print(f"{photos / took_s:,.0f} photos a second; {worked_ms:.1f} ms of the bot's processor time a photo")
    print(f"{grown:,.0f} bytes a photo, half of them with a crop")
    await store.close()


async def _photos(store: Store, numbers: Iterator[int], people: list[Person]) -> None:
    for number in numbers:
        person, now = people[number % len(people)], datetime.now(UTC)
        chat = Chat(Platform.TELEGRAM, person.id)
        until = now + timedelta(seconds=12)
        await store.update_claims.claim(1, [number], [], "holder", now, until)
        opened = await store.journal.open(
            person, chat, chat.message(f"{number}:emoji"), {"chat": 1, "files": []}, "holder", now, until
        )
        assert opened.id is not None
        face = FaceReading(_SEVEN, ("😁", "😊", "😃"), os.urandom(48 * 48))
        stored = await store.add_photo(person, chat, "champion", [face], messages=[str(number)])
        await store.journal.begin_to_send(opened.id, "holder", 0, opened.message_hash)
        await store.journal.close(opened.id, "holder", now)
        await store.taps.note_messages(stored.id, [chat.message(f"{number}a")])


async def _bytes(store: Store) -> int:
    async with store.transactions.read() as session:
        return int((await session.execute(text("SELECT pg_database_size(current_database())"))).scalar_one())


def main(photos: int = 4000) -> None:
    """Start a server and measure."""
    programs = postgresql.find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL (initdb, pg_ctl) is not installed: apt-get install postgresql")
    with postgresql.server(programs) as address:
        asyncio.run(measure(address, photos))


if __name__ == "__main__":
    typer.run(main)
