"""Read a photo end to end: decode, detect, register, classify and rank."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.classification import MODEL_FOLDER, Classifier, Head
from recognizer.clock import ProcessorClock
from recognizer.decoder import Decoder
from recognizer.detection import FaceDetector
from recognizer.emoji_map import DEFAULT_PATH, EmojiMap
from recognizer.emotions import EMOTIONS, FACE_SIZE
from recognizer.expression import Expression
from recognizer.face_geometry import Box, Detection
from recognizer.landmarks import Landmarker, Landmarks
from recognizer.photo import Photo
from recognizer.ranking import rank
from recognizer.registration import FRAME_SIZES, framings, register
from recognizer.views import halved

_CLOSER_LOOKS = 2
"""Number of faces, the widest first, whose landmarks are found: each takes as long as four views of the detector."""
_CLOSER_FROM = 64
"""Width of a face's box in pixels from which its landmarks are found."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in a photo.

    box: in pixels of the upright original photo. score: the detector's confidence, from 0 to 1. emoji: all of the map,
    the best first. crop: the registered face, uint8 `(48, 48)`. framings: the crops that the classifier averaged over,
    in the sizes of `registration.FRAME_SIZES`, uint8 `(2, 48, 48)`. tilt_degrees: clockwise angle of the line through
    the eyes from level.
    """

    box: Box
    score: float
    expression: Expression
    emoji: tuple[str, ...]
    crop: NDArray[np.uint8]
    framings: NDArray[np.uint8]
    tilt_degrees: float = 0.0

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Return the emotion probabilities, in the order of `EMOTIONS`, summing to 1."""
        return self.expression.probabilities

    @property
    def emotion(self) -> str:
        """Return the likeliest emotion."""
        return EMOTIONS[int(np.argmax(self.probabilities))]

    @property
    def confidence(self) -> float:
        """Return the probability of the likeliest emotion, from 0 to 1."""
        return max(self.probabilities)


@dataclass(frozen=True)
class Milliseconds:
    """Duration of each step of a reading, in milliseconds; `classify` includes registration."""

    decode: float
    detect: float
    classify: float
    rank: float


@dataclass(frozen=True)
class Reading:
    """The result for one photo: its faces, the widest first, the model's version, and how long each step took."""

    faces: tuple[Face, ...]
    model: str
    ms: Milliseconds


class Recognizer:
    """Reads facial expressions. It may be called from several threads at once.

    The attributes `emoji_map` and `classifier` may be replaced while photos are being read; each photo is read with one
    of each.
    """

    def __init__(  # noqa: PLR0913  # its parts
        self,
        detector: FaceDetector,
        landmarker: Landmarker,
        classifier: Classifier,
        emoji_map: EmojiMap,
        decoder: Decoder | None = None,
    ) -> None:
        """decoder: None for one that decodes in a process of its own whatever may be expensive."""
        self._detector = detector
        self._landmarker = landmarker
        self._decoder = decoder if decoder is not None else Decoder()
        self.classifier = classifier
        self.emoji_map = emoji_map

    @classmethod
    def load(
        cls, model: Path = MODEL_FOLDER, emoji_map: Path = DEFAULT_PATH, decoder: Decoder | None = None
    ) -> "Recognizer":
        """Load all networks and the emoji map. Raise `DetectorError`, `ModelError` or `EmojiMapError`."""
        return cls(FaceDetector.load(), Landmarker.load(), Classifier.load(model), EmojiMap.load(emoji_map), decoder)

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
        """Read the faces in a picture. Raise `PhotoError` if the bytes cannot be read as a photo."""
        started, clock = time.perf_counter(), ProcessorClock()
        photo = self._decoder.decode(data, clock)
        return self._read(photo, started, time.perf_counter(), clock)

    def read_everyone(self, data: bytes) -> Reading:
        """Read the faces as `read` does, followed by all smaller or doubtful ones; meant for covering faces.

        Raise `PhotoError` if the bytes cannot be read as a photo.
        """
        started, clock = time.perf_counter(), ProcessorClock()
        photo = self._decoder.decode(data, clock)
        return self._read(photo, started, time.perf_counter(), clock, everyone=True)

    def everyone_in(self, photo: Photo) -> Reading:
        """Read the faces of a decoded photo as `read_everyone` does. Raise `PhotoError` if it takes too long."""
        started = time.perf_counter()
        return self._read(photo, started, started, ProcessorClock(), everyone=True)

    def read_clip(self, data: bytes) -> Reading:
        """Read a few frames of a short video and return the frame whose biggest face has the highest confidence.

        Raise `PhotoError` if the bytes cannot be read as a video.
        """
        started, clock = time.perf_counter(), ProcessorClock()
        photos = self._decoder.frames(data, clock)
        decoded = time.perf_counter()
        readings = [self._read(photo, started, decoded, clock) for photo in photos]
        return max(readings, key=lambda reading: reading.faces[0].confidence if reading.faces else 0.0)

    def classify(self, faces: NDArray[np.uint8], head: Head = "shown") -> NDArray[np.float32]:
        """Return probabilities of uint8 grey crops `(n, 48, 48)` framed like FER2013; see `Classifier.classify`."""
        return self.classifier.classify(faces, head)

    def _read(
        self, photo: Photo, started: float, decoded: float, clock: ProcessorClock, *, everyone: bool = False
    ) -> Reading:
        found = self._detector.find_everyone(photo.pixels) if everyone else self._detector.find(photo.pixels)
        clock.check()
        detected = time.perf_counter()
        seen = [framings(photo.pixels, face) for face in found]
        classifier, emoji_map = self.classifier, self.emoji_map
        stacked = np.stack(seen) if seen else np.empty((0, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE), np.uint8)
        probabilities = classifier.classify_framings(stacked)
        closer = self._look_closer(photo, found)
        clock.check()
        classified = time.perf_counter()
        faces = tuple(
            _face(photo, face, Expression.of(tuple(row), face, landmarks), looked, emoji_map)
            for face, row, looked, landmarks in zip(found, probabilities.tolist(), seen, closer, strict=True)
        )
        times = (started, decoded, detected, classified, time.perf_counter())
        steps = (1000 * (end - start) for start, end in pairwise(times))
        return Reading(faces, classifier.card.version, Milliseconds(*steps))

    def _look_closer(self, photo: Photo, found: Sequence[Detection]) -> list[Landmarks | None]:
        """Return the landmarks of the first few faces, if they are wide enough; None for the others.

        found: the widest first.
        """
        wide = [face for face in found[:_CLOSER_LOOKS] if face.box.width >= _CLOSER_FROM]
        levels = halved(photo.pixels) if wide else []
        looks = [self._landmarker.find(levels, face) for face in wide]
        return [*looks, *[None] * (len(found) - len(looks))]


def _face(
    photo: Photo, found: Detection, expression: Expression, looked: NDArray[np.uint8], emoji_map: EmojiMap
) -> Face:
    box = Box(*(photo.scale * side for side in (found.box.x, found.box.y, found.box.width, found.box.height)))
    crop, ranking = register(photo.pixels, found), rank(emoji_map, expression)
    return Face(box, found.score, expression, ranking.emoji, crop, looked, math.degrees(found.roll))
