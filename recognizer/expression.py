"""The expression of one face: emotion probabilities, their intensity, and cues that the seven classes do not cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.cues import Cue, fine_cues, lips_gap, open_mouth, tilted_head
from recognizer.emotions import EMOTIONS
from recognizer.finding.face_geometry import Detection
from recognizer.finding.landmarks import Landmarks

_MESH_GAPS, _GAPS = (0.05, 0.2), (0.095, 0.384)
"""Lip gaps, over the distance between the outer eye corners, of a shut and of a wide open mouth: of the detector's
mesh, and of the landmarks, chosen so that as many of 6,604 training faces have a smaller one. Between a face and its
mirror image the mesh's gaps correlate with 0.90, the landmarks' with 0.96 (140 valid faces).
"""
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

        face: for the tilt of the head and, by its mesh, for the mouth. landmarks: for the mouth and the other cues.
        """
        mesh = None if face is None else face.mesh
        moved = 1 - probabilities[_NEUTRAL]
        cues = frozenset() if face is None else tilted_head(face)
        if landmarks is not None:
            gape, cues = _gape(landmarks.points, _GAPS), cues | fine_cues(landmarks, probabilities)
        elif mesh is not None:
            gape, cues = _gape(mesh, _MESH_GAPS), cues | open_mouth(mesh)
        else:
            gape = _PLAIN_GAPE
        return cls(probabilities, moved * (0.5 + 0.5 * gape), cues)

    def with_emotions(self, probabilities: tuple[float, ...]) -> "Expression":
        """Return the same mouth and cues with other emotion probabilities."""
        moved, moved_before = 1 - probabilities[_NEUTRAL], 1 - self.probabilities[_NEUTRAL]
        intensity = min(1.0, self.intensity * moved / max(moved_before, 1e-6))
        return Expression(probabilities, intensity, self.cues)


def _gape(points: NDArray[np.float32], gaps: tuple[float, float]) -> float:
    """Return the mouth opening, from 0 to 1; gaps: those of a shut and of a wide open mouth."""
    shut, wide = gaps
    return min(1.0, max(0.0, (lips_gap(points) - shut) / (wide - shut)))
