"""How often somebody was forgotten, so that what is being read of them at that moment is not stored afterwards.

Nothing says who it was. Whoever begins with something notes the count; who stores it passes that number, and in the
same transaction it is looked whether everybody concerned has been known from before that count changed.
"""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.identity import Person
from db.people import put
from db.schema import Base, ForgettingsRow, PersonRow


class ForgottenError(Exception):
    """Somebody concerned asked to be forgotten meanwhile, or may have."""


_COUNT = Base.metadata.tables[ForgettingsRow.__tablename__].c.count
FORGETTINGS: "Select[int]" = select(func.coalesce(func.max(_COUNT), 0))
"""The query for how often somebody was forgotten so far; made once, and of the table, since every photo asks it."""


async def count_forgetting(session: AsyncSession) -> None:
    """Store that somebody is forgotten in this transaction, which no other writer runs beside."""
    count = await session.scalar(FORGETTINGS) or 0
    await put(session, ForgettingsRow, {"id": 1}, {"count": count + 1})


async def may_be_forgotten(session: AsyncSession, since: int, people: Sequence[Person], secret: str) -> bool:
    """Return whether one of these people may have been forgotten since the count was this.

    It is so for whoever was not known then, if anybody was forgotten meanwhile.
    """
    if (await session.scalar(FORGETTINGS) or 0) <= since:
        return False
    hashes = {person.hashed(secret) for person in people}
    known = select(func.count()).where(PersonRow.hash.in_(hashes), PersonRow.known_since <= since)
    return await session.scalar(known) != len(hashes)
