"""The expression of one face: emotion probabilities, their intensity, and cues that the seven classes do not cover."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognizer.emotions import EMOTIONS
from recognizer.face_geometry import Detection

_INNER_LIPS, _OUTER_EYES = (13, 14), (33, 263)
"""Indices into MediaPipe's canonical face mesh: the middle of each lip's inner edge; the outer corners of the eyes."""
_OPEN_FROM = 0.13
"""Lip gap over the distance between the outer eye corners. Of 24 random training faces above this value all show teeth
or an open mouth; of 24 from 0.10 to 0.13 two do not (`docs/emoji.md`).
"""
_GAPE_RANGE = (0.05, 0.2)
_TILTED_FROM = math.radians(20)
_NEUTRAL = EMOTIONS.index("neutral")
_PLAIN_GAPE = 0.3
"""Mouth opening assumed if there is no mesh. Set by hand so that a plain smile ranks 😄 first: non-neutral faces of the
training split have a mean of 0.19, half of them 0.
"""


class Cue(StrEnum):
    """A feature of a face that raises the rank of some emoji.

    Winks, closed eyes and kisses are left out. On 2,462 training faces the mesh's eyelids did not separate closed eyes
    from laughing eyes and turned heads well enough, and narrow mouths were astonished ones (`docs/emoji.md`).
    """

    OPEN_MOUTH = "open_mouth"
    TILTED_HEAD = "tilted_head"


@dataclass(frozen=True)
class Expression:
    """The expression of one face.

    probabilities: in the order of `EMOTIONS`, summing to 1. intensity: from 0 (a still face) to 1 (a laugh, a scream).
    cues: the features that were detected with confidence.
    """

    probabilities: tuple[float, ...]
    intensity: float
    cues: frozenset[Cue] = frozenset()

    @classmethod
    def of(cls, probabilities: tuple[float, ...], face: Detection | None = None) -> "Expression":
        """Build an expression from emotion probabilities and, for the mouth opening and cues, the detected face."""
        gape = _PLAIN_GAPE if face is None or face.mesh is None else _gape(face.mesh)
        cues = frozenset() if face is None else _cues(face)
        moved = 1 - probabilities[_NEUTRAL]
        return cls(probabilities, moved * (0.5 + 0.5 * gape), cues)


def lips_gap(mesh: NDArray[np.float32]) -> float:
    """Return the lip gap over the distance between the outer eye corners, from mesh points `(468, 2)`."""
    upper, lower, right_eye, left_eye = mesh[[*_INNER_LIPS, *_OUTER_EYES]].astype(np.float64)
    return math.dist(upper, lower) / max(math.dist(right_eye, left_eye), 1e-6)


def _gape(mesh: NDArray[np.float32]) -> float:
    """Return the mouth opening, from 0 to 1."""
    closed, wide = _GAPE_RANGE
    return min(1.0, max(0.0, (lips_gap(mesh) - closed) / (wide - closed)))


def _cues(face: Detection) -> frozenset[Cue]:
    seen = set()
    if face.mesh is not None and lips_gap(face.mesh) >= _OPEN_FROM:
        seen.add(Cue.OPEN_MOUTH)
    quarter = math.pi / 2
    tilt = face.roll - round(face.roll / quarter) * quarter  # a rotated photo is not a tilted head
    if abs(tilt) >= _TILTED_FROM:
        seen.add(Cue.TILTED_HEAD)
    return frozenset(seen)
