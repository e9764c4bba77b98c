"""Read the database directly, bypassing the store."""

from sqlalchemy import text

from db import Store


async def count_rows(store: Store, table: str) -> int:
    """Return the number of rows in a table."""
    async with store._engine.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
