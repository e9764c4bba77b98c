"""Draw a person's avatar with one of the seven emotions, from parts that a package carries.

The parts come with the PyPI package python-avatars (MIT): "Avataaars" by Pablo Stanley (https://avataaars.com), free
for personal and commercial use. Nothing about an avatar is guessed from a photo: the person chooses all of it.
"""

from functools import lru_cache

import cv2
import numpy as np
import python_avatars as parts
from numpy.typing import NDArray
from resvg_py import svg_to_bytes

from bots.pictures.looks import Hair, HairColour, Look
from recognizer import EMOTIONS

_KEPT_DRAWINGS = 256
"""Drawings that are remembered, about 30 kB each; one takes 75 ms on one core of a Xeon with VNNI (ad hoc)."""
_WIDTH, _HEIGHT = 264, 280

_TOPS = {
    Hair.SHORT: parts.HairType.SHORT_FLAT,
    Hair.ROUND: parts.HairType.SHORT_ROUND,
    Hair.WAVY: parts.HairType.SHORT_WAVED,
    Hair.CURLY: parts.HairType.SHORT_CURLY,
    Hair.AFRO: parts.HairType.FRO,
    Hair.LOCS: parts.HairType.DREADS,
    Hair.BOB: parts.HairType.BOB,
    Hair.LONG: parts.HairType.STRAIGHT_1,
    Hair.BUN: parts.HairType.BUN,
    Hair.BUZZ_CUT: parts.HairType.BUZZCUT,
    Hair.NONE: parts.HairType.NONE,
    Hair.HEADSCARF: parts.HatType.HIJAB,
    Hair.TURBAN: parts.HatType.TURBAN,
}
_COLOURS = {
    HairColour.BLACK: "#2c1b18",
    HairColour.DARK_BROWN: "#4a312c",
    HairColour.BROWN: "#724133",
    HairColour.RED: "#a55728",
    HairColour.BLOND: "#d6b370",
    HairColour.GREY: "#b7b3ae",
    HairColour.PINK: "#f59797",
    HairColour.BLUE: "#3c4f9f",
}
_SKINS = {
    None: "#f8d25c",
    "light": "#ffdbb4",
    "medium_light": "#edb98a",
    "medium": "#d08b5b",
    "medium_dark": "#ae5d29",
    "dark": "#614335",
}
_CLOTHES = {
    None: parts.ClothingType.HOODIE,
    "woman": parts.ClothingType.SHIRT_SCOOP_NECK,
    "man": parts.ClothingType.COLLAR_SWEATER,
}
_CLOTH = "#4b5bd6"
_FEATURES = {
    "angry": (parts.EyebrowType.ANGRY, parts.EyeType.SQUINT, parts.MouthType.GRIMACE),
    "disgust": (parts.EyebrowType.UP_DOWN, parts.EyeType.SQUINT, parts.MouthType.VOMIT),
    "fear": (parts.EyebrowType.SAD_CONCERNED, parts.EyeType.SURPRISED, parts.MouthType.GRIMACE),
    "happy": (parts.EyebrowType.DEFAULT, parts.EyeType.HAPPY, parts.MouthType.BIG_SMILE),
    "neutral": (parts.EyebrowType.DEFAULT, parts.EyeType.DEFAULT, parts.MouthType.SERIOUS),
    "sad": (parts.EyebrowType.SAD_CONCERNED, parts.EyeType.CRY, parts.MouthType.SAD),
    "surprise": (parts.EyebrowType.RAISED_EXCITED, parts.EyeType.SURPRISED, parts.MouthType.DISBELIEF),
}


def avatar(look: Look, emotion: str, height: int) -> NDArray[np.uint8]:
    """Return an avatar that shows an emotion, on a transparent ground: RGBA, straight alpha, uint8
    `(height, about 0.94 height, 4)`.

    emotion: one of `EMOTIONS`. Raise `ValueError` for any other.
    """
    if emotion not in EMOTIONS:
        raise ValueError(f"there is no emotion {emotion}")
    decoded = cv2.imdecode(np.frombuffer(_drawn(look, emotion, height), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise RuntimeError("OpenCV cannot read the PNG of an avatar")
    return cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA).astype(np.uint8, copy=False)


@lru_cache(_KEPT_DRAWINGS)
def _drawn(look: Look, emotion: str, height: int) -> bytes:
    eyebrows, eyes, mouth = _FEATURES[emotion]
    colour = _COLOURS[look.colour]
    drawing = parts.Avatar(
        style=parts.AvatarStyle.TRANSPARENT,
        top=_TOPS[look.hair],
        hair_color=colour,
        hat_color=colour,
        skin_color=_SKINS.get(look.skin_tone, _SKINS[None]),
        eyebrows=eyebrows,
        eyes=eyes,
        mouth=mouth,
        clothing=_CLOTHES.get(look.presentation, _CLOTHES[None]),
        clothing_color=_CLOTH,
    )
    width = round(height * _WIDTH / _HEIGHT)
    return bytes(svg_to_bytes(svg_string=drawing.render(), width=width, height=height, skip_system_fonts=True))
