"""What only one process does at a time: polling a platform, a shard, a daily job.

A process takes a lease by its name and renews it. If it dies, the lease runs out, and another one takes it. The times
are those of the processes' own clocks, which have to agree to a few seconds (`python -m bots doctor` looks at them).
"""

from datetime import datetime

from sqlalchemy import delete, or_, select

from db.moments import MOST_APART
from db.people import put_where
from db.schema import LeaseRow
from db.transactions import Transactions


class Leases:
    """Leases by name, at most 64 characters. Every method is one transaction.

    holder: the name of a process, at most 32 characters.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def take(self, name: str, holder: str, now: datetime, held_until: datetime) -> bool:
        """Take a lease that nobody else holds, or renew it; return whether it is this process's now."""
        row = {"name": name, "holder": holder, "held_until": held_until}
        is_over = or_(LeaseRow.held_until < now, LeaseRow.held_until > held_until + MOST_APART)
        free = or_(LeaseRow.holder == holder, is_over)
        async with self._transactions.write() as session:
            return bool(await put_where(session, LeaseRow, [row], ["name"], free))

    async def give_back(self, name: str, holder: str) -> None:
        """Let another process take a lease at once."""
        async with self._transactions.write() as session:
            await session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))

    async def clear_away(self, prefix: str, now: datetime) -> None:
        """Delete the leases that have run out, of those that begin in this way."""
        named = LeaseRow.name.startswith(prefix, autoescape=True)
        async with self._transactions.write() as session:
            await session.execute(delete(LeaseRow).where(named, LeaseRow.held_until < now))

    async def held(self, prefix: str, now: datetime) -> frozenset[str]:
        """Return the names of the leases that are held, of those that begin in this way."""
        named = LeaseRow.name.startswith(prefix, autoescape=True)
        held = named, LeaseRow.held_until >= now, LeaseRow.held_until <= now + 2 * MOST_APART
        async with self._transactions.read() as session:
            return frozenset(await session.scalars(select(LeaseRow.name).where(*held)))
