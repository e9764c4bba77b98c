"""Versions of the model: their files, which one is served, who promoted it and why, and the way back."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.actors import Actor, shown
from db.judgement import Judgement
from db.moments import aware
from db.retrainings import end_well
from db.schema import LessonRow, ModelRow, PromotionRow, ReadingRow, ShadowRow
from db.transactions import Transactions, rows_of
from db.version_facts import (
    ConflictError,
    Lesson,
    NotOfferedError,
    Origin,
    Part,
    Promotion,
    Role,
    ShadowComparison,
    Version,
    VersionError,
)
from db.version_rows import (
    cleared_away,
    kept_readings,
    lessons_of,
    one_version,
    replaced_by_active,
    sound_artefact,
    version_of,
    version_query,
)

LEAST_REASON = 8
"""Minimum number of characters of a reason to serve what the gate does not offer."""
_MOST_NAME = 64
"""Characters of a version's name (`db.schema.ModelRow`)."""
_NEWEST_IN_SHADOW = 5_000
"""Faces by which a version in shadow is compared with the served one."""


class Versions:
    """Every version of the model; exactly one is active from the first start on. Every method is one transaction."""

    def __init__(self, transactions: Transactions, secret: str) -> None:
        self._transactions = transactions
        self._secret = secret

    async def begin_with(self, name: str, artefact: bytes) -> None:
        """Store the model that came with the software, unless it is stored already.

        A new one becomes active if no version is, or if the active one came with the software, too.
        """
        shipped = ModelRow(
            version=name,
            origin=Origin.SHIPPED.value,
            artefact=artefact,
            sha256=hashlib.sha256(artefact).hexdigest(),
            size=len(artefact),
            metrics={},
            fingerprint="",
        )
        try:
            async with self._transactions.write() as session:
                active = await session.scalar(select(ModelRow).where(ModelRow.role == Role.ACTIVE))
                is_known = await session.scalar(select(ModelRow.id).where(ModelRow.version == name)) is not None
                if is_known:
                    return
                session.add(shipped)
                await session.flush()
                if active is None or active.origin == Origin.SHIPPED:
                    change = _Change(Actor("the software"), "start")
                    await self._activate(session, name, active.version if active else None, change)
        except (IntegrityError, ConflictError):
            pass  # it is stored already, or another replica started at the same moment

    async def add(  # noqa: PLR0913  # what a version is made of
        self,
        name: str,
        artefact: bytes,
        *,
        origin: Origin,
        parent: str,
        metrics: dict[str, Any],
        fingerprint: str,
        lessons: Sequence[Lesson] = (),
        retraining: int | None = None,
        erasures: int = 0,
    ) -> None:
        """Store a new version with what it learned from; it is not served yet.

        One that no retraining made and whose files were cleared away gets them back, if they are the same ones.

        retraining: the one that made it, which is marked as done. erasures: as in `end_well`. Raise `VersionError` if
        the name is taken or too long, `LostError` if the retraining no longer counts, `ErasedError` if people deleted
        something since that it learned from. Faces that were forgotten in the meantime are left out of what it learned
        from.
        """
        if len(name) > _MOST_NAME:
            raise VersionError(f"{name} is too long for a version; name the recipe shorter, and fit and export it.")
        digest = hashlib.sha256(artefact).hexdigest()
        async with self._transactions.write() as session:
            is_kept = ModelRow.artefact.is_not(None)
            known = select(ModelRow.sha256, is_kept).where(ModelRow.version == name)
            if (found := (await session.execute(known)).one_or_none()) is not None:
                if found != (digest, False) or retraining is not None:
                    raise _taken(name, is_kept=found[1])
                # as a new one, so that it is not the first to be cleared away again
                back = update(ModelRow).where(ModelRow.version == name)
                await session.execute(back.values(artefact=artefact, created_at=datetime.now(UTC)))
                return
            parent_id = await session.scalar(select(ModelRow.id).where(ModelRow.version == parent))
            row = ModelRow(
                version=name,
                origin=origin.value,
                parent_id=parent_id,
                artefact=artefact,
                sha256=digest,
                size=len(artefact),
                metrics=metrics,
                fingerprint=fingerprint,
            )
            session.add(row)
            await session.flush()
            there = await kept_readings(session, [each.reading for each in lessons])
            session.add_all(
                LessonRow(
                    model_id=row.id,
                    reading_id=each.reading,
                    part=each.part.value,
                    weight=each.weight,
                    label=list(each.label),
                    is_played=each.is_played,
                )
                for each in lessons
                if each.reading in there
            )
            if retraining is not None:
                await end_well(session, retraining, row.id, str(metrics.get("why", "")), erasures)

    async def all(self) -> tuple[Version, ...]:
        """Return every version, the newest first."""
        async with self._transactions.read() as session:
            rows = (await session.execute(version_query().order_by(ModelRow.id.desc()))).all()
        return tuple(version_of(*row) for row in rows)

    async def find(self, name: str) -> Version | None:
        """Return the version of this name."""
        async with self._transactions.read() as session:
            return await one_version(session, version_query().where(ModelRow.version == name))

    async def holding(self, role: Role) -> Version | None:
        """Return the version that has a role."""
        async with self._transactions.read() as session:
            return await one_version(session, version_query().where(ModelRow.role == role))

    async def artefact(self, name: str) -> bytes:
        """Return the files of a version, as they were stored. Raise `VersionError` if they are deleted or damaged."""
        async with self._transactions.read() as session:
            return await sound_artefact(session, name)

    async def lessons(self, name: str) -> tuple[Lesson, ...]:
        """Return what a version learned from and was judged by, without what was forgotten since."""
        query = (
            select(
                LessonRow.reading_id, LessonRow.part, LessonRow.weight, cast(LessonRow.label, Text), LessonRow.is_played
            )
            .join(ModelRow, LessonRow.model_id == ModelRow.id)
            .where(ModelRow.version == name, LessonRow.part.in_(list(Part)))
            .order_by(LessonRow.reading_id)
        )
        async with self._transactions.read() as session:
            rows = await rows_of(session, query)
        return await asyncio.to_thread(lessons_of, rows)

    async def kept_lessons(self, name: str, part: Part) -> int:
        """Return how many of the faces that a version used for `part` are still stored."""
        query = (
            select(func.count())
            .select_from(LessonRow)
            .join(ModelRow, LessonRow.model_id == ModelRow.id)
            .join(ReadingRow, LessonRow.reading_id == ReadingRow.id)
            .where(ModelRow.version == name, LessonRow.part == part, ReadingRow.crop.is_not(None))
        )
        async with self._transactions.read() as session:
            return await session.scalar(query) or 0

    async def promote(self, name: str, *, instead_of: str, by: Actor, reason: str = "") -> None:
        """Serve `name` from now on in place of `instead_of`, the version that was active when this was decided.

        by: who wants it. reason: why, at least `LEAST_REASON` characters if the gate does not offer it. Raise
        `ConflictError` if another version is active by now, `NotOfferedError` if a reason is missing, `VersionError` if
        its files were deleted or are damaged.
        """
        reason = reason.strip()
        async with self._transactions.write() as session:
            active = await one_version(session, version_query().where(ModelRow.role == Role.ACTIVE))
            version = await one_version(session, version_query().where(ModelRow.version == name))
            if active is not None and active.name != instead_of:
                raise _conflict(active.name, instead_of)
            is_offered = version is None or version.is_offered_over(instead_of)
            if version is not None and not is_offered and len(reason) < LEAST_REASON:
                raise NotOfferedError(_why_not(version, instead_of))
            change = _Change(by, "promote" if is_offered else "override", reason)
            await self._activate(session, name, instead_of, change)

    async def way_back(self) -> str | None:
        """Return the version that the active one replaced when it was promoted."""
        async with self._transactions.read() as session:
            return await replaced_by_active(session)

    async def roll_back(self, *, instead_of: str, by: Actor) -> str:
        """Serve the version again that `instead_of`, which must be active, replaced; return its name.

        Raise `ConflictError` if another version is active by now, `VersionError` if there is no version to go back to.
        """
        async with self._transactions.write() as session:
            back = await replaced_by_active(session)
            now = await session.scalar(select(ModelRow.version).where(ModelRow.role == Role.ACTIVE))
            if now != instead_of:
                raise _conflict(now, instead_of)
            if back is None:
                raise VersionError(f"{instead_of} is the first version; there is none to go back to.")
            await self._activate(session, back, instead_of, _Change(by, "rollback"))
            return back

    async def history(self, most: int) -> tuple[Promotion, ...]:
        """Return the last promotions, the newest first."""
        replaced = aliased(ModelRow)
        query = (
            select(PromotionRow, ModelRow.version, replaced.version)
            .join(ModelRow, PromotionRow.model_id == ModelRow.id)
            .outerjoin(replaced, PromotionRow.replaced_id == replaced.id)
            .order_by(PromotionRow.id.desc())
            .limit(most)
        )
        async with self._transactions.read() as session:
            rows = (await session.execute(query)).all()
        return tuple(
            Promotion(name, old, aware(row.at), shown(row.by), row.kind, row.reason) for row, name, old in rows
        )

    async def set_shadow(self, name: str | None) -> None:
        """Let a version score live photos silently, in place of the one that did; None for no version.

        Raise `VersionError` if it is not there, or is the active one.
        """
        async with self._transactions.write() as session:
            await session.execute(update(ModelRow).where(ModelRow.role == Role.SHADOW).values(role=None))
            if name is None:
                return
            await sound_artefact(session, name)
            free = update(ModelRow).where(
                ModelRow.version == name, ModelRow.role.is_(None), ModelRow.artefact.is_not(None)
            )
            taken = free.values(role=Role.SHADOW.value).returning(ModelRow.id)
            if await session.scalar(taken) is None:
                raise VersionError(f"{name} is served already; let another version run in shadow.")

    async def add_shadow(self, name: str, readings: Sequence[tuple[int, tuple[float, ...]]]) -> None:
        """Store what a version in shadow read: reading and seven probabilities. Forgotten readings are left out."""
        async with self._transactions.write() as session:
            model = await session.scalar(select(ModelRow.id).where(ModelRow.version == name))
            there = await kept_readings(session, [reading for reading, _ in readings])
            session.add_all(
                ShadowRow(model_id=model, reading_id=reading, probabilities=list(seven))
                for reading, seven in readings
                if model is not None and reading in there
            )

    async def shadow_comparison(self, name: str) -> ShadowComparison:
        """Compare a version in shadow with the active one, on the newest 5,000 faces at most."""
        query = (
            select(
                cast(ShadowRow.probabilities, Text).label("shadow"),
                cast(ReadingRow.probabilities, Text).label("served"),
            )
            .join(ReadingRow, ShadowRow.reading_id == ReadingRow.id)
            .join(ModelRow, ShadowRow.model_id == ModelRow.id)
            .where(ModelRow.version == name)
            .order_by(ShadowRow.reading_id.desc())
            .limit(_NEWEST_IN_SHADOW)
        )
        async with self._transactions.read() as session:
            rows = await rows_of(session, query)
        same = await asyncio.to_thread(lambda: sum(_likeliest(shadow) == _likeliest(served) for shadow, served in rows))
        return ShadowComparison(name, len(rows), same)

    async def clear_away(self, keep: int) -> tuple[str, ...]:
        """Delete the files of old versions and return their names.

        Kept are the active one, the one in shadow, all that came with the software, the one to go back to from the
        active one, the `keep` newest that were retrained, and the `keep` last that were added by hand (FITTED).
        """
        async with self._transactions.write() as session:
            chain = {await replaced_by_active(session)}
            rows = (await session.execute(version_query().where(ModelRow.artefact.is_not(None)))).all()
            others = [
                row
                for row, _, _ in rows
                if row.role is None and row.origin != Origin.SHIPPED and row.version not in chain
            ]
            retrained = sorted((row for row in others if row.origin != Origin.FITTED), key=lambda row: -row.id)
            fitted = [row for row in others if row.origin == Origin.FITTED]
            fitted.sort(key=lambda row: (row.created_at, row.id), reverse=True)  # one may have been added once more
            cleared = (*retrained[keep:], *fitted[keep:])
            gone = [row.id for row in cleared]
            await session.execute(
                update(ModelRow).where(ModelRow.id.in_(gone), ModelRow.role.is_(None)).values(artefact=None)
            )
            await session.execute(delete(ShadowRow).where(ShadowRow.model_id.in_(gone)))
            return tuple(row.version for row in cleared)

    async def _activate(self, session: AsyncSession, name: str, instead_of: str | None, change: "_Change") -> None:
        """Make a version active in place of the one that was active when this was decided. Raise `ConflictError` if
        that has changed, `VersionError` if the version is active already, or its files were deleted or are damaged.

        The first statement writes, so that of two at once the second waits for the first, and then finds that it has
        changed.
        """
        replaced_id: int | None = None
        if instead_of is not None:
            held = update(ModelRow).where(ModelRow.version == instead_of, ModelRow.role == Role.ACTIVE)
            replaced_id = await session.scalar(held.values(role=None).returning(ModelRow.id))
            if replaced_id is None:
                now = await session.scalar(select(ModelRow.version).where(ModelRow.role == Role.ACTIVE))
                raise _conflict(now, instead_of)
        if name == instead_of:
            raise VersionError(f"{name} is served already.")
        await sound_artefact(session, name)
        kept = update(ModelRow).where(ModelRow.version == name, ModelRow.artefact.is_not(None))
        model_id = await session.scalar(kept.values(role=Role.ACTIVE.value).returning(ModelRow.id))
        if model_id is None:
            raise cleared_away(name)
        session.add(
            PromotionRow(
                model_id=model_id,
                replaced_id=replaced_id,
                at=datetime.now(UTC),
                by=change.by.stored_name,
                by_hash=change.by.hashed(self._secret),
                kind=change.kind,
                reason=change.reason,
            )
        )


@dataclass(frozen=True)
class _Change:
    """Who changes the active version, as what kind of promotion, and why."""

    by: Actor
    kind: str
    reason: str = ""


def _taken(name: str, *, is_kept: bool) -> VersionError:
    if is_kept:
        return VersionError(f"There is a version {name} already.")
    return VersionError(
        f"There was another version {name}, whose files were cleared away; name the recipe anew, and fit and export it."
    )


def _conflict(now: str | None, instead_of: str) -> ConflictError:
    return ConflictError(f"{now} was promoted by someone else meanwhile, in place of {instead_of}. Look again.")


def _why_not(version: Version, instead_of: str) -> str:
    """Return why the gate does not offer a version, and what to do."""
    judgement = Judgement.of(version.metrics)
    if judgement is None:
        return f"{version.name} knows nothing of your people. To serve it all the same, say why in a few words."
    if not judgement.offered:
        return f"{judgement.why} To serve {version.name} all the same, say why in a few words."
    return (
        f"{version.name} was judged beside {version.parent}, but {instead_of} is served now. Retrain, or say why in a "
        "few words."
    )


def _likeliest(probabilities: str) -> int:
    """The place of the largest of seven numbers, which are JSON."""
    seven: list[float] = json.loads(probabilities)
    return seven.index(max(seven))
