"""What is seen of one face: emotions, how strong they are, and cues that the seven classes do not carry."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognizer.emotions import EMOTIONS
from recognizer.face_geometry import Detection

_INNER_LIPS, _OUTER_EYES = (13, 14), (33, 263)
"""Points of MediaPipe's canonical face mesh: middle of both lips' inner edges; outer corners of the eyes."""
_OPEN_FROM = 0.13
"""Gap of the lips over the distance of the eyes' outer corners; of 24 random training faces above it all show the teeth
or an open mouth, of 24 from 0.10 to 0.13 two do not (`docs/emoji.md`)."""
_GAPE_RANGE = (0.05, 0.2)
_TILTED_FROM = math.radians(20)
_NEUTRAL = EMOTIONS.index("neutral")
_PLAIN_GAPE = 0.3
"""How far a mouth counts as open where no mesh was seen. Set by hand, so that a plain smile is 😄: faces of the
training split that are not neutral have 0.19 in the mean, half of them 0."""


class Cue(StrEnum):
    """Something seen in a face that speaks for some emoji.

    Winks, closed eyes and kisses are not among them: on 2,462 training faces the mesh's eyelids told laughing eyes and
    turned heads from closed ones too badly, and narrow mouths were astonished ones (`docs/emoji.md`).
    """

    OPEN_MOUTH = "open_mouth"
    TILTED_HEAD = "tilted_head"


@dataclass(frozen=True)
class Expression:
    """One face's expression.

    probabilities: in the order of `EMOTIONS`, summing to 1. intensity: from 0 (a still face) to 1 (a laugh, a scream).
    cues: what else is surely seen.
    """

    probabilities: tuple[float, ...]
    intensity: float
    cues: frozenset[Cue] = frozenset()

    @classmethod
    def of(cls, probabilities: tuple[float, ...], face: Detection | None = None) -> "Expression":
        """The expression of a face with these emotions; without `face` nothing but these is known of it."""
        gape = _PLAIN_GAPE if face is None or face.mesh is None else _gape(face.mesh)
        cues = frozenset() if face is None else _cues(face)
        moved = 1 - probabilities[_NEUTRAL]
        return cls(probabilities, moved * (0.5 + 0.5 * gape), cues)


def lips_gap(mesh: NDArray[np.float32]) -> float:
    """The gap between the lips over the distance of the eyes' outer corners, of mesh points `(468, 2)`."""
    upper, lower, right_eye, left_eye = mesh[[*_INNER_LIPS, *_OUTER_EYES]].astype(np.float64)
    return math.dist(upper, lower) / max(math.dist(right_eye, left_eye), 1e-6)


def _gape(mesh: NDArray[np.float32]) -> float:
    """How far the mouth is open, from 0 to 1."""
    closed, wide = _GAPE_RANGE
    return min(1.0, max(0.0, (lips_gap(mesh) - closed) / (wide - closed)))


def _cues(face: Detection) -> frozenset[Cue]:
    seen = set()
    if face.mesh is not None and lips_gap(face.mesh) >= _OPEN_FROM:
        seen.add(Cue.OPEN_MOUTH)
    quarter = math.pi / 2
    tilt = face.roll - round(face.roll / quarter) * quarter  # a photo that lies on its side is no tilted head
    if abs(tilt) >= _TILTED_FROM:
        seen.add(Cue.TILTED_HEAD)
    return frozenset(seen)
