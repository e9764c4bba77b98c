"""The looks that an avatar may have, for whoever draws none."""

from dataclasses import dataclass
from enum import StrEnum


class Hair(StrEnum):
    """What is on the head; the value is stored."""

    SHORT = "short"
    ROUND = "round"
    WAVY = "wavy"
    CURLY = "curly"
    AFRO = "afro"
    LOCS = "locs"
    BOB = "bob"
    LONG = "long"
    BUN = "bun"
    BUZZ_CUT = "buzz_cut"
    NONE = "none"
    HEADSCARF = "headscarf"
    TURBAN = "turban"


class HairColour(StrEnum):
    """The colour of the hair, or of the scarf or turban; the value is stored."""

    BLACK = "black"
    DARK_BROWN = "dark_brown"
    BROWN = "brown"
    RED = "red"
    BLOND = "blond"
    GREY = "grey"
    PINK = "pink"
    BLUE = "blue"


@dataclass(frozen=True)
class Look:
    """An avatar's look. skin_tone and presentation: values of `emoji_variants.SkinTone` and `Presentation`, None for
    the yellow of a smiley and for neither.
    """

    hair: Hair
    colour: HairColour = HairColour.BROWN
    skin_tone: str | None = None
    presentation: str | None = None
