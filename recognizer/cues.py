"""Cues: features of a face that the seven classes do not cover, each told only where it is clearly seen.

A cue speaks only if at least 54 of the 60 faces on which it is strongest show it, counted by eye on the sheets of
`python -m training cue-sheet`; `docs/emoji.md` has the counts, also of winks, kisses and puffed cheeks, which fail.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recognizer.emotions import EMOTIONS
from recognizer.finding.face_geometry import Detection
from recognizer.finding.landmarks import Landmarks

_NOSE_TIP, _INNER_LIPS, _OUTER_EYES = 1, (13, 14), (33, 263)
_EYES = (((33, 133), (160, 144), (159, 145), (158, 153)), ((263, 362), (387, 373), (386, 374), (385, 380)))
"""Indices into MediaPipe's points: the tip of the nose; the middle of each lip's inner edge; the outer corners of the
eyes; of the right and the left eye, its corners and three pairs of points on the upper and the lower lid.
"""
_MESH_OPEN_FROM = 0.13
"""Lip gap of the detector's mesh over the distance between the outer eye corners. Of 24 random training faces above
this value all show teeth or an open mouth; of 24 from 0.10 to 0.13 two do not (`docs/emoji.md`).
"""
_OPEN_FROM = 0.24
"""The same of the landmarks, which as many training faces reach (13 %). The mesh often sees shut lips in an open mouth.
"""
_TILTED_FROM = math.radians(20)
MOST_TURN = 0.3
"""Turn of the head from which the two sides of a face cannot be compared: what is seen is the pose."""
_WIDE_OPEN = 0.35
"""Openness that the wider eye of half of 6,604 training faces reaches."""
_CLOSED_LIPS = 0.1
"""Lip gap from which a smile counts as open."""
_HAPPY, _NEUTRAL = EMOTIONS.index("happy"), EMOTIONS.index("neutral")


class Cue(StrEnum):
    """A feature of a face that raises the rank of some emoji."""

    OPEN_MOUTH = "open_mouth"
    TILTED_HEAD = "tilted_head"
    CLOSED_EYES = "closed_eyes"
    RAISED_BROWS = "raised_brows"
    BROAD_SMILE = "broad_smile"
    SLIGHT_SMILE = "slight_smile"
    SIDE_GLANCE = "side_glance"


@dataclass(frozen=True)
class Rule:
    """When a cue is seen on a face with landmarks.

    strength: from the landmarks and the emotion probabilities, in the order of `EMOTIONS`, to a number from 0 to 1.
    least: the strength from which the cue speaks.
    """

    strength: Callable[[Landmarks, Sequence[float]], float]
    least: float


def lips_gap(points: NDArray[np.float32]) -> float:
    """Return the lip gap over the distance between the outer eye corners, from MediaPipe's points `(n, 2)`."""
    upper, lower, right_eye, left_eye = points[[*_INNER_LIPS, *_OUTER_EYES]].astype(np.float64)
    return math.dist(upper, lower) / max(math.dist(right_eye, left_eye), 1e-6)


def turn(points: NDArray[np.float32]) -> float:
    """Return how far the head is turned aside, from MediaPipe's points `(n, 2)`: 0 if the tip of the nose is midway
    between the outer corners of the eyes, 1 if it is level with one of them.
    """
    right, left = points[_OUTER_EYES[0]], points[_OUTER_EYES[1]]
    across = left - right
    along = float(np.dot(points[_NOSE_TIP] - right, across)) / max(float(np.dot(across, across)), 1e-6)
    return abs(2 * along - 1)


def openness(points: NDArray[np.float32]) -> tuple[float, float]:
    """Return the distance of the lids over the width of the right and the left eye, from MediaPipe's points `(n, 2)`.

    It is the eye aspect ratio of Soukupová and Čech 2016, with three pairs of points on the lids.
    """
    right, left = (_openness(points.astype(np.float64), *eye) for eye in _EYES)
    return right, left


def _openness(points: NDArray[np.float64], corners: tuple[int, int], *lids: tuple[int, int]) -> float:
    width = math.dist(*points[list(corners)])
    return sum(math.dist(*points[list(pair)]) for pair in lids) / len(lids) / max(width, 1e-6)


def tilted_head(face: Detection) -> frozenset[Cue]:
    """Return the cue of a tilted head, if the line through the eyes is tilted in an upright or rotated photo."""
    quarter = math.pi / 2
    tilt = face.roll - round(face.roll / quarter) * quarter  # a rotated photo is not a tilted head
    return frozenset({Cue.TILTED_HEAD}) if abs(tilt) >= _TILTED_FROM else frozenset()


def open_mouth(mesh: NDArray[np.float32]) -> frozenset[Cue]:
    """Return the cue of an open mouth, if the detector's mesh `(468, 2)` shows one: for a face without landmarks."""
    return frozenset({Cue.OPEN_MOUTH}) if lips_gap(mesh) >= _MESH_OPEN_FROM else frozenset()


def fine_cues(landmarks: Landmarks, probabilities: Sequence[float]) -> frozenset[Cue]:
    """Return the cues whose rule the landmarks meet. probabilities: in the order of `EMOTIONS`."""
    return frozenset(cue for cue, rule in RULES.items() if rule.strength(landmarks, probabilities) >= rule.least)


def _open_mouth(seen: Landmarks, _: Sequence[float]) -> float:
    return min(1.0, lips_gap(seen.points))


def _closed_eyes(seen: Landmarks, _: Sequence[float]) -> float:
    open_lids = max(openness(seen.points)) / _WIDE_OPEN
    return min(seen.both("eye_blink")) * max(0.0, 1 - open_lids)


def _raised_brows(seen: Landmarks, _: Sequence[float]) -> float:
    raised = min(seen.blendshape("brow_inner_up"), *seen.both("brow_outer_up"))
    return raised * _facing_with_open_eyes(seen)


def _broad_smile(seen: Landmarks, probabilities: Sequence[float]) -> float:
    teeth = (min(seen.both("mouth_upper_up")) + min(seen.both("mouth_lower_down"))) / 2
    return probabilities[_HAPPY] * min(seen.both("mouth_smile")) * teeth


def _slight_smile(seen: Landmarks, probabilities: Sequence[float]) -> float:
    friendly = probabilities[_HAPPY] + probabilities[_NEUTRAL]
    teeth = max(*seen.both("mouth_upper_up"), *seen.both("mouth_lower_down"))
    closed = max(0.0, 1 - lips_gap(seen.points) / _CLOSED_LIPS)
    return friendly * min(seen.both("mouth_smile")) * (1 - teeth) * closed


def _side_glance(seen: Landmarks, _: Sequence[float]) -> float:
    (out_left, out_right), (in_left, in_right) = seen.both("eye_look_out"), seen.both("eye_look_in")
    return max(min(out_left, in_right), min(out_right, in_left)) * _facing_with_open_eyes(seen)


def _facing_with_open_eyes(seen: Landmarks) -> float:
    """Return how open both eyes are, from 0 to 1; 0 for a turned head."""
    return 1 - max(seen.both("eye_blink")) if turn(seen.points) < MOST_TURN else 0.0


RULES: Mapping[Cue, Rule] = MappingProxyType(
    {
        Cue.OPEN_MOUTH: Rule(_open_mouth, _OPEN_FROM),
        Cue.CLOSED_EYES: Rule(_closed_eyes, 0.5),
        Cue.RAISED_BROWS: Rule(_raised_brows, 0.8),
        Cue.BROAD_SMILE: Rule(_broad_smile, 0.2),
        Cue.SLIGHT_SMILE: Rule(_slight_smile, 0.5),
        Cue.SIDE_GLANCE: Rule(_side_glance, 0.8),
    }
)
"""The rule of each cue that needs landmarks. The formulas and limits were chosen on training faces, by the same sheets
and by the faces just above each limit.
"""
