"""Keep what is shown of a live picture steady: where a face was, where it is now, and what its emotions become.

A face is looked for only where it was a moment ago; what one frame says is mixed into what was said before.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.face_geometry import (
    KEYPOINTS,
    SAME_FACE_OVERLAP,
    Box,
    Detection,
    overlap_with,
    rolled,
)
from recognizer.readings import Face

SEARCH_EVERY = 30
"""Frames after which the whole picture is searched again, to see who has come in."""
CLASSIFY_EVERY = 3
"""Frames after which a face is classified again, from one view; the views and framings take turns."""
LANDMARKS_EVERY = 12
"""Frames after which a face's mouth and cues are looked at again; never in the same frame as its emotions."""
_EMOTION_SHARE = 0.4
"""Share of a new classification: with one every third frame, three quarters of a change are seen after nine frames."""
_LEAST_BOX_SHARE = 0.35
_BOX_SHARE_A_WIDTH = 4.0
"""Share of a new box, and how it grows with the box's movement in widths: still faces do not tremble, moving ones are
not left behind (a simple form of the 1 Euro filter, Casiez et al. 2012, https://doi.org/10.1145/2207676.2208639).
"""


def candidate_of(face: Face, scale: float) -> Detection:
    """Return where a face is to be looked for in a frame whose pixels are `scale` original pixels wide."""
    box = Box(*(side / scale for side in (face.box.x, face.box.y, face.box.width, face.box.height)))
    bare = Detection(box, face.score, np.zeros((len(KEYPOINTS), 2), np.float32))
    return rolled(bare, math.radians(face.tilt_degrees))


def same_face(found: Detection, faces: Sequence[Face], scale: float) -> Face | None:
    """Return the face of the frame before that is the same as one found now; None if there is none."""
    overlaps = [overlap_with(found, [candidate_of(face, scale)]) for face in faces]
    best = int(np.argmax(overlaps)) if overlaps else 0
    return faces[best] if overlaps and overlaps[best] >= SAME_FACE_OVERLAP else None


def apart(pairs: Sequence[tuple[Face, Detection]]) -> list[tuple[Face, Detection]]:
    """Return the faces and where they are now, without those that are where one with a better look is."""
    kept: list[tuple[Face, Detection]] = []
    for face, look in sorted(pairs, key=lambda pair: pair[1].score, reverse=True):
        if overlap_with(look, [other for _, other in kept]) < SAME_FACE_OVERLAP:
            kept.append((face, look))
    return kept


def steadied_box(before: Box, now: Box) -> Box:
    """Return the box to be shown, between that of the frame before and that of now."""
    middle = [(box.x + box.width / 2, box.y + box.height / 2) for box in (before, now)]
    moved = max(math.dist(*middle), abs(now.width - before.width)) / max(before.width, 1.0)
    share = min(1.0, _LEAST_BOX_SHARE + _BOX_SHARE_A_WIDTH * moved)
    sides = zip((before.x, before.y, before.width, before.height), (now.x, now.y, now.width, now.height), strict=True)
    return Box(*(old + share * (new - old) for old, new in sides))


def steadied_emotions(before: Sequence[float], now: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the emotion probabilities to be shown, summing to 1: those of the frame before with some of now's."""
    mixed = (1 - _EMOTION_SHARE) * np.asarray(before, np.float64) + _EMOTION_SHARE * now
    return tuple((mixed / mixed.sum()).tolist())
