"""The facts about a version of the model: its role, what it learned from, and why it cannot be served."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.judgement import Judgement


class Role(StrEnum):
    """What a version is used for now; at most one version has each role."""

    ACTIVE = "active"
    SHADOW = "shadow"


class Origin(StrEnum):
    """How a version was made: it came with the software, its head was adapted or all of it retrained with feedback, or
    it was fitted by a recipe without any.
    """

    SHIPPED = "shipped"
    ADAPT = "adapt"
    FULL = "full"
    FITTED = "fitted"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, stored: str) -> "Origin":
        """Return the origin stored under this name; UNKNOWN for one that only a newer version of the software knows."""
        return cls(stored) if stored in tuple(cls) else cls.UNKNOWN


class Part(StrEnum):
    """What a version used a face for."""

    LEARN = "learn"
    JUDGE = "judge"


class VersionError(Exception):
    """This version cannot be served; the message says why and what to do."""


class NotOfferedError(VersionError):
    """The gate does not offer this version; an admin may give a reason to serve it anyway."""


class ConflictError(VersionError):
    """The served version is not the one that was to be replaced: someone else was faster."""


@dataclass(frozen=True)
class Lesson:
    """A face that a version learned from or was judged by.

    label: seven shares that sum to 1. is_played: somebody was asked to show an emotion with it in a game.
    """

    reading: int
    part: Part
    weight: float
    label: tuple[float, ...]
    is_played: bool = False


@dataclass(frozen=True)
class Version:
    """One version.

    parent: the version that was served when it was made. size: of its files in bytes. is_kept: they are still stored.
    metrics: read by `Judgement.of`; empty if the version came with the software. number: identifies it where its name
    is too long.
    """

    name: str
    created_at: datetime
    origin: Origin
    parent: str | None
    sha256: str
    size: int
    is_kept: bool
    metrics: dict[str, Any]
    fingerprint: str
    role: Role | None
    number: int

    def is_offered_over(self, served: str) -> bool:
        """Return whether the gate offers this version in place of the served one: it was compared with it, and was
        better.
        """
        judgement = Judgement.of(self.metrics)
        return judgement is not None and judgement.offered and self.parent == served


@dataclass(frozen=True)
class Promotion:
    """A version that became the active one. kind: "start", "promote", "override" or "rollback"."""

    version: str
    replaced: str | None
    at: datetime
    by: str
    kind: str
    reason: str


@dataclass(frozen=True)
class ShadowComparison:
    """How a version in shadow read the newest faces that the active one answered.

    The number of faces, and for how many both named the same emotion.
    """

    version: str
    faces: int
    same: int
