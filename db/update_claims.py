"""Which process has taken an update of Telegram, so that one that is brought twice is handled once.

Telegram brings an update again until it is acknowledged. One that loses nothing if it is lost is taken for good. One
that may ask about a photo is left to its process for a while only: if that dies before the photo is in the journal,
the update comes again, and another process takes it; from then on the journal knows the photo.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import or_, select, update

from db.moments import MOST_APART
from db.people import put_where
from db.schema import UpdateClaimRow
from db.transactions import Transactions

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Claimed:
    """Updates by their numbers. mine: those that are this process's now. held: those that another one may still lose.

    All others were taken before.
    """

    mine: frozenset[int]
    held: frozenset[int]


class UpdateClaims:
    """Updates that were taken. Every method is one transaction. holder: a process's name, at most 32 characters."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def claim(  # noqa: PLR0913, PLR0917  # the terms of the hold
        self, bot: int, numbers: Collection[int], lasting: Collection[int], holder: str, now: datetime,
        held_until: datetime,
    ) -> Claimed:  # fmt: skip
        """Take updates of a bot. lasting: those of them that are taken for good.

        Called again with the same `now`, because its answer was lost, it returns the same.
        """
        if not numbers:
            return Claimed(frozenset(), frozenset())
        facts = {"bot": bot, "holder": holder, "at": now}
        rows = [  # in order, so that two processes do not wait for each other
            {**facts, "number": number, "held_until": None if number in lasting else held_until}
            for number in sorted(set(numbers))
        ]
        claims = UpdateClaimRow
        free = or_(claims.held_until < now, claims.held_until > held_until + MOST_APART)
        async with self._transactions.write() as session:
            await put_where(session, claims, rows, ["bot", "number"], free)
            taken = claims.bot == bot, claims.number.in_(numbers), claims.holder == holder, claims.at == now
            mine = frozenset(await session.scalars(select(claims.number).where(*taken)))
            others = claims.bot == bot, claims.number.in_(set(numbers) - mine), claims.held_until.is_not(None)
            return Claimed(mine, frozenset(await session.scalars(select(claims.number).where(*others))))

    async def give_back(self, holder: str, bot: int, unanswered: Collection[int] = ()) -> None:
        """Let others take at once what a process has not taken for good: it ends, or begins anew.

        unanswered: what it has taken for good and not answered.
        """
        claims = UpdateClaimRow
        held = claims.holder == holder, or_(claims.held_until.is_not(None), claims.number.in_(unanswered))
        async with self._transactions.write() as session:
            await session.execute(update(claims).where(claims.bot == bot, *held).values(held_until=_LONG_AGO))
