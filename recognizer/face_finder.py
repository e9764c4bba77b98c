"""Find the faces in a picture and crop them for the classifier, with no more pixels than that needs."""

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recognizer.clock import ProcessorClock
from recognizer.decoding.clip import is_clip
from recognizer.decoding.photo import Photo
from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import Detection
from recognizer.finding.landmarks import Landmarker, Landmarks
from recognizer.finding.registration import framings, register
from recognizer.finding.views import halved
from recognizer.readings import Stopwatch
from recognizer.scenes import MOST_FACES, Scene, SeenFace

ENOUGH = 64
"""Width of a face's box, in pixels of the photo, from which its landmarks are found, and from which a finer photo would
not be read better.
"""
_CLOSER_LOOKS = 2
"""Number of faces, the widest first, whose landmarks are found: each takes as long as four views of the detector."""


class PictureDecoder(Protocol):
    """Decodes pictures and clips as `recognizer.decoding` does."""

    def decode(self, data: bytes, clock: ProcessorClock) -> Photo:
        """Return the picture as `photo.decode` does. Raise `PhotoError`."""

    def glance(self, data: bytes, clock: ProcessorClock) -> Photo:
        """Return the picture as `photo.glance` does. Raise `PhotoError`."""

    def frames(self, data: bytes, clock: ProcessorClock) -> list[Photo]:
        """Return frames of a clip as `clip.frames` does. Raise `PhotoError`."""


class FaceFinder:
    """Finds faces. It may be called from several threads at once.

    detector: finds where they are.
    """

    def __init__(self, detector: FaceDetector, landmarker: Landmarker) -> None:
        self.detector = detector
        self._landmarker = landmarker

    @classmethod
    def load(cls) -> Self:
        """Load the networks that came with the software. Raise `DetectorError`."""
        return cls(FaceDetector.load(), Landmarker.load())

    def scenes(self, data: bytes, decoder: PictureDecoder, clock: ProcessorClock) -> list[Scene]:
        """Return what is seen in a picture, or in a few moments of a clip: at most `MOST_FACES` of each.

        A JPEG is first decoded to no more than a face that is its subject needs, and wholly only if there is none.
        Raise `PhotoError`.
        """
        watch = Stopwatch()
        if not is_clip(data):
            photo, found = self._found(data, decoder, watch, clock)
            return [self._scene(photo, found, watch, clock)]
        with watch.step("decode"):
            photos = decoder.frames(data, clock)
        return [
            self.scene_in(photo, watch if number == 0 else Stopwatch(), clock) for number, photo in enumerate(photos)
        ]

    def scene_in(self, photo: Photo, watch: Stopwatch, clock: ProcessorClock) -> Scene:
        """Return what is seen in a decoded photo, at most `MOST_FACES`. watch: what its decoding took.

        Raise `PhotoError` if it takes too long.
        """
        with watch.step("detect"):
            found = self.detector.find(photo.pixels, clock)
        return self._scene(photo, found[:MOST_FACES], watch, clock)

    def everyone_in(self, photo: Photo, watch: Stopwatch, clock: ProcessorClock) -> Scene:
        """Return what `scene_in` does, followed by all smaller or doubtful faces. Raise as it does."""
        with watch.step("detect"):
            found = self.detector.find_everyone(photo.pixels, clock)
        return self._scene(photo, found, watch, clock)

    def closer_look(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> tuple[Detection, Landmarks | None]:
        """Return a verified face and its landmarks, or with its mesh and without them if it is too small for them.

        levels: the RGB photo at decreasing sizes, see `recognizer.finding.views.halved`.
        """
        if face.box.width >= ENOUGH:
            return face, self._landmarker.find(levels, face)
        return self.detector.verifier.meshed(levels, face), None

    def _found(
        self, data: bytes, decoder: PictureDecoder, watch: Stopwatch, clock: ProcessorClock
    ) -> tuple[Photo, list[Detection]]:
        """Return a picture, as finely as its faces need, and the faces in it."""
        with watch.step("decode"):
            photo = decoder.glance(data, clock)
        with watch.step("detect"):
            found = self.detector.find_portrait(photo.pixels, clock)
        if photo.is_reduced and (not found or found[0].box.width < ENOUGH):
            with watch.step("decode"):
                photo = decoder.decode(data, clock)
            with watch.step("detect"):
                found = self.detector.find_portrait(photo.pixels, clock) if found else []
        if not found:
            with watch.step("detect"):
                found = self.detector.search(photo.pixels, clock)
        return photo, found[:MOST_FACES]

    def _scene(self, photo: Photo, found: Sequence[Detection], watch: Stopwatch, clock: ProcessorClock) -> Scene:
        """Crop the faces that were found, given the widest first, and look closer at the first few."""
        with watch.step("classify"):
            levels = halved(photo.pixels) if found else []
            faces = []
            for place, face in enumerate(found):
                clock.check()
                if place < _CLOSER_LOOKS:
                    looked, landmarks = self.closer_look(levels, face)
                else:
                    looked, landmarks = self.detector.verifier.meshed(levels, face), None
                crops = register(photo.pixels, face), framings(photo.pixels, face)
                faces.append(SeenFace(looked, landmarks, *crops))
        return Scene(tuple(faces), *original_size(photo), photo.scale, watch.ms)


def original_size(photo: Photo) -> tuple[int, int]:
    """Return the width and height of the upright original in pixels."""
    height, width = photo.pixels.shape[:2]
    return round(photo.scale * width), round(photo.scale * height)
