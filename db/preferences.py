"""What a person set for themselves."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row

from db.schema import PersonRow


@dataclass(frozen=True)
class Preferences:
    """What a person set for themselves; None if they left the choice to the bot. Each at most 16 characters.

    hair, hair_colour: of their avatar; they have one if hair is set.
    """

    language: str | None = None
    skin_tone: str | None = None
    presentation: str | None = None
    hair: str | None = None
    hair_colour: str | None = None


COLUMNS = tuple(getattr(PersonRow, each.name) for each in fields(Preferences))
"""Where the preferences are stored, in their order."""


def preferences_in(row: "PersonRow | Row[*tuple[Any, ...]]") -> Preferences:
    """Return the preferences in a person's row, or in one with `COLUMNS`."""
    return Preferences(*(getattr(row, each.key) for each in COLUMNS))
