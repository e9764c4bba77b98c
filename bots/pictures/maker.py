"""Make pictures from a photo: faces covered by their emoji, a sticker, faces outlined and numbered.

Works on the bytes of a photo that a platform has just sent, which the recogniser decodes, and stores nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from bots.messages import Cover, FaceCover, Form, MadePicture, StickerEmoji
from bots.pictures.artwork import Artwork
from bots.pictures.compositing import (
    AVATAR_HEIGHT,
    FileForm,
    arranged,
    avatar_sticker,
    cover_frame,
    cover_image,
    emoji_me,
    head_sticker,
    outlined,
    places_of,
    sticker,
)
from bots.pictures.covering import CoveredFace
from bots.pictures.film_encoding import can_encode_mp4, gif, mp4
from bots.pictures.film_faces import film_faces
from bots.pictures.looks import Look
from db import Platform
from recognizer import Face, Recognizer
from recognizer.clock import ProcessorClock
from recognizer.decoding.clip import is_clip
from recognizer.decoding.film import FRAME_RATE
from recognizer.decoding.photo import Photo
from recognizer.emoji_map import without_selector

_KEPT_COVERS = 256
"""Images of covers that are remembered, about 40 kB each."""


@dataclass(frozen=True)
class FaceEmoji:
    """A face of the bot's answer: its emotion probabilities `(7,)`, its emoji, and what else may cover it."""

    probabilities: tuple[float, ...]
    emoji: str
    choices: tuple[str, ...] = ()


class PictureMaker:
    """Makes pictures. It may be called from several threads at once. All methods raise `PhotoError` if the bytes are
    not a photo.
    """

    def __init__(self, recognizer: Recognizer, artwork: Artwork) -> None:
        self._recognizer = recognizer
        self._artwork = artwork
        self._cover_image = lru_cache(_KEPT_COVERS)(partial(cover_image, artwork=artwork))

    def emoji_me(
        self, photo: bytes, answered: Sequence[FaceEmoji], platform: Platform, *, is_blurred: bool = False
    ) -> MadePicture | None:
        """Return the photo or the first seconds of the clip with every face covered, or None if there is no face.

        A face that is in the answer gets the same emoji as there, any other the emoji ranked first. is_blurred: all
        faces are blurred instead.
        """
        if is_clip(photo) and len(frames := self._recognizer.film(photo)) > 1:
            return self._emoji_film(frames, answered, platform, is_blurred=is_blurred)
        decoded = self._recognizer.moment(photo)
        faces = self._covered(decoded, answered, is_blurred=is_blurred)
        return MadePicture(emoji_me(decoded, faces, self._artwork), Form.PHOTO) if faces else None

    def covers(
        self, photo: bytes, answered: Sequence[FaceEmoji], *, is_blurred: bool = False
    ) -> tuple[FaceCover, ...] | None:
        """Return how `emoji_me` covers the faces of a photo, from left to right, or None if there is no face."""
        decoded = self._recognizer.moment(photo)
        faces = self._recognizer.everyone_in(decoded).faces
        found = [
            FaceCover(place, choices or face.emoji)
            for face, (emoji, choices) in zip(faces, _emoji_and_choices(faces, answered), strict=True)
            for place in places_of(decoded, [_covered(face, None if is_blurred else emoji)])
        ]
        return tuple(sorted(found, key=lambda each: each.cover.x)) or None

    def arranged(self, photo: bytes, covers: Sequence[Cover]) -> MadePicture:
        """Return the photo with these covers, wherever its faces are. Raise `PhotoError` if that takes too long."""
        decoded = self._recognizer.moment(photo)
        return MadePicture(arranged(decoded, covers, self._artwork, ProcessorClock()), Form.PHOTO)

    def can_draw(self, emoji: str) -> bool:
        """Return whether there is a drawing of an emoji."""
        return emoji in self._artwork

    def cover_image(self, emoji: str) -> bytes:
        """Return what covers a face where this emoji does, as in `compositing.cover_image`."""
        return self._cover_image(without_selector(emoji))

    def sticker(
        self,
        photo: bytes,
        answered: FaceEmoji,
        platform: Platform,
        emoji_place: StickerEmoji = StickerEmoji.BESIDE,
        *,
        is_hidden: bool = False,
    ) -> MadePicture | None:
        """Return a sticker of the widest face, with all others covered, or None if there is no face.

        answered: that face. It is not told from the others by its emotions, which a bystander may have, too. The head
        is cut out, unless its emoji is to be on the face. is_hidden: it will be sent hidden, which Telegram does not
        offer for stickers: there it becomes a photo.
        """
        decoded = self._recognizer.moment(photo)
        faces = self._recognizer.everyone_in(decoded).faces
        if not faces:
            return None
        subject, others = faces[0], [_covered(face, face.emoji[0]) for face in faces[1:]]
        form: FileForm = "png"
        if platform is Platform.TELEGRAM:
            form = "jpeg" if is_hidden else "webp"
        if emoji_place is StickerEmoji.ON_FACE:
            content = sticker(decoded, _covered(subject, answered.emoji), form, self._artwork, others)
        else:
            head = self._recognizer.head_in(decoded, subject)
            badge = answered.emoji if emoji_place is StickerEmoji.BESIDE else None
            content = head_sticker(decoded, head, form, self._artwork, others, badge)
        return MadePicture(content, Form.PHOTO if form == "jpeg" else Form.STICKER)

    def avatar(self, look: Look, emotion: str, platform: Platform) -> MadePicture:
        """Return a sticker of an avatar that shows an emotion of `EMOTIONS`."""
        from bots.pictures.avatars import avatar  # noqa: PLC0415  (`Artwork.load` names a package that is missing)

        form: FileForm = "webp" if platform is Platform.TELEGRAM else "png"
        return MadePicture(avatar_sticker(avatar(look, emotion, AVATAR_HEIGHT), form), Form.STICKER)

    def outlined(self, photo: bytes, faces: Sequence[Face]) -> MadePicture:
        """Return the photo with these faces outlined and numbered from 1."""
        decoded = self._recognizer.moment(photo)
        return MadePicture(outlined(decoded, [_covered(face, face.emoji[0]) for face in faces]), Form.PHOTO)

    def _emoji_film(
        self, frames: list[Photo], answered: Sequence[FaceEmoji], platform: Platform, *, is_blurred: bool
    ) -> MadePicture | None:
        """Return a film with every face covered, or None if there is no face."""
        found = film_faces(self._recognizer, frames)
        if not found.tracks:
            return None
        read = [track.face for track in found.tracks if track.face is not None]
        emoji_of = dict(zip(map(id, read), _emoji_of(read, answered), strict=True))
        usual = next(iter(emoji_of.values()), None)  # without any, a face is blurred
        for number, frame in enumerate(frames[: found.length]):
            covered = [
                CoveredFace(place.box, place.tilt_degrees, None if is_blurred else emoji_of.get(id(track.face), usual))
                for track in found.tracks
                if (place := track.places.get(number)) is not None
            ]
            cover_frame(frame, covered, self._artwork)
        pixels = [frame.pixels for frame in frames[: found.length]]
        encode = mp4 if platform is Platform.TELEGRAM and can_encode_mp4() else gif
        return MadePicture(encode(pixels, FRAME_RATE), Form.ANIMATION)

    def _covered(self, photo: Photo, answered: Sequence[FaceEmoji], *, is_blurred: bool) -> list[CoveredFace]:
        faces = self._recognizer.everyone_in(photo).faces
        emoji = _emoji_of(faces, answered)
        return [_covered(face, None if is_blurred else each) for face, each in zip(faces, emoji, strict=True)]


def _emoji_of(faces: Sequence[Face], answered: Sequence[FaceEmoji]) -> list[str]:
    return [emoji for emoji, _ in _emoji_and_choices(faces, answered)]


def _emoji_and_choices(faces: Sequence[Face], answered: Sequence[FaceEmoji]) -> list[tuple[str, tuple[str, ...]]]:
    """Return each face's emoji and what else may cover it: those of the answered face with the nearest emotions, else
    the one ranked first and none.

    Faces are not matched by order, which may differ if the photo is fetched again in another size.
    """
    emoji: list[tuple[str, tuple[str, ...]]] = [(face.emoji[0], ()) for face in faces]
    apart = sorted(
        (_apart(face, known), place, number)
        for place, face in enumerate(faces)
        for number, known in enumerate(answered)
    )
    places, numbers = set(range(len(faces))), set(range(len(answered)))
    for _, place, number in apart:
        if place in places and number in numbers:
            emoji[place] = answered[number].emoji, answered[number].choices
            places.remove(place)
            numbers.remove(number)
    return emoji


def _apart(face: Face, known: FaceEmoji) -> float:
    """Return how far two faces' emotions are apart, from 0 to 2."""
    return float(np.abs(np.subtract(face.probabilities, known.probabilities)).sum())


def _covered(face: Face, emoji: str | None) -> CoveredFace:
    return CoveredFace(face.box, face.tilt_degrees, emoji)
