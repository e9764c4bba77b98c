"""The expression of one face: emotion probabilities, their intensity, and cues that the seven classes do not cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.cues import Cue, coarse_cues, fine_cues, lips_gap
from recognizer.emotions import EMOTIONS
from recognizer.face_geometry import Detection
from recognizer.landmarks import Landmarks

_GAPE_RANGE = (0.05, 0.2)
_NEUTRAL = EMOTIONS.index("neutral")
_PLAIN_GAPE = 0.3
"""Mouth opening assumed if there is no mesh. Set by hand so that a plain smile ranks 😄 first: non-neutral faces of the
training split have a mean of 0.19, half of them 0.
"""


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
    def of(
        cls, probabilities: tuple[float, ...], face: Detection | None = None, landmarks: Landmarks | None = None
    ) -> "Expression":
        """Build an expression from emotion probabilities and what else is known of the face.

        face: for the mouth opening and the cues of a detection. landmarks: for the finer cues.
        """
        gape = _PLAIN_GAPE if face is None or face.mesh is None else _gape(face.mesh)
        coarse = frozenset() if face is None else coarse_cues(face)
        fine = frozenset() if landmarks is None else fine_cues(landmarks, probabilities)
        moved = 1 - probabilities[_NEUTRAL]
        return cls(probabilities, moved * (0.5 + 0.5 * gape), coarse | fine)


def _gape(mesh: NDArray[np.float32]) -> float:
    """Return the mouth opening, from 0 to 1."""
    closed, wide = _GAPE_RANGE
    return min(1.0, max(0.0, (lips_gap(mesh) - closed) / (wide - closed)))
