"""Who changed something about the model: stored as a keyed hash like everybody, with the name they typed, if any."""

from dataclasses import dataclass

from db.enums import Platform
from db.identity import Person

_MOST_NAME = 64
_TITLES = {Platform.TELEGRAM: "an admin on Telegram", Platform.DISCORD: "an admin on Discord"}


@dataclass(frozen=True)
class Actor:
    """Someone who promotes, rolls back or retrains: an admin, or something that acts by itself ("the schedule").

    name: what other admins are shown; never an id. person: None if nobody in particular acted.
    """

    name: str
    person: Person | None = None

    @classmethod
    def of(cls, person: Person) -> "Actor":
        """Return the actor for an admin: with the name they typed in the console, elsewhere with their platform."""
        return cls(_TITLES.get(person.platform, person.id), person)

    @property
    def stored_name(self) -> str:
        """Return the name as it is stored: at most 64 characters."""
        return self.name[:_MOST_NAME]

    def hashed(self, secret: str) -> str | None:
        """Return the person's hash as it is stored; None without a person."""
        return None if self.person is None else self.person.hashed(secret)


def shown(name: str) -> str:
    """Return what to call the actor stored under this name, which is empty for somebody who asked to be forgotten."""
    return name or "somebody who was forgotten"
