"""The pictures the bot makes of a photo: faces covered by their emoji, a sticker, faces outlined and numbered.

Works on the bytes of a photo that a platform has just brought, and keeps none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bots.messages import Form, MadePicture
from bots.pictures.artwork import Artwork
from bots.pictures.compositing import emoji_me, outlined, sticker
from bots.pictures.covering import CoveredFace
from db import Platform
from recognizer import Face, Recognizer


@dataclass(frozen=True)
class FaceEmoji:
    """A face as it was answered: its emotion probabilities `(7,)`, and its emoji."""

    probabilities: tuple[float, ...]
    emoji: str


class PictureMaker:
    """Makes pictures; safe for concurrent callers. Every method raises `PhotoError` where the bytes are no photo."""

    def __init__(self, recognizer: Recognizer, artwork: Artwork) -> None:
        self._recognizer = recognizer
        self._artwork = artwork

    def emoji_me(self, photo: bytes, answered: Sequence[FaceEmoji]) -> MadePicture | None:
        """The photo with every face covered, or None where there is none: with the emoji that it was answered with, and
        faces beyond those with what fits them best."""
        faces = self._covered(photo, answered)
        return MadePicture(emoji_me(photo, faces, self._artwork), Form.PHOTO) if faces else None

    def sticker(self, photo: bytes, answered: FaceEmoji, platform: Platform) -> MadePicture | None:
        """A sticker of the face that was answered, the others covered, or None where there is none."""
        faces = self._covered(photo, [answered])
        if not faces:
            return None
        form: Literal["webp", "png"] = "webp" if platform is Platform.TELEGRAM else "png"
        return MadePicture(sticker(photo, faces[0], form, self._artwork, faces[1:]), Form.STICKER)

    def outlined(self, photo: bytes, faces: Sequence[Face]) -> MadePicture:
        """The photo with these faces outlined and numbered from 1."""
        return MadePicture(outlined(photo, [_covered(face, face.emoji[0]) for face in faces]), Form.PHOTO)

    def _covered(self, photo: bytes, answered: Sequence[FaceEmoji]) -> list[CoveredFace]:
        faces = self._recognizer.read_everyone(photo).faces
        emoji = _emoji_of(faces, answered)
        return [_covered(face, each) for face, each in zip(faces, emoji, strict=True)]


def _emoji_of(faces: Sequence[Face], answered: Sequence[FaceEmoji]) -> list[str]:
    """Each face's emoji: of the answered face whose emotions are nearest, else its own likeliest.

    Not by place: a photo that comes again in another size may have its faces in another order.
    """
    emoji = [face.emoji[0] for face in faces]
    apart = sorted(
        (float(np.abs(np.subtract(face.probabilities, known.probabilities)).sum()), place, number)
        for place, face in enumerate(faces)
        for number, known in enumerate(answered)
    )
    places, numbers = set(range(len(faces))), set(range(len(answered)))
    for _, place, number in apart:
        if place in places and number in numbers:
            emoji[place] = answered[number].emoji
            places.remove(place)
            numbers.remove(number)
    return emoji


def _covered(face: Face, emoji: str) -> CoveredFace:
    return CoveredFace(face.box, face.tilt_degrees, emoji)
