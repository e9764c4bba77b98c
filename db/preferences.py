"""What a person set for themselves."""

from dataclasses import dataclass


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
