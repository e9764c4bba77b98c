import asyncio
from pathlib import Path
from threading import Event, Thread

from db import Store
from db.sqlite import connection


async def keep_asking(store: Store) -> None:
    while True:
        await store.versions.all()


async def interrupt(url: str) -> None:
    """Leave a loop whose task was just cancelled during a query; the loop's end cancels it again."""
    store = await Store.open(url, "a secret for tests")
    asking = asyncio.create_task(keep_asking(store))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.sleep(0)


def test_a_process_ends_though_its_query_was_cancelled_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"

    def interrupt_often() -> None:
        for _ in range(50):
            asyncio.run(interrupt(url))

    process = Thread(target=interrupt_often, daemon=True)
    process.start()
    process.join(60)
    assert not process.is_alive()


async def test_a_connection_that_is_closing_can_be_stopped() -> None:
    driver = await connection(":memory:")
    go_on = Event()
    busy = asyncio.create_task(driver._execute(go_on.wait))
    closing = asyncio.create_task(driver.close())
    await asyncio.sleep(0)
    driver.stop()
    closing.cancel()
    await asyncio.sleep(0)
    go_on.set()
    ended, _ = await asyncio.wait({busy, closing}, timeout=10)
    assert ended == {busy, closing}
