"""Apply a person's choice of skin tone and presentation to emoji that show people. Faces in photos are not
considered.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from emoji import EMOJI_DATA, STATUS

_SELECTOR = "\ufe0f"  # requests emoji presentation, not text presentation (Unicode TR51)
_JOINER = "\u200d"
_PERSON = re.compile(
    f"(?P<base>.){_SELECTOR}?(?P<tone>[\U0001f3fb-\U0001f3ff])?(?:{_JOINER}(?P<sign>[♀♂]){_SELECTOR}?)?"
    f"(?P<rest>(?:{_JOINER}[^\U0001f3fb-\U0001f3ff🧑👩👨🧒👧👦🫲]+)?)",
    re.DOTALL,
)
"""One person (or face, or hand) with any action; emoji of several people are left unchanged."""


class SkinTone(StrEnum):
    """The five skin tones of Unicode TR51; the value is stored."""

    LIGHT = "light"
    MEDIUM_LIGHT = "medium_light"
    MEDIUM = "medium"
    MEDIUM_DARK = "medium_dark"
    DARK = "dark"

    @property
    def modifier(self) -> str:
        """Return the character that applies this tone to the emoji before it."""
        return chr(0x1F3FB + list(SkinTone).index(self))


class Presentation(StrEnum):
    """The presentation of people in emoji; the value is stored."""

    WOMAN = "woman"
    MAN = "man"

    @property
    def sign(self) -> str:
        """Return the sign that applies this presentation to the emoji it is joined to."""
        return {Presentation.WOMAN: "♀", Presentation.MAN: "♂"}[self]


_NEUTRAL = {"👩": "🧑", "👨": "🧑", "👧": "🧒", "👦": "🧒", "👵": "🧓", "👴": "🧓"}
_PRESENTED = {
    Presentation.WOMAN: {"🧑": "👩", "🧒": "👧", "🧓": "👵"},
    Presentation.MAN: {"🧑": "👨", "🧒": "👦", "🧓": "👴"},
}
"""The few people with separate Unicode characters instead of a joined sign."""


@dataclass(frozen=True)
class Appearance:
    """A person's choices. None is the neutral choice: the yellow of a smiley, and no presentation."""

    skin_tone: SkinTone | None = None
    presentation: Presentation | None = None


def variant_of(emoji: str, appearance: Appearance) -> str:
    """Return the variant of an emoji with this appearance, as far as Unicode has one; otherwise the emoji itself.

    Where `appearance` is neutral, the emoji keeps its own tone or presentation.
    """
    parts = _PERSON.fullmatch(emoji)
    if parts is None or appearance == Appearance():
        return emoji
    own_tone, own_sign = parts["tone"] or "", parts["sign"] or ""
    tone = appearance.skin_tone.modifier if appearance.skin_tone else own_tone
    sign = appearance.presentation.sign if appearance.presentation else own_sign
    base = parts["base"]
    presented = _PRESENTED[appearance.presentation].get(_NEUTRAL.get(base, base)) if appearance.presentation else None
    wanted = ((presented, tone, ""), (base, tone, sign), (base, tone, own_sign), (base, own_tone, sign))
    for person, its_tone, its_sign in wanted:
        for spelling in _spellings(person or "", its_tone, its_sign, parts["rest"]):
            if EMOJI_DATA.get(spelling, {}).get("status") == STATUS["fully_qualified"]:
                return spelling
    return emoji


def plain(emoji: str) -> str:
    """Return an emoji without skin tone and sign, as platforms list their reactions."""
    parts = _PERSON.fullmatch(emoji)
    if parts is None:
        return emoji
    spellings = _spellings(parts["base"], "", "", parts["rest"])
    return next((each for each in spellings if each in EMOJI_DATA), emoji)


def _spellings(base: str, tone: str, sign: str, rest: str) -> Iterator[str]:
    """Yield the possible spellings of a person: some characters need a selector if no tone follows them."""
    joined = f"{_JOINER}{sign}{_SELECTOR}" if sign else ""
    yield f"{base}{tone}{joined}{rest}"
    if not tone:
        yield f"{base}{_SELECTOR}{joined}{rest}"
