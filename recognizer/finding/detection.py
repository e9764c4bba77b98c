"""Find faces in a photo: look at the whole, and only if that shows no big face, search for all.

BlazeFace's short-range network sees a face that is the subject of the photo in one look at the whole. For smaller,
turned or several faces a small network proposes places (`proposals`), and every candidate is verified on a centred,
levelled view (`verification`). Boxes, key points and their mapping between views and the photo are in `face_geometry`.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.checksums import read_sound
from recognizer.clock import ProcessorClock
from recognizer.finding.blazeface import VIEW, BlazeFace
from recognizer.finding.face_geometry import SAME_FACE_OVERLAP, Detection, biggest_first, distinct, overlap_with, rolled
from recognizer.finding.proposals import ProposalNetwork
from recognizer.finding.verification import LEAST_SCORE, TURNS, Verifier
from recognizer.finding.views import halved, shrunk
from recognizer.runtime import FACE_MODELS, TfliteModel

PROPOSALS_FILE = "face_proposals.tflite"
"""The network of this project among the models for faces; the others are MediaPipe's."""
_PROPOSAL_SCORE = 0.15
"""Minimum score of a place that is looked at."""
_TURNED_LOOKS = 8
"""Number of places that are looked at in the other three orientations if no sure face is upright."""
_MOST_UPRIGHT_ROLL, _TURNED_SCORE = math.radians(50), 0.93
"""Minimum score of a face that is not upright: there are three times as many ways to see one where there is none."""
_REPORTED_SCORE = 0.45
"""Minimum score of a face that is reported: with it two of 200 pictures without a face get one."""
_SURE_SCORE = 0.9
_BESIDE_SURE_SCORE = 0.95
"""Minimum score of a face beside a confident one. A doubtful face is worth reporting only if it is all there is."""
_EVERYONE_SCORE = 0.7
"""Minimum score of a face to be covered beside another in a picture that will be shared; where no face is reported, all
that might be one are covered.
"""
_BIG_FACE = 0.25
_DARK_BELOW = 140
_BRIGHT = 220
_MOST_GAIN = 6.0


class DetectorError(Exception):
    """The models for faces cannot be loaded; the message names the file to restore."""


Loaded = TypeVar("Loaded")


def load_face_model(path: Path, kind: Callable[[bytes], Loaded]) -> Loaded:
    """Load one of the models for faces as `kind`, which takes the bytes of its file. Raise `DetectorError` if it is
    missing or damaged.
    """
    try:
        return kind(read_sound(path))
    except (OSError, ValueError) as error:
        raise DetectorError(f"{path} is missing or damaged: restore it from the repository.") from error


class FaceDetector:
    """Finds faces in photos. It may be called from several threads at once.

    All methods take RGB uint8 photos `(height, width, 3)` and the clock of the photo, and raise `PhotoError` with the
    code `took_too_long` once its time is over.
    """

    def __init__(self, blazeface: BlazeFace, proposals: ProposalNetwork, verifier: Verifier) -> None:
        self._blazeface = blazeface
        self._proposals = proposals
        self.verifier = verifier

    @classmethod
    def load(cls, folder: Path = FACE_MODELS) -> Self:
        """Load the networks from the folder of models for faces. Raise `DetectorError`."""
        blazeface = BlazeFace(load_face_model(folder / "face_detection_short_range.tflite", TfliteModel))
        proposals = load_face_model(folder / PROPOSALS_FILE, ProposalNetwork)
        mesh = load_face_model(folder / "face_landmark.tflite", TfliteModel)
        return cls(blazeface, proposals, Verifier(blazeface, mesh, proposals))

    def find(self, photo: NDArray[np.uint8], clock: ProcessorClock | None = None) -> list[Detection]:
        """Return the faces in a photo, the widest first."""
        clock = clock or ProcessorClock()
        return self.find_portrait(photo, clock) or self.search(photo, clock)

    def find_portrait(self, photo: NDArray[np.uint8], clock: ProcessorClock) -> list[Detection]:
        """Return the faces in a photo, the widest first, if one is big enough to be its subject; otherwise nothing.

        A long side of 320 pixels is enough.
        """
        bright = _brightened(photo)
        levels = halved(bright)
        faces = self._verified(levels, self._look_at_whole(levels[-1], photo.shape[1] / levels[-1].shape[1]), clock)
        return _worth_reporting(faces) if _is_portrait(faces, photo) else []

    def search(self, photo: NDArray[np.uint8], clock: ProcessorClock) -> list[Detection]:
        """Return the faces in a photo, the widest first, wherever they are."""
        return _worth_reporting(self._everywhere(photo, clock))

    def find_everyone(self, photo: NDArray[np.uint8], clock: ProcessorClock | None = None) -> list[Detection]:
        """Return the faces of `find` in its order, followed by all smaller or doubtful faces.

        Meant for covering faces, where a false detection is better than a missed face.
        """
        clock = clock or ProcessorClock()
        portrait = self.find_portrait(photo, clock)
        everyone = self._everywhere(photo, clock)
        known = portrait or _worth_reporting(everyone)
        least = _EVERYONE_SCORE if known else LEAST_SCORE
        more = [face for face in everyone if face.score >= least and overlap_with(face, known) < SAME_FACE_OVERLAP]
        return known + biggest_first(more)

    def _everywhere(self, photo: NDArray[np.uint8], clock: ProcessorClock) -> list[Detection]:
        """Return all faces, also doubtful ones: upright ones first, and turned ones where there is no sure one."""
        bright = _brightened(photo)
        levels = halved(bright)
        whole = self._look_at_whole(levels[-1], photo.shape[1] / levels[-1].shape[1])
        proposed = [each.as_detection() for each in self._proposals.propose(bright, _PROPOSAL_SCORE)]
        faces = self._verified(levels, [*whole, *proposed], clock)
        if any(face.score >= _SURE_SCORE for face in faces):
            return faces
        left = [each for each in [*whole, *proposed] if overlap_with(each, faces) < SAME_FACE_OVERLAP]
        turned = [rolled(each, each.roll + turn) for each in left[:_TURNED_LOOKS] for turn in TURNS]
        return distinct([*faces, *self._verified(levels, turned, clock)])

    def _look_at_whole(self, photo: NDArray[np.uint8], scale: float) -> list[Detection]:
        """Search a photo in one look; `scale` is the width of its pixels in pixels of the result."""
        factor = VIEW / max(photo.shape[:2])
        small = shrunk(photo, factor)
        view = np.zeros((VIEW, VIEW, 3), np.uint8)
        view[: small.shape[0], : small.shape[1]] = small
        return self._blazeface.look(view, scale=scale / factor)

    def _verified(
        self, levels: Sequence[NDArray[np.uint8]], candidates: Iterable[Detection], clock: ProcessorClock
    ) -> list[Detection]:
        """Return the candidates that are faces, without those that overlap one with a higher score."""
        faces: list[Detection] = []
        for candidate in candidates:
            sure = [face for face in faces if face.score >= _SURE_SCORE]
            if overlap_with(candidate, sure) >= SAME_FACE_OVERLAP:
                continue
            clock.check()
            face = self.verifier.verified(levels, candidate)
            if face is not None and (abs(face.roll) < _MOST_UPRIGHT_ROLL or face.score >= _TURNED_SCORE):
                faces = distinct([*faces, face])
        return faces


def _worth_reporting(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces worth reporting, the widest first. Doubtful faces are dropped beside a confident one."""
    best = max((face.score for face in faces), default=0.0)
    least = min(best, _BESIDE_SURE_SCORE) if best >= _SURE_SCORE else _REPORTED_SCORE
    return biggest_first([face for face in faces if face.score >= least])


def _is_portrait(faces: Sequence[Detection], photo: NDArray[np.uint8]) -> bool:
    """Check whether a confident face is big enough to be the subject of the photo."""
    big = _BIG_FACE * min(photo.shape[:2])
    return any(face.score >= _SURE_SCORE and face.box.width >= big for face in faces)


def _brightened(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a dark photo so that its bright parts reach full brightness; return other photos unchanged."""
    light = float(np.percentile(photo[::16, ::16], 99)) if photo.size else 255.0
    if light >= _DARK_BELOW:
        return photo
    return cv2.convertScaleAbs(photo, alpha=min(_MOST_GAIN, _BRIGHT / max(light, 1.0))).astype(np.uint8, copy=False)
