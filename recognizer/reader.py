"""Read a photo end to end: decode, detect, register, classify and rank."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.classification import MODEL_FOLDER, Classifier, Head
from recognizer.clock import ProcessorClock
from recognizer.decoding.clip import is_clip
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.photo import Photo, shrunk_photo
from recognizer.emoji_map import DEFAULT_PATH, EmojiMap
from recognizer.emotions import FACE_SIZE
from recognizer.expression import Expression
from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import Box, Detection
from recognizer.finding.landmarks import Landmarker, Landmarks
from recognizer.finding.registration import FRAME_SIZES, framings, register
from recognizer.finding.segmentation import HeadView, PersonSegmenter
from recognizer.finding.views import halved
from recognizer.following import (
    CLASSIFY_EVERY,
    LANDMARKS_EVERY,
    SEARCH_EVERY,
    apart,
    candidate_of,
    same_face,
    steadied_box,
    steadied_emotions,
)
from recognizer.ranking import rank
from recognizer.readings import Face, Place, Reading, Stopwatch

MOST_FACES = 40
"""Number of faces that are read in a photo, the widest; all are found where faces are covered."""
_CLOSER_LOOKS = 2
"""Number of faces, the widest first, whose landmarks are found: each takes as long as four views of the detector."""
_ENOUGH = 64
"""Width of a face's box, in pixels of the photo, from which its landmarks are found, and from which a finer photo would
not be read better.
"""


class Recognizer:
    """Reads facial expressions. It may be called from several threads at once.

    The attributes `emoji_map` and `classifier` may be replaced while photos are being read; each photo is read with one
    of each.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # its parts
        self,
        detector: FaceDetector,
        landmarker: Landmarker,
        segmenter: PersonSegmenter,
        classifier: Classifier,
        emoji_map: EmojiMap,
        decoder: Decoder | None = None,
    ) -> None:
        """decoder: None for one that decodes in a process of its own whatever may be expensive."""
        self._detector = detector
        self._landmarker = landmarker
        self._segmenter = segmenter
        self._decoder = decoder if decoder is not None else Decoder()
        self.classifier = classifier
        self.emoji_map = emoji_map

    @classmethod
    def load(
        cls, model: Path = MODEL_FOLDER, emoji_map: Path = DEFAULT_PATH, decoder: Decoder | None = None
    ) -> "Recognizer":
        """Load all networks and the emoji map. Raise `DetectorError`, `ModelError` or `EmojiMapError`."""
        finders = FaceDetector.load(), Landmarker.load(), PersonSegmenter.load()
        return cls(*finders, Classifier.load(model), EmojiMap.load(emoji_map), decoder)

    def close(self) -> None:
        """End the processes that decode."""
        self._decoder.close()

    @property
    def version(self) -> str:
        """Return the version of the current model."""
        return self.classifier.card.version

    def decode(self, data: bytes) -> Photo:
        """Decode a picture, upright and in the size at which it is read. Raise `PhotoError`."""
        return self._decoder.decode(data, ProcessorClock())

    def read(self, data: bytes) -> Reading:
        """Read the faces in a picture, or in the clearest moment of a clip, at most `MOST_FACES`.

        A JPEG is first decoded to no more than a face that is its subject needs, and wholly only if there is none. Of a
        clip, a few frames are read, and that is returned whose biggest face has the highest confidence. Raise
        `PhotoError` if the bytes can be read neither as a photo nor as a video.
        """
        watch, clock = Stopwatch(), ProcessorClock()
        if is_clip(data):
            return self._clearest(data, watch, clock)[1]
        photo, found = self._found(data, watch, clock)
        return self._reading(photo, found, watch, clock)

    def read_everyone(self, data: bytes) -> Reading:
        """Read the faces as `read` does, followed by all smaller or doubtful ones; meant for covering faces.

        Raise `PhotoError` if the bytes cannot be read as a photo.
        """
        watch, clock = Stopwatch(), ProcessorClock()
        with watch.step("decode"):
            photo = self._decoder.decode(data, clock)
        return self._read_everyone(photo, watch, clock)

    def everyone_in(self, photo: Photo) -> Reading:
        """Read the faces of a decoded photo as `read_everyone` does. Raise `PhotoError` if it takes too long."""
        return self._read_everyone(photo, Stopwatch(), ProcessorClock())

    def moment(self, data: bytes) -> Photo:
        """Return a picture as `decode` does, or the moment of a clip that `read` reads. Raise `PhotoError`."""
        clock = ProcessorClock()
        if not is_clip(data):
            return self._decoder.decode(data, clock)
        return self._clearest(data, Stopwatch(), clock)[0]

    def film(self, data: bytes) -> list[Photo]:
        """Return the first seconds of a clip as small frames at a steady rate; see `decoding.film`.

        Raise `PhotoError`.
        """
        return self._decoder.film(data, ProcessorClock())

    def places_in(self, photo: Photo, clock: ProcessorClock) -> tuple[Place, ...]:
        """Return where all faces of a decoded photo are, the widest first, without reading them.

        Raise `PhotoError` if no time is left.
        """
        return tuple(
            Place(_box_in_original(photo, found), math.degrees(found.roll))
            for found in self._detector.find_everyone(photo.pixels, clock)
        )

    def head_in(self, photo: Photo, face: Face) -> HeadView:
        """Return a face that was read in a decoded photo with what is around it, and which of that shows a person."""
        levels, place = halved(photo.pixels), candidate_of(face, photo.scale)
        return self._segmenter.head(levels, self._detector.verifier.meshed(levels, place))

    def follow(self, frame: bytes | NDArray[np.uint8], before: Reading | None = None) -> Reading:
        """Read a frame of a live picture: a picture's bytes, or upright RGB pixels, uint8 `(height, width, 3)`.

        before: what was returned for the frame before; None for the first one. Faces are looked for where they were,
        and their boxes and emotions are smoothed over time. The whole picture is searched at first, when no face is
        left, and every `following.SEARCH_EVERY` frames. Raise `PhotoError` if the bytes cannot be read as a photo or
        the picture is too small, `ValueError` for an array of another kind.
        """
        watch, clock = Stopwatch(), ProcessorClock()
        known = before.faces if before is not None else ()
        with watch.step("decode"):
            photo = self._frame(frame, known, clock)
        if before is None or not known or before.age + 1 >= SEARCH_EVERY:
            return self._searched_anew(photo, frame, known, watch, clock)
        levels = halved(photo.pixels)
        with watch.step("detect"):
            looks = [self._detector.verifier.seen_at(levels, candidate_of(face, photo.scale)) for face in known]
            pairs = apart([(face, look) for face, look in zip(known, looks, strict=True) if look is not None])
        if not pairs:
            return self._searched_anew(photo, frame, known, watch, clock)
        age, classifier, emoji_map = before.age + 1, self.classifier, self.emoji_map
        faces = []
        for face, look in pairs:
            clock.check()
            with watch.step("classify"):
                expression, seen = self._expression_now(photo, levels, face, look, age, classifier)
            with watch.step("rank"):
                now = _face(photo, look, expression, seen, emoji_map)
                faces.append(replace(now, box=steadied_box(face.box, now.box), score=face.score))
        faces.sort(key=lambda face: face.box.width, reverse=True)
        return Reading(tuple(faces), classifier.card.version, watch.ms, *_original_size(photo), age)

    def classify(self, faces: NDArray[np.uint8], head: Head = "shown") -> NDArray[np.float32]:
        """Return probabilities of uint8 grey crops `(n, 48, 48)` framed like FER2013; see `Classifier.classify`."""
        return self.classifier.classify(faces, head)

    def _clearest(self, data: bytes, watch: Stopwatch, clock: ProcessorClock) -> tuple[Photo, Reading]:
        """Return the moment of a clip whose biggest face has the highest confidence, and what is read there."""
        with watch.step("decode"):
            photos = self._decoder.frames(data, clock)
        moments = [(photo, self._read_photo(photo, watch, clock)) for photo in photos]
        return max(moments, key=lambda moment: moment[1].faces[0].confidence if moment[1].faces else 0.0)

    def _found(self, data: bytes, watch: Stopwatch, clock: ProcessorClock) -> tuple[Photo, list[Detection]]:
        """Return a picture, as finely as its faces need, and the faces in it."""
        with watch.step("decode"):
            photo = self._decoder.glance(data, clock)
        with watch.step("detect"):
            found = self._detector.find_portrait(photo.pixels, clock)
        if photo.is_reduced and (not found or found[0].box.width < _ENOUGH):
            with watch.step("decode"):
                photo = self._decoder.decode(data, clock)
            with watch.step("detect"):
                found = self._detector.find_portrait(photo.pixels, clock) if found else []
        if not found:
            with watch.step("detect"):
                found = self._detector.search(photo.pixels, clock)
        return photo, found[:MOST_FACES]

    def _read_everyone(self, photo: Photo, watch: Stopwatch, clock: ProcessorClock) -> Reading:
        with watch.step("detect"):
            found = self._detector.find_everyone(photo.pixels, clock)
        return self._reading(photo, found, watch, clock)

    def _frame(self, frame: bytes | NDArray[np.uint8], known: Sequence[Face], clock: ProcessorClock) -> Photo:
        """Return a frame as finely as the faces that are known in it need; as finely as it is read if none is."""
        if isinstance(frame, np.ndarray):
            return shrunk_photo(frame)
        if not known:
            return self._decoder.decode(frame, clock)
        photo = self._decoder.glance(frame, clock)
        narrowest = min(face.box.width for face in known) / photo.scale
        return self._decoder.decode(frame, clock) if photo.is_reduced and narrowest < _ENOUGH else photo

    def _read_photo(self, photo: Photo, watch: Stopwatch, clock: ProcessorClock) -> Reading:
        with watch.step("detect"):
            found = self._detector.find(photo.pixels, clock)
        return self._reading(photo, found[:MOST_FACES], watch, clock)

    def _reading(self, photo: Photo, found: Sequence[Detection], watch: Stopwatch, clock: ProcessorClock) -> Reading:
        """Register, classify and rank the faces that were found in a photo, given the widest first."""
        classifier, emoji_map = self.classifier, self.emoji_map
        with watch.step("classify"):
            seen = [framings(photo.pixels, face) for face in found]
            stacked = np.stack(seen) if seen else np.empty((0, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE), np.uint8)
            probabilities = classifier.classify_framings(stacked)
            clock.check()
            expressions = self._expressions(photo, found, probabilities)
        clock.check()
        with watch.step("rank"):
            faces = tuple(
                _face(photo, face, expression, looked, emoji_map)
                for face, expression, looked in zip(found, expressions, seen, strict=True)
            )
        return Reading(faces, classifier.card.version, watch.ms, *_original_size(photo))

    def _expressions(
        self, photo: Photo, found: Sequence[Detection], probabilities: NDArray[np.float32]
    ) -> list[Expression]:
        """Return the faces' expressions: with the landmarks of the first few, if they are wide enough, and the mesh of
        the others.
        """
        levels = halved(photo.pixels) if found else []
        expressions = []
        for place, (face, row) in enumerate(zip(found, probabilities.tolist(), strict=True)):
            landmarks = self._look_closer(levels, face) if place < _CLOSER_LOOKS else None
            meshed = self._detector.verifier.meshed(levels, face) if landmarks is None else face
            expressions.append(Expression.of(tuple(row), meshed, landmarks))
        return expressions

    def _look_closer(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> Landmarks | None:
        return self._landmarker.find(levels, face) if face.box.width >= _ENOUGH else None

    def _searched_anew(  # what is known of a frame
        self,
        photo: Photo,
        frame: bytes | NDArray[np.uint8],
        known: Sequence[Face],
        watch: Stopwatch,
        clock: ProcessorClock,
    ) -> Reading:
        """Read a whole frame; faces that are the same as before change smoothly."""
        if photo.is_reduced:
            with watch.step("decode"):
                photo = self._frame(frame, (), clock)
        emoji_map, fresh = self.emoji_map, self._read_photo(photo, watch, clock)
        faces, left = [], list(known)
        for face in fresh.faces:
            before = same_face(candidate_of(face, photo.scale), left, photo.scale)
            if before is None:
                faces.append(face)
                continue
            left.remove(before)
            emotions = steadied_emotions(before.probabilities, np.array(face.probabilities, np.float32))
            expression = face.expression.with_emotions(emotions)
            emoji = rank(emoji_map, expression).emoji
            faces.append(replace(face, box=steadied_box(before.box, face.box), expression=expression, emoji=emoji))
        return replace(fresh, faces=tuple(faces), ms=watch.ms)

    def _expression_now(  # noqa: PLR0913, PLR0917  # one face of one frame
        self,
        photo: Photo,
        levels: Sequence[NDArray[np.uint8]],
        before: Face,
        look: Detection,
        age: int,
        classifier: Classifier,
    ) -> tuple[Expression, NDArray[np.uint8]]:
        """Return a followed face's expression and framings, with the part of the work that this frame's turn is."""
        if age % CLASSIFY_EVERY == 0:
            seen, turn = framings(photo.pixels, look), age // CLASSIFY_EVERY
            said = classifier.classify_view(seen[turn % len(seen)][None], turn // len(seen))[0]
            emotions = steadied_emotions(before.probabilities, said)
            return before.expression.with_emotions(emotions), seen
        if age % LANDMARKS_EVERY == 1:
            closer = self._look_closer(levels, look)
            meshed = self._detector.verifier.meshed(levels, look) if closer is None else look
            return Expression.of(before.probabilities, meshed, closer), before.framings
        return before.expression, before.framings


def _face(
    photo: Photo, found: Detection, expression: Expression, looked: NDArray[np.uint8], emoji_map: EmojiMap
) -> Face:
    crop, ranking = register(photo.pixels, found), rank(emoji_map, expression)
    return Face(
        _box_in_original(photo, found), found.score, expression, ranking.emoji, crop, looked, math.degrees(found.roll)
    )


def _original_size(photo: Photo) -> tuple[int, int]:
    """Return the width and height of the upright original in pixels."""
    height, width = photo.pixels.shape[:2]
    return round(photo.scale * width), round(photo.scale * height)


def _box_in_original(photo: Photo, found: Detection) -> Box:
    """Return the box of a face that was found in a photo, in pixels of the original."""
    return Box(*(photo.scale * side for side in (found.box.x, found.box.y, found.box.width, found.box.height)))
