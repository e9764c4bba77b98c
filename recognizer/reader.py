"""Read a photo end to end: decode, detect, register, classify and rank."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.classification import MODEL_FOLDER, Classifier, Head
from recognizer.clock import ProcessorClock
from recognizer.decoding import photo as photos
from recognizer.decoding.clip import is_clip
from recognizer.decoding.photo import MIN_SIDE, Photo, shrunk_photo
from recognizer.emoji_map import DEFAULT_PATH, EmojiMap
from recognizer.emotions import FACE_SIZE
from recognizer.expression import Expression
from recognizer.face_finder import ENOUGH, FaceFinder, original_size
from recognizer.finding.face_geometry import Detection
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
from recognizer.isolation.decoder import Decoder
from recognizer.isolation.processes import MOST, Processes
from recognizer.isolation.serialization import scene_from
from recognizer.ranking import rank
from recognizer.readings import Face, Place, Reading, Stopwatch
from recognizer.scenes import Scene, SeenFace


class Recognizer:
    """Reads facial expressions. It may be called from several threads at once.

    Whatever takes a picture's bytes raises `PhotoError`, whose code says what is wrong with them, or `IsolationError`
    where no process can be started, or one meets an error that is not the picture's.

    The attributes `emoji_map` and `classifier` may be replaced while photos are being read; each photo is read with one
    of each.
    """

    def __init__(  # noqa: PLR0913  # its parts
        self,
        finder: FaceFinder,
        segmenter: PersonSegmenter,
        classifier: Classifier,
        emoji_map: EmojiMap,
        *,
        is_isolated: bool = False,
        most_processes: int = MOST,
    ) -> None:
        """is_isolated: all pictures are decoded, and `read` finds faces, in processes that can be ended; otherwise only
        what may be expensive to decode is. most_processes: number of these at work.
        """
        self._finder = finder
        self._segmenter = segmenter
        self._is_isolated = is_isolated
        self._processes = Processes(most_processes)
        self._decoder = Decoder(self._processes, (lambda _: False) if is_isolated else photos.is_cheap)
        self.classifier = classifier
        self.emoji_map = emoji_map

    @classmethod
    def load(
        cls, model: Path = MODEL_FOLDER, emoji_map: Path = DEFAULT_PATH, *, is_isolated: bool = False
    ) -> "Recognizer":
        """Load all networks and the emoji map. is_isolated: as above.

        Raise `DetectorError`, `ModelError` or `EmojiMapError`.
        """
        parts = FaceFinder.load(), PersonSegmenter.load(), Classifier.load(model), EmojiMap.load(emoji_map)
        return cls(*parts, is_isolated=is_isolated)

    def prepare(self) -> None:
        """Load what the first photo would have to wait for: in an isolated recogniser most of a second.

        Raise `IsolationError`.
        """
        self.read(cv2.imencode(".png", np.zeros((MIN_SIDE, MIN_SIDE), np.uint8))[1].tobytes())

    def close(self) -> None:
        """End the processes."""
        self._processes.close()

    @property
    def version(self) -> str:
        """Return the version of the current model."""
        return self.classifier.card.version

    def decode(self, data: bytes) -> Photo:
        """Decode a picture, upright and in the size at which it is read. Raise `PhotoError`."""
        return self._decoder.decode(data, ProcessorClock())

    def read(self, data: bytes) -> Reading:
        """Read the faces in a picture, or in the clearest moment of a clip, at most `scenes.MOST_FACES`.

        A JPEG is first decoded to no more than a face that is its subject needs, and wholly only if there is none. Of a
        clip, a few frames are read, and that is returned whose biggest face has the highest confidence. Raise
        `PhotoError` if the bytes can be read neither as a photo nor as a video.
        """
        clock, watch = ProcessorClock(), Stopwatch()
        if self._is_isolated:
            scenes = self._processes.run("scenes", data, clock, scene_from)
        else:
            scenes = self._finder.scenes(data, self._decoder, clock)
        readings = [self._reading(scene, clock, watch) for scene in scenes]
        return replace(max(readings, key=_clarity), ms=watch.ms)

    def read_everyone(self, data: bytes) -> Reading:
        """Read the faces as `read` does, followed by all smaller or doubtful ones; meant for covering faces.

        Raise `PhotoError` if the bytes cannot be read as a photo.
        """
        watch, clock = Stopwatch(), ProcessorClock()
        with watch.step("decode"):
            photo = self._decoder.decode(data, clock)
        return self._reading(self._finder.everyone_in(photo, watch, clock), clock)

    def everyone_in(self, photo: Photo) -> Reading:
        """Read the faces of a decoded photo as `read_everyone` does. Raise `PhotoError` if it takes too long."""
        clock = ProcessorClock()
        return self._reading(self._finder.everyone_in(photo, Stopwatch(), clock), clock)

    def moment(self, data: bytes) -> Photo:
        """Return a picture as `decode` does, or the moment of a clip that `read` reads. Raise `PhotoError`."""
        clock = ProcessorClock()
        if not is_clip(data):
            return self._decoder.decode(data, clock)
        moments = self._decoder.frames(data, clock)
        return max(moments, key=lambda photo: _clarity(self._read_photo(photo, Stopwatch(), clock)))

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
            Place(found.box.scaled(photo.scale), math.degrees(found.roll))
            for found in self._finder.detector.find_everyone(photo.pixels, clock)
        )

    def head_in(self, photo: Photo, face: Face) -> HeadView:
        """Return a face that was read in a decoded photo with what is around it, and which of that shows a person."""
        levels, place = halved(photo.pixels), candidate_of(face, photo.scale)
        return self._segmenter.head(levels, self._finder.detector.verifier.meshed(levels, place))

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
            looks = [self._finder.detector.verifier.seen_at(levels, candidate_of(face, photo.scale)) for face in known]
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
                if expression is face.expression:
                    now = replace(face, box=look.box.scaled(photo.scale), tilt_degrees=math.degrees(look.roll))
                else:
                    crop = face.crop if seen is face.framings else register(photo.pixels, look)
                    now = _face(SeenFace(look, None, crop, seen), photo.scale, expression, emoji_map)
                faces.append(replace(now, box=steadied_box(face.box, now.box), score=face.score))
        faces.sort(key=lambda face: face.box.width, reverse=True)
        return Reading(tuple(faces), classifier.card.version, watch.ms, *original_size(photo), age)

    def classify(self, faces: NDArray[np.uint8], head: Head = "shown") -> NDArray[np.float32]:
        """Return probabilities of uint8 grey crops `(n, 48, 48)` framed like FER2013; see `Classifier.classify`."""
        return self.classifier.classify(faces, head)

    def _frame(self, frame: bytes | NDArray[np.uint8], known: Sequence[Face], clock: ProcessorClock) -> Photo:
        """Return a frame as finely as the faces that are known in it need; as finely as it is read if none is."""
        if isinstance(frame, np.ndarray):
            return shrunk_photo(frame)
        if not known:
            return self._decoder.decode(frame, clock)
        photo = self._decoder.glance(frame, clock)
        narrowest = min(face.box.width for face in known) / photo.scale
        return self._decoder.decode(frame, clock) if photo.is_reduced and narrowest < ENOUGH else photo

    def _read_photo(self, photo: Photo, watch: Stopwatch, clock: ProcessorClock) -> Reading:
        """Read a decoded photo. watch: what its decoding took."""
        return self._reading(self._finder.scene_in(photo, watch, clock), clock)

    def _reading(self, scene: Scene, clock: ProcessorClock, watch: Stopwatch | None = None) -> Reading:
        """Classify and rank the faces of a scene. watch: what other scenes of the same picture took; None for none."""
        classifier, emoji_map, watch = self.classifier, self.emoji_map, watch or Stopwatch()
        watch.add(scene.ms)
        with watch.step("classify"):
            looked = [face.framings for face in scene.faces]
            stacked = np.stack(looked) if looked else np.empty((0, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE), np.uint8)
            probabilities = classifier.classify_framings(stacked).tolist()
        clock.check()
        with watch.step("rank"):
            faces = tuple(
                _face(seen, scene.scale, Expression.of(tuple(row), seen.found, seen.landmarks), emoji_map)
                for seen, row in zip(scene.faces, probabilities, strict=True)
            )
        return Reading(faces, classifier.card.version, watch.ms, scene.width, scene.height)

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
        return replace(fresh, faces=tuple(faces))

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
            return Expression.of(before.probabilities, *self._finder.closer_look(levels, look)), before.framings
        return before.expression, before.framings


def _face(seen: SeenFace, scale: float, expression: Expression, emoji_map: EmojiMap) -> Face:
    """Return a face as it is read. scale: as in `Scene`."""
    found, emoji = seen.found, rank(emoji_map, expression).emoji
    return Face(
        found.box.scaled(scale), found.score, expression, emoji, seen.crop, seen.framings, math.degrees(found.roll)
    )


def _clarity(reading: Reading) -> float:
    """Return the confidence in what is read of the biggest face, from 0 to 1; 0 if there is none."""
    return reading.faces[0].confidence if reading.faces else 0.0
