"""Looks into the database behind the store's back."""

from sqlalchemy import text

from db import Store


async def count_rows(store: Store, table: str) -> int:
    """How many rows a table has."""
    async with store._engine.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
