"""Check that the keys at hand fit the crops that are stored, and encrypt them all with a new one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Row, func, select, update

from db.crop_sealing import CLEAR_BYTES, CropKeyError, CropSealing
from db.schema import ReadingRow
from db.transactions import Transactions

_BATCH = 200


@dataclass(frozen=True)
class Rotation:
    """What became of the stored crops: encrypted anew, with the first key already, and not readable by any key.

    is_scrubbed: SQLite's write-ahead log no longer holds what they were before.
    """

    changed: int = 0
    current: int = 0
    unreadable: int = 0
    is_scrubbed: bool = False


class CropKeys:
    """Looks after the encryption of all crops."""

    def __init__(self, transactions: Transactions, sealing: CropSealing) -> None:
        self._transactions = transactions
        self._sealing = sealing

    async def require(self) -> None:
        """Raise `CropKeyError` if the oldest or the newest encrypted crop cannot be decrypted."""
        sealed = func.length(ReadingRow.crop) > CLEAR_BYTES
        ends = [func.min(ReadingRow.id), func.max(ReadingRow.id)]
        async with self._transactions.read() as session:
            found = (await session.execute(select(*ends).where(sealed))).one()
            crops = await session.scalars(select(ReadingRow.crop).where(ReadingRow.id.in_(tuple(found))))
            for crop in crops:
                self._sealing.unseal(crop or b"")

    async def rotate(self, *, deletes_unreadable: bool = False) -> Rotation:
        """Encrypt every crop with the first key, also those that were stored as they are; a running bot goes on.

        deletes_unreadable: delete the crops that no key fits; their readings stay. Raise `CropKeyError` if there is no
        key.
        """
        if not self._sealing.has_key:
            raise CropKeyError("There is no key: set CROPS_KEY to one that `python -m db new-key` makes.")
        done, last = Rotation(), 0
        while True:
            async with self._transactions.read() as session:
                query = select(ReadingRow.id, ReadingRow.crop).where(ReadingRow.crop.is_not(None), ReadingRow.id > last)
                rows = (await session.execute(query.order_by(ReadingRow.id).limit(_BATCH))).all()
            if not rows:
                break
            last = rows[-1][0]
            done = await self._rotated(rows, done, deletes_unreadable=deletes_unreadable)
        return replace(done, is_scrubbed=await self._transactions.scrub())

    async def _rotated(
        self, rows: "Sequence[Row[int, bytes | None]]", done: Rotation, *, deletes_unreadable: bool
    ) -> Rotation:
        fresh: list[tuple[int, bytes, bytes | None]] = []
        current = unreadable = 0
        for number, stored in rows:
            before = stored or b""
            if self._sealing.is_current(before):
                current += 1
                continue
            try:
                fresh.append((number, before, self._sealing.seal(self._sealing.unseal(before))))
            except CropKeyError:
                unreadable += 1
                if deletes_unreadable:
                    fresh.append((number, before, None))
        async with self._transactions.write() as session:
            for number, before, after in fresh:  # one that was deleted or replaced meanwhile stays as it is
                same = update(ReadingRow).where(ReadingRow.id == number, ReadingRow.crop == before)
                await session.execute(same.values(crop=after))
        changed = sum(after is not None for *_, after in fresh)
        return Rotation(done.changed + changed, done.current + current, done.unreadable + unreadable)
