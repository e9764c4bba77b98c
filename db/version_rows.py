"""Queries on versions of the model, and what their rows become; used within a transaction of `db.versions`."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.moments import aware
from db.schema import ModelRow, PromotionRow, ReadingRow
from db.version_facts import Lesson, Origin, Part, Role, Version, VersionError

_AT_ONCE = 500
"""Readings that are asked for in one statement."""


def version_query() -> "Select[*tuple[Any, ...]]":
    """Return a query of versions: their row, the name of their parent, and whether their files are kept."""
    parent = aliased(ModelRow)
    is_kept = ModelRow.artefact.is_not(None).label("is_kept")
    return select(ModelRow, parent.version, is_kept).outerjoin(parent, ModelRow.parent_id == parent.id)


def version_of(row: ModelRow, parent: str | None, is_kept: bool) -> Version:
    """Return a version from a row of `version_query`."""
    return Version(
        row.version,
        aware(row.created_at),
        Origin.of(row.origin),
        parent,
        row.sha256,
        row.size,
        is_kept,
        row.metrics,
        row.fingerprint,
        Role(row.role) if row.role in tuple(Role) else None,
        row.id,
    )


async def one_version(session: AsyncSession, query: "Select[*tuple[Any, ...]]") -> Version | None:
    """Return the only version of a query, None where it finds none."""
    row = (await session.execute(query)).one_or_none()
    return None if row is None else version_of(*row)


def lessons_of(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Lesson, ...]:
    """Return lessons from rows of reading, part, weight and label (JSON)."""
    return tuple(
        Lesson(reading, Part(part), weight, tuple(json.loads(label)), is_played)
        for reading, part, weight, label, is_played in rows
    )


async def kept_readings(session: AsyncSession, readings: Sequence[int]) -> set[int]:
    """Return those of these readings that are still there; locks them, so that they stay until the transaction ends."""
    there: set[int] = set()
    for start in range(0, len(readings), _AT_ONCE):
        some = readings[start : start + _AT_ONCE]
        there.update(
            await session.scalars(select(ReadingRow.id).where(ReadingRow.id.in_(some)).with_for_update(read=True))
        )
    return there


async def sound_artefact(session: AsyncSession, name: str) -> bytes:
    """Return the files of a version, packed. Raises `VersionError` where they are missing, cleared away or damaged."""
    found = select(ModelRow.artefact, ModelRow.sha256).where(ModelRow.version == name)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise VersionError(f"There is no version {name}.")
    artefact, digest = row
    if artefact is None:
        raise cleared_away(name)
    if hashlib.sha256(artefact).hexdigest() != digest:
        raise VersionError(
            f"The files of {name} are damaged (their SHA-256 is not {digest[:12]}…); use another version."
        )
    return bytes(artefact)


def cleared_away(name: str) -> VersionError:
    """Return the error of a version without files."""
    return VersionError(f"The files of {name} were cleared away; retrain, or add the network once more.")


async def replaced_by_active(session: AsyncSession) -> str | None:
    """What the active version replaced when it was last promoted: going back never counts, so that going back twice
    goes back two steps."""
    replaced = aliased(ModelRow)
    query = (
        select(replaced.version)
        .select_from(PromotionRow)
        .join(ModelRow, PromotionRow.model_id == ModelRow.id)
        .join(replaced, PromotionRow.replaced_id == replaced.id)
        .where(ModelRow.role == Role.ACTIVE, PromotionRow.kind != "rollback", replaced.artefact.is_not(None))
        .order_by(PromotionRow.id.desc())
        .limit(1)
    )
    return await session.scalar(query)
