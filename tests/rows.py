"""Looks into the database behind the store's back, and changes it there."""

import asyncio
from typing import Any

from sqlalchemy import text

from db import Store
from tests.waiting import PATIENCE_S


async def count_rows(store: Store, table: str) -> int:
    """Return how many rows a table has."""
    return int((await select_rows(store, f"SELECT count(*) FROM {table}"))[0][0])


async def nothing_is_open(store: Store) -> None:
    """Wait until no message stands in the journal."""
    async with asyncio.timeout(PATIENCE_S):
        while await count_rows(store, "open_messages"):
            await asyncio.sleep(0.02)


async def select_rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with store.transactions.read() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def execute(store: Store, *statements: str) -> None:
    """Run statements in one transaction."""
    async with store.transactions.write() as session:
        for statement in statements:
            await session.execute(text(statement))
