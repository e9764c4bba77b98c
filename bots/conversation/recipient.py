"""One person as the service speaks to them: in their language, with emoji in the looks they chose."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bots.conversation.emoji_variants import Appearance, Presentation, SkinTone, variant_of
from bots.conversation.languages import OWN_NAMES, Voice, nearest, speak
from db import Preferences

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class Recipient:
    """Whom an answer is for: the voice it is said in, and the looks its emoji wear."""

    voice: Voice
    appearance: Appearance

    @classmethod
    def of(cls, preferences: Preferences, platform_language: str) -> "Recipient":
        """What the person set, else what their platform says. platform_language: its tag as sent, whatever it is."""
        chosen = preferences.language if preferences.language in OWN_NAMES else None
        appearance = Appearance(
            _member(SkinTone, preferences.skin_tone), _member(Presentation, preferences.presentation)
        )
        return cls(speak(chosen or nearest(platform_language)), appearance)

    def variant_of(self, emoji: str) -> str:
        """The emoji as this person wants to see it."""
        return variant_of(emoji, self.appearance)

    def name_of(self, emoji: str) -> str:
        """What a shown emoji is called: in the person's language, else in English, else as it is."""
        shown = self.variant_of(emoji)
        return self.voice.name_of(shown) or self.voice.name_of(emoji) or speak("en").name_of(emoji) or emoji


def _member(kind: type[_Choice], value: str | None) -> _Choice | None:
    """The stored choice, or None for one that an older or newer version has made."""
    return next((member for member in kind if member == value), None)
