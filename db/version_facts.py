"""What a version of the model is: its facts, its role, what it learned from, and why it cannot be served."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.judgement import Judgement


class Role(StrEnum):
    """What a version does now; each is held by one version at most."""

    ACTIVE = "active"
    SHADOW = "shadow"


class Origin(StrEnum):
    """How a version came to be: it came with the software, its head was adapted, or all of it was fitted."""

    SHIPPED = "shipped"
    ADAPT = "adapt"
    FULL = "full"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, stored: str) -> "Origin":
        """Return the origin that is stored under this name; UNKNOWN for one that only a newer version knows."""
        return cls(stored) if stored in tuple(cls) else cls.UNKNOWN


class Part(StrEnum):
    """What a face was used for by a version."""

    LEARN = "learn"
    JUDGE = "judge"


class VersionError(Exception):
    """This version cannot be served; the message says why and what to do."""


class NotOfferedError(VersionError):
    """The gate does not offer this version; an admin may say why it is to be served all the same."""


class ConflictError(VersionError):
    """Another version is being served than the one that was to be replaced: someone else was faster."""


@dataclass(frozen=True)
class Lesson:
    """A face that a version learned from or was judged by; label: seven shares that sum to 1."""

    reading: int
    part: Part
    weight: float
    label: tuple[float, ...]


@dataclass(frozen=True)
class Version:
    """One version. parent: the one that was served when it was made. size: of its files in bytes; is_kept: they are
    still there. metrics: what `Judgement.of` reads; empty where the version came with the software. number: names it
    where its name is too long."""

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
        """Whether the gate offers this version in place of the one that is served: judged beside it, and better."""
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
    """How a version in shadow read the newest faces that the active one answered: how many, and on how many they gave
    the same emotion."""

    version: str
    faces: int
    same: int
