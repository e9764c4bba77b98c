"""Whether people agreed that crops of their faces are kept: which words they said yes to, and whom to ask.

The words are `bots.conversation.texts.CONSENT`. Where what they cover changes, raise `CONSENT_VERSION`: a yes to older
words no longer counts for new faces, and whoever gave it is asked once more.
"""

from dataclasses import dataclass

from sqlalchemy import select, update

from db.identity import Person
from db.keeping import Keeping
from db.people import row_of
from db.schema import PersonRow
from db.transactions import Transactions

CONSENT_VERSION = 2
"""1: the words before there was a limit of time. 2: says how long crops are kept, and that they train what comes."""


@dataclass(frozen=True)
class Consent:
    """What a person answered. agreed: new crops of their faces may be kept. is_outdated: they agreed to older words, or
    to a shorter time."""

    agreed: bool = False
    is_outdated: bool = False


class Consents:
    """Stores what people answered, and whom it was asked. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str, keeping: Keeping) -> None:
        self._transactions = transactions
        self._secret = secret
        self._keeping = keeping

    async def of(self, person: Person) -> Consent:
        """Return what a person answered."""
        async with self._transactions.read() as session:
            row = await session.scalar(select(PersonRow).where(PersonRow.hash == person.hashed(self._secret)))
            if row is None:
                return Consent()
            agreed = covers(row, self._keeping)
            return Consent(agreed, row.keeps_faces and not agreed)

    async def may_ask(self, person: Person) -> bool:
        """Return whether to ask a person now, and remember that they are asked.

        Nobody is asked twice about the same words, nor who said no to any.
        """
        digest = person.hashed(self._secret)
        async with self._transactions.read() as session:
            row = await session.scalar(select(PersonRow).where(PersonRow.hash == digest))
            if row is not None and not _is_to_be_asked(row, self._keeping):
                return False
        async with self._transactions.write() as session:
            row = await row_of(session, PersonRow, person, self._secret)
            await session.refresh(row, with_for_update={"key_share": True})  # as an update of it locks it
            if not _is_to_be_asked(row, self._keeping):
                return False
            row.asked_version = CONSENT_VERSION
            row.asked_days = self._keeping.longest_crop_days
            return True

    async def note_introduced(self, person: Person) -> None:
        """Store that a person was told that a machine reads their faces; nothing of one who is not known."""
        async with self._transactions.write() as session:
            told = update(PersonRow).where(PersonRow.hash == person.hashed(self._secret))
            await session.execute(told.values(is_introduced=True))


def covers(row: PersonRow, keeping: Keeping) -> bool:
    """Return whether a person agreed to the present words, and to the present time or a longer one."""
    if not row.keeps_faces or row.consent_version != CONSENT_VERSION:
        return False
    return not is_longer(keeping.longest_crop_days, row.consent_days)


def is_longer(days: int, than: int) -> bool:
    """Return whether one time is longer than another; 0 days is for ever."""
    return than != 0 and (days == 0 or days > than)


def _is_to_be_asked(row: PersonRow, keeping: Keeping) -> bool:
    if covers(row, keeping) or (row.consent_version and not row.keeps_faces):
        return False
    return row.asked_version < CONSENT_VERSION or is_longer(keeping.longest_crop_days, row.asked_days)
