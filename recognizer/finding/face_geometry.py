"""Geometry of detected faces: boxes and key points, their overlap and roll, and maps between a view and the photo.

Searching for faces is left to `recognizer.finding.detection`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.views import level_for, scale_of, warp

KEYPOINTS = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")
"""BlazeFace's key points in output order. Left and right are the person's own."""

MESH_MARGIN = 1.5
"""Width of the face mesh's input view, in box widths."""
SAME_FACE_OVERLAP = 0.3
"""Overlap, as computed by `overlaps_with_each`, from which two boxes count as the same face."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels: top left corner, width, height."""

    x: float
    y: float
    width: float
    height: float

    def scaled(self, factor: float) -> "Box":
        """Return the same rectangle in pixels of a picture that is `factor` times as wide."""
        return Box(factor * self.x, factor * self.y, factor * self.width, factor * self.height)

    def shares_of(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return left, top, width and height as shares of a picture's width and height in pixels."""
        return (self.x / width, self.y / height, self.width / width, self.height / height)


@dataclass(frozen=True, eq=False)
class Detection:
    """A detected face, in pixels of the photo or of the view it was found in.

    box: its bounding box. score: confidence, from 0 to 1. keypoints: float32 `(6, 2)`, x and y in pixels, ordered as
    `KEYPOINTS`. Box and key points may reach beyond the photo. mesh: the 468 points of the face mesh, float32
    `(468, 2)`, x and y in a view with level eyes where 1 is `MESH_MARGIN` box widths; None where the verification did
    not need it.
    """

    box: Box
    score: float
    keypoints: NDArray[np.float32]
    mesh: NDArray[np.float32] | None = None

    @property
    def roll(self) -> float:
        """Return the clockwise angle of the line through the eyes from level, in radians."""
        across = self.keypoints[1] - self.keypoints[0]
        return math.atan2(float(across[1]), float(across[0]))


def rolled(face: Detection, roll: float) -> Detection:
    """Return a candidate with its box and key points that have nothing but a roll, in radians clockwise."""
    centre = np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2])
    eyes = 0.2 * face.box.width * np.array([math.cos(roll), math.sin(roll)])
    keypoints = np.stack([centre - eyes, centre + eyes, *[centre] * (len(KEYPOINTS) - 2)])
    return Detection(face.box, face.score, keypoints.astype(np.float32))


def biggest_first(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces sorted by the width of their boxes, the widest first."""
    return sorted(faces, key=lambda face: face.box.width, reverse=True)


def distinct(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces without those that overlap a face with a higher score, the highest score first."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if overlap_with(face, kept) < SAME_FACE_OVERLAP:
            kept.append(face)
    return kept


def overlap_with(face: Detection, others: Sequence[Detection]) -> float:
    """Return the largest overlap of a face with any of the others, from 0 to 1; 0 if there are no others."""
    return max((_overlap(face.box, other.box) for other in others), default=0.0)


def overlaps_with_each(corners: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return one rectangle's overlap with each of `n` others, `(n,)`, from 0 to 1.

    corners: `(4,)`, left, top, right, bottom; others: `(n, 4)`. The overlap is the intersection over the smaller area,
    so a part of a face counts as the same face.
    """
    size = np.minimum(corners[2:], others[:, 2:]) - np.maximum(corners[:2], others[:, :2])
    shared = np.prod(np.maximum(size, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    smaller = np.minimum(np.prod(corners[2:] - corners[:2]), areas)
    overlaps: NDArray[np.floating] = shared / np.maximum(smaller, 1e-9)
    return overlaps


def _overlap(one: Box, other: Box) -> float:
    """Return what `overlaps_with_each` does, of two boxes; of few, this takes a tenth of the time."""
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    tall = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(0.0, wide) * max(0.0, tall) / max(smaller, 1e-9)


def levelled_view(
    levels: Sequence[NDArray[np.uint8]], face: Detection, margin: float, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a square view centred on the face with its eyes level, and the affine map `(2, 3)` from the view to the
    photo.

    levels: the photo at decreasing sizes, see `views.halved`. margin: the view's width in box widths. side: the view's
    width in pixels.
    """
    scale = margin * face.box.width / side
    cos, sin = math.cos(face.roll) * scale, math.sin(face.roll) * scale
    x, y, half = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2, side / 2
    to_photo = np.array([[cos, -sin, x - cos * half + sin * half], [sin, cos, y - sin * half - cos * half]])
    level, reduced = level_for(levels, scale)
    to_level = to_photo / reduced
    to_level[:, 2] += 0.5 / reduced - 0.5
    return warp(level, to_level, side), to_photo


def mapped_to_photo(face: Detection, to_photo: NDArray[np.float64]) -> Detection:
    """Return a face found in a view in the photo's coordinates. Its box stays upright around the mapped centre.

    to_photo: the affine map `(2, 3)` from the view to the photo.
    """
    linear, shift, scale = to_photo[:, :2], to_photo[:, 2], scale_of(to_photo)
    width, height = face.box.width * scale, face.box.height * scale
    x, y = linear @ (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2) + shift
    keypoints = (face.keypoints @ linear.T + shift).astype(np.float32)
    return Detection(Box(float(x - width / 2), float(y - height / 2), width, height), face.score, keypoints)
