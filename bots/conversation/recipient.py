"""The recipient of an answer: their language and the appearance of emoji they chose."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bots.conversation.emoji_variants import Appearance, Presentation, SkinTone, variant_of
from bots.conversation.languages import OWN_NAMES, Voice, nearest, speak
from bots.pictures.looks import Hair, HairColour, Look
from db import Preferences

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class Recipient:
    """The person an answer is written for: the voice in their language, the appearance of emoji, and the look of their
    avatar, None if they have none.
    """

    voice: Voice
    appearance: Appearance
    look: Look | None = None

    @classmethod
    def of(cls, preferences: Preferences, platform_language: str) -> "Recipient":
        """Build a recipient from stored preferences, with the platform's language tag as the default."""
        chosen = preferences.language if preferences.language in OWN_NAMES else None
        appearance = Appearance(
            _member(SkinTone, preferences.skin_tone), _member(Presentation, preferences.presentation)
        )
        hair = _member(Hair, preferences.hair)
        colour = _member(HairColour, preferences.hair_colour) or HairColour.BROWN
        look = Look(hair, colour, appearance.skin_tone, appearance.presentation) if hair is not None else None
        return cls(speak(chosen or nearest(platform_language)), appearance, look)

    def variant_of(self, emoji: str) -> str:
        """Return the emoji in this person's chosen appearance."""
        return variant_of(emoji, self.appearance)

    def name_of(self, emoji: str) -> str:
        """Return the name of an emoji in the person's language, else in English, else the emoji itself."""
        shown = self.variant_of(emoji)
        return self.voice.name_of(shown) or self.voice.name_of(emoji) or speak("en").name_of(emoji) or emoji


def _member(kind: type[_Choice], value: str | None) -> _Choice | None:
    """Return the stored choice, or None if another version of the bot stored it and it is unknown here."""
    return next((member for member in kind if member == value), None)
