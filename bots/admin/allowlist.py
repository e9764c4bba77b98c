"""The admins of the model: the people an operator named, by their id on their platform."""

import re
from dataclasses import dataclass

from db import Person, Platform

_ENTRY = re.compile(r"(telegram|discord):([0-9]{1,20})")


@dataclass(frozen=True)
class Allowlist:
    """The people who may relabel, retrain and promote."""

    people: frozenset[Person] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Allowlist":
        """Parse `telegram:123456, discord:987654`. Raise `ValueError` with the position of an invalid entry, not its
        text, which may be a token.
        """
        people = set()
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        for place, entry in enumerate(entries, start=1):
            parts = _ENTRY.fullmatch(entry.lower())
            if parts is None:
                raise ValueError(f"entry {place} is not of the form telegram:123456 or discord:987654")
            people.add(Person(Platform(parts[1]), parts[2]))
        return cls(frozenset(people))

    def __contains__(self, person: Person) -> bool:
        return person in self.people

    def on(self, platform: Platform) -> tuple[str, ...]:
        """Return the ids of the admins on one platform."""
        return tuple(sorted(person.id for person in self.people if person.platform == platform))
