"""Where a face is in a photo: its box and key points, how they overlap, turn, and map from a view to the photo."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.views import level_for, scale_of, warp

KEYPOINTS = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")
"""BlazeFace's key points in their order; left and right are the person's own."""

MESH_MARGIN = 1.5
"""Width of the view that the face mesh looks at, in box widths."""
SAME_FACE_OVERLAP = 0.3
"""Overlap, as `overlaps_with_each` measures it, from which two boxes are taken for one face."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels: top left corner, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Detection:
    """A face: its box in pixels, a score from 0 to 1, and float32 key points `(6, 2)`, x and y in pixels, ordered as
    `KEYPOINTS`. Box and key points may reach beyond the photo.

    mesh: the face mesh's 468 points, float32 `(468, 2)`, x and y with the eyes level and 1 being `MESH_MARGIN` box
    widths; None before the second look.
    """

    box: Box
    score: float
    keypoints: NDArray[np.float32]
    mesh: NDArray[np.float32] | None = None

    @property
    def roll(self) -> float:
        """How far the line through the eyes is turned clockwise from level, in radians."""
        across = self.keypoints[1] - self.keypoints[0]
        return math.atan2(float(across[1]), float(across[0]))


def biggest_first(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces by the width of their boxes, the widest first."""
    return sorted(faces, key=lambda face: face.box.width, reverse=True)


def distinct(faces: Sequence[Detection]) -> list[Detection]:
    """The faces without those that overlap a surer one."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if overlap_with(face, kept) < SAME_FACE_OVERLAP:
            kept.append(face)
    return kept


def overlap_with(face: Detection, others: Sequence[Detection]) -> float:
    """The largest overlap of a face with any of the others, 0 to 1."""
    if not others:
        return 0.0
    return float(
        overlaps_with_each(np.array(_corners(face.box)), np.array([_corners(other.box) for other in others])).max()
    )


def overlaps_with_each(corners: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection of one rectangle with each of others, over the smaller area: a part of a face is the same face."""
    size = np.minimum(corners[2:], others[:, 2:]) - np.maximum(corners[:2], others[:, :2])
    shared = np.prod(np.maximum(size, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    smaller = np.minimum(np.prod(corners[2:] - corners[:2]), areas)
    overlaps: NDArray[np.floating] = shared / np.maximum(smaller, 1e-9)
    return overlaps


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height


def levelled_view(
    levels: Sequence[NDArray[np.uint8]], face: Detection, margin: float, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The face centred in a view of `side` pixels, `margin` times its box, its eyes level; and the affine map `(2, 3)`
    from the view to the photo."""
    scale = margin * face.box.width / side
    cos, sin = math.cos(face.roll) * scale, math.sin(face.roll) * scale
    x, y, half = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2, side / 2
    to_photo = np.array([[cos, -sin, x - cos * half + sin * half], [sin, cos, y - sin * half - cos * half]])
    level, reduced = level_for(levels, scale)
    to_level = to_photo / reduced
    to_level[:, 2] += 0.5 / reduced - 0.5
    return warp(level, to_level, side), to_photo


def in_photo(face: Detection, to_photo: NDArray[np.float64]) -> Detection:
    """A face found in a view, carried over to the photo; the box stays upright around the same centre."""
    linear, shift, scale = to_photo[:, :2], to_photo[:, 2], scale_of(to_photo)
    width, height = face.box.width * scale, face.box.height * scale
    x, y = linear @ (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2) + shift
    keypoints = (face.keypoints @ linear.T + shift).astype(np.float32)
    return Detection(Box(float(x - width / 2), float(y - height / 2), width, height), face.score, keypoints)


def turned_back(face: Detection, quarter_turns: int, width: int, height: int) -> Detection:
    """A face found in `np.rot90(photo, quarter_turns)`, in the coordinates of the photo (`width` x `height`)."""
    x, y = face.keypoints[:, 0], face.keypoints[:, 1]
    box, middle = face.box, (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2)
    match quarter_turns:
        case 0:
            return face
        case 1:
            points, centre = np.stack([width - 1 - y, x], axis=1), (width - 1 - middle[1], middle[0])
        case 2:
            points, centre = (
                np.stack([width - 1 - x, height - 1 - y], axis=1),
                (width - 1 - middle[0], height - 1 - middle[1]),
            )
        case _:
            points, centre = np.stack([y, height - 1 - x], axis=1), (middle[1], height - 1 - middle[0])
    turned = Box(centre[0] - box.width / 2, centre[1] - box.height / 2, box.width, box.height)
    return Detection(turned, face.score, points.astype(np.float32))
