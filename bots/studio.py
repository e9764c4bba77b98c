"""The pictures the bot makes of a photo: faces covered by their emoji, a sticker, faces outlined and numbered.

Works on the bytes of a photo that a platform has just brought, and keeps none of it.
"""

from collections.abc import Sequence
from typing import Literal

from bots.artwork import Artwork
from bots.covering import CoveredFace
from bots.events import Form, MadePicture
from bots.pictures import emoji_me, outlined, sticker
from recognizer import Face, Recognizer


class Studio:
    """Makes pictures; safe for concurrent callers. Every method raises `PhotoError` where the bytes are no photo."""

    def __init__(self, recognizer: Recognizer, artwork: Artwork) -> None:
        self._recognizer = recognizer
        self._artwork = artwork

    def emoji_me(self, photo: bytes, emoji: Sequence[str]) -> MadePicture | None:
        """The photo with every face covered, or None where there is none. emoji: for the faces in the order they were
        answered in; faces beyond them get what fits them best."""
        faces = self._covered(photo, emoji)
        return MadePicture(emoji_me(photo, faces, self._artwork), Form.PHOTO) if faces else None

    def sticker(self, photo: bytes, emoji: str, platform: str) -> MadePicture | None:
        """A sticker of the biggest face, the others covered, or None where there is none."""
        faces = self._covered(photo, [emoji])
        if not faces:
            return None
        form: Literal["webp", "png"] = "webp" if platform == "telegram" else "png"
        return MadePicture(sticker(photo, faces[0], form, self._artwork, faces[1:]), Form.STICKER)

    def outlined(self, photo: bytes, faces: Sequence[Face]) -> MadePicture:
        """The photo with these faces outlined and numbered from 1."""
        return MadePicture(outlined(photo, [_covered(face, face.emoji[0]) for face in faces]), Form.PHOTO)

    def _covered(self, photo: bytes, emoji: Sequence[str]) -> list[CoveredFace]:
        faces = self._recognizer.read_everyone(photo).faces
        known = (*emoji[: len(faces)], *(face.emoji[0] for face in faces[len(emoji) :]))
        return [_covered(face, each) for face, each in zip(faces, known, strict=True)]


def _covered(face: Face, emoji: str) -> CoveredFace:
    return CoveredFace(face.box, face.tilt_degrees, emoji)
