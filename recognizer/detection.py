"""Find faces in a photo with BlazeFace (Bazarevsky et al. 2019, https://arxiv.org/abs/1907.05047), through LiteRT.

The short-range network detects faces that fill 0.3 to 1 of its 128x128 input. The search is therefore coarse to fine:
the whole photo, the photo in the other three orientations, then overlapping tiles of two sizes. It stops early once it
has found a big face. Every candidate is verified on a centred, levelled crop: a second BlazeFace pass refines the key
points, and MediaPipe's face mesh (Kartynnik et al. 2019, https://arxiv.org/abs/1907.06724) helps to reject false
detections. Boxes, key points and their mapping between views and the photo are in `recognizer.face_geometry`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.face_geometry import (
    MESH_MARGIN,
    SAME_FACE_OVERLAP,
    Box,
    Detection,
    biggest_first,
    distinct,
    levelled_view,
    mapped_to_photo,
    overlap_with,
    overlaps_with_each,
    rotated_back,
)
from recognizer.runtime import FACE_MODELS, TfliteModel
from recognizer.views import halved, level_for, scale_of, shrunk

_VIEW = 128
_FIRST_LOOK_SCORE = 0.45
_SECOND_LOOK_SCORE = 0.3
_SECOND_LOOK_MARGIN = 1.8
_UPRIGHT_LOOK_SCORE = 0.82
"""Of 200 valid faces, 96 % score less than this in every wrong orientation, and 80 % score more in the right one."""
_TURNED_SHARE = 0.12
"""Share of the photo's short side from which a face is verified in all four orientations. A face first found turned is
always verified so; a smaller upright one only as it stands. With this value 0.4 % of upright valid faces (180 to 310 px
wide in a 1280x960 photo) come out upside down, and 0.4 % of faces 240 px wide in photos that are upside down come out
wrong. At 0.2, and without checking faces first found turned, these were 2.0 and 20.6 %.
"""
_DOUBT_MARGINS = (1.35, 2.4)
_MESH_VIEW = 192
_MESH_POINTS = 468
_MOST_MESH_LOGIT = 8.0
FACE_WEIGHTS, FACE_BIAS = (0.56, 0.26, 1.40), 1.60
"""Weights of the four BlazeFace logits' sum, of the two mesh logits' sum, and of the logarithm of the face's share of
the short side. They come from a logistic regression over all candidates of all search levels in scenes of valid-split
faces; the bias was then lowered by 0.5 to reject more false faces. `python -m training face-check` fits the same three
weights to the fewer candidates that a real search meets.
"""
_MOST_SHARE = 0.6
_LEAST_SCORE = 0.33
_SURE_SCORE = 0.9
_BESIDE_SURE_SCORE = 0.95
"""Minimum score of a face beside a confident one. A doubtful face is worth reporting only if it is all there is."""
_EVERYONE_SCORE = 0.7
"""Minimum score of a face to be covered in a picture that will be shared."""
_LEAST_WIDTH = 34
"""In pixels; a smaller face has less than half of the detail that the classifier was trained on."""
_BIG_FACE = 0.25
_DARK_BELOW = 140
_BRIGHT = 220
_MOST_GAIN = 6.0


class DetectorError(Exception):
    """The models for faces cannot be loaded; the message names the file to restore."""


def load_face_model(path: Path) -> TfliteModel:
    """Load one of MediaPipe's models. Raise `DetectorError` if the file is missing or damaged."""
    try:
        return TfliteModel.from_file(path)
    except (OSError, ValueError) as error:
        raise DetectorError(f"{path} is missing or damaged: restore it from the repository.") from error


@dataclass(frozen=True)
class _Grid:
    """Square tiles of `side` times the photo's short side. Neighbours overlap by at least `overlap` of a tile."""

    side: float
    overlap: float

    def corners(self, width: int, height: int) -> Iterator[tuple[int, int]]:
        """Yield the tiles' top left corners in a picture scaled so that a tile is `_VIEW` pixels wide."""
        step = _VIEW * (1 - self.overlap)
        for y in _starts(height, step):
            for x in _starts(width, step):
                yield x, y


_COARSE = _Grid(side=0.6, overlap=0.38)
_FINE = _Grid(side=1 / 3, overlap=0.25)


class FaceDetector:
    """Finds faces in photos. It may be called from several threads at once."""

    def __init__(self, network: TfliteModel, mesh: TfliteModel) -> None:
        self._network = network
        self._mesh = mesh
        self._anchors = _anchors()

    @classmethod
    def load(cls, folder: Path = FACE_MODELS) -> Self:
        """Load the networks from a folder of MediaPipe's models. Raise `DetectorError`."""
        names = ("face_detection_short_range.tflite", "face_landmark.tflite")
        return cls(*(load_face_model(folder / name) for name in names))

    def find(self, photo: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces in an RGB uint8 photo `(height, width, 3)`, the widest first."""
        return _worth_reporting(self._find_coarse_to_fine(_brightened(photo)))

    def find_everyone(self, photo: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces of `find` in its order, followed by all smaller or doubtful faces.

        Meant for covering faces, where a false detection is better than a missed face. Always searches all tiles, so it
        takes as long as a photo of a crowd.
        """
        bright = _brightened(photo)
        first = self._find_coarse_to_fine(bright)
        levels, known = halved(bright), _worth_reporting(first)
        tiles = [face for grid in (_COARSE, _FINE) for face in self._look_at_tiles(levels, grid)]
        more = [
            face
            for face in self._second_look(levels, tiles, first)
            if face.score >= _EVERYONE_SCORE and overlap_with(face, known) < SAME_FACE_OVERLAP
        ]
        return known + biggest_first(more)

    def _find_coarse_to_fine(self, photo: NDArray[np.uint8]) -> list[Detection]:
        levels = halved(photo)
        height, width = photo.shape[:2]
        scale = max(width, height) / _VIEW
        small = shrunk(levels[-1], _VIEW / max(levels[-1].shape[:2]))
        faces = self._second_look(levels, self._look_at_whole(small, scale))
        if _is_portrait(faces, photo):
            return faces
        turned = [
            rotated_back(face, quarter_turns, width, height)
            for quarter_turns in (1, 2, 3)
            for face in self._look_at_whole(np.rot90(small, quarter_turns), scale)
        ]
        faces = self._second_look(levels, turned, faces)
        if _is_portrait(faces, photo):
            return faces
        for grid in (_COARSE, _FINE):
            faces = self._second_look(levels, self._look_at_tiles(levels, grid), faces)
        return faces

    def _look_at_whole(self, small: NDArray[np.uint8], scale: float) -> list[Detection]:
        """Search the whole photo. `small` is the photo with a long side of 128 pixels, each `scale` photo pixels
        wide.
        """
        view = np.zeros((_VIEW, _VIEW, 3), np.uint8)
        view[: small.shape[0], : small.shape[1]] = small
        return self._look(view, (0.0, 0.0), scale)

    def _look_at_tiles(self, levels: Sequence[NDArray[np.uint8]], grid: _Grid) -> list[Detection]:
        scale = grid.side * min(levels[0].shape[:2]) / _VIEW
        picture, reduced = level_for(levels, scale)
        level = shrunk(picture, reduced / scale)
        found = []
        for x, y in grid.corners(level.shape[1], level.shape[0]):
            tile = np.zeros((_VIEW, _VIEW, 3), np.uint8)
            part = level[y : y + _VIEW, x : x + _VIEW]
            tile[: part.shape[0], : part.shape[1]] = part
            found += self._look(tile, (x * scale, y * scale), scale)
        return found

    def _second_look(
        self, levels: Sequence[NDArray[np.uint8]], found: Sequence[Detection], known: Sequence[Detection] = ()
    ) -> list[Detection]:
        """Verify each candidate on a centred, levelled crop, scaled to the size that the network detects best.

        Return the confirmed candidates and the `known` faces, without faces that overlap one with a higher score.
        """
        faces = list(known)
        for face in sorted(found, key=lambda face: face.score, reverse=True):
            if overlap_with(face, faces) >= SAME_FACE_OVERLAP:
                continue
            sharper = self._look_again(levels, face)
            if sharper is not None:
                faces = distinct([*faces, sharper])
        return faces

    def _look_again(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> Detection | None:
        view, to_photo = levelled_view(levels, face, _SECOND_LOOK_MARGIN, _VIEW)
        is_upright = abs(face.roll) < math.pi / 4
        is_big = face.box.width >= _TURNED_SHARE * min(levels[0].shape[:2])
        if is_big or not is_upright:
            again, turns = self._best_turn(view, _UPRIGHT_LOOK_SCORE if is_upright else 1.0)
        else:
            again, turns = self._best(view), 0
        if again is None or again.score < _SECOND_LOOK_SCORE or again.box.width * scale_of(to_photo) < _LEAST_WIDTH:
            return None
        mirrored = self._best(np.rot90(view, turns)[:, ::-1])
        sharper = mapped_to_photo(rotated_back(again, turns, _VIEW, _VIEW), to_photo)
        mesh, mesh_logit = self._mesh_look(_mesh_view(levels, sharper))
        looks = [again.score, mirrored.score if mirrored else 0.0]
        evidence = self._evidence(levels, sharper, looks, mesh_logit)
        score = 1 / (1 + math.exp(-float(np.dot(FACE_WEIGHTS, evidence)) - FACE_BIAS))
        return replace(sharper, score=score, mesh=mesh) if score >= _LEAST_SCORE else None

    def _evidence(
        self, levels: Sequence[NDArray[np.uint8]], face: Detection, looks: Sequence[float], mesh_logit: float
    ) -> tuple[float, float, float]:
        """Return the three inputs of the face score: the sum of four BlazeFace logits, the sum of two mesh logits, and
        the logarithm of the face's share of the short side.

        In clear cases the two looks and the mesh logit are counted twice. Otherwise two more looks, one nearer and one
        farther, and the mesh on the mirrored face are run.
        """
        meshes = [mesh_logit] * 2
        scores = [*looks, *looks]
        if min(looks) < _UPRIGHT_LOOK_SCORE or meshes[0] < _MOST_MESH_LOGIT:
            nearer_and_farther = (levelled_view(levels, face, margin, _VIEW)[0] for margin in _DOUBT_MARGINS)
            more = [self._best(view) for view in nearer_and_farther]
            scores = [*looks, *(look.score if look else 0.0 for look in more)]
            _, meshes[1] = self._mesh_look(_mesh_view(levels, face)[:, ::-1])
        share = math.log(min(_MOST_SHARE, face.box.width / min(levels[0].shape[:2])))
        return sum(map(_logit, scores)), sum(meshes), share

    def _mesh_look(self, view: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """Return the mesh points, float32 `(468, 2)`, in a 192x192 view, and the mesh's face logit, clipped to -8 to
        8.
        """
        outputs = self._mesh.run(view[None].astype(np.float32) / np.float32(255))
        by_size = {output.size: output for output in outputs.values()}
        points = by_size[_MESH_POINTS * 3].reshape(_MESH_POINTS, 3)[:, :2] / np.float32(_MESH_VIEW)
        return points, max(-_MOST_MESH_LOGIT, min(_MOST_MESH_LOGIT, float(by_size[1].item())))

    def _best_turn(self, view: NDArray[np.uint8], enough: float) -> tuple[Detection | None, int]:
        """Return the best face in `np.rot90(view, turns)` and the number of quarter turns.

        Stop trying orientations once a face scores at least `enough`.
        """
        best, best_turns = self._best(view), 0
        for turns in (2, 1, 3):
            if best is None or best.score >= enough:
                break
            look = self._best(np.rot90(view, turns))
            if look is not None and look.score > best.score:
                best, best_turns = look, turns
        return best, best_turns

    def _best(self, view: NDArray[np.uint8]) -> Detection | None:
        return max(self._look(view, (0.0, 0.0), 1.0), key=lambda face: face.score, default=None)

    def _look(self, view: NDArray[np.uint8], corner: tuple[float, float], scale: float) -> list[Detection]:
        """Run BlazeFace on one 128x128 view whose pixels are `scale` photo pixels wide, with its top left at
        `corner`.
        """
        outputs = self._network.run(view[None].astype(np.float32) / np.float32(127.5) - np.float32(1))
        logits, regressed = outputs["classificators"][0, :, 0], outputs["regressors"][0]
        likely = np.flatnonzero(logits > _logit(_FIRST_LOOK_SCORE))
        if not len(likely):
            return []
        scores = (1 / (1 + np.exp(-logits[likely]))).astype(np.float32)
        points = regressed[likely].reshape(-1, 8, 2)
        points[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[likely, None] * _VIEW
        points[:, 1] *= scale
        points[:, [0, 2, 3, 4, 5, 6, 7]] = points[:, [0, 2, 3, 4, 5, 6, 7]] * scale + np.array(corner, np.float32)
        return _merged(scores, points)


def _anchors() -> NDArray[np.float32]:
    """Return the centres of the 896 anchors, float32 `(896, 2)`, from 0 to 1: two for each of 16x16 cells, six for each
    of 8x8.
    """
    grids = []
    for cells, anchors_a_cell in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        grids.append(np.repeat(centres, anchors_a_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


def _merged(scores: NDArray[np.float32], points: NDArray[np.float32]) -> list[Detection]:
    """Merge overlapping detections by their score-weighted average, as the BlazeFace paper does."""
    faces = []
    corners = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], axis=1)
    left = np.argsort(-scores)
    while len(left):
        overlaps = overlaps_with_each(corners[left[0]], corners[left])
        cluster, left = left[overlaps >= SAME_FACE_OVERLAP], left[overlaps < SAME_FACE_OVERLAP]
        mean = np.average(points[cluster], axis=0, weights=scores[cluster]).astype(np.float32)
        (x, y), (width, height) = (mean[0] - mean[1] / 2).tolist(), mean[1].tolist()
        faces.append(Detection(Box(x, y, width, height), float(scores[cluster[0]]), mean[2:]))
    return faces


def _worth_reporting(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces worth reporting, the widest first. Doubtful faces are dropped beside a confident one."""
    if any(face.score >= _SURE_SCORE for face in faces):
        faces = [face for face in faces if face.score >= _BESIDE_SURE_SCORE]
    return biggest_first(faces)


def _is_portrait(faces: Sequence[Detection], photo: NDArray[np.uint8]) -> bool:
    """Check whether a confident face is big enough to be the subject of the photo."""
    big = _BIG_FACE * min(photo.shape[:2])
    return any(face.score >= _SURE_SCORE and face.box.width >= big for face in faces)


def _mesh_view(levels: Sequence[NDArray[np.uint8]], face: Detection) -> NDArray[np.uint8]:
    return levelled_view(levels, face, MESH_MARGIN, _MESH_VIEW)[0]


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(bounded / (1 - bounded))


def _starts(length: int, step: float) -> list[int]:
    """Return the tiles' offsets along one axis: evenly spaced, at most `step` apart, the last one at the edge."""
    room = length - _VIEW
    count = math.ceil(room / step) + 1 if room > 0 else 1
    return [round(room * index / (count - 1)) for index in range(count)] if count > 1 else [0]


def _brightened(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a dark photo so that its bright parts reach full brightness; return other photos unchanged."""
    light = float(np.percentile(photo[::16, ::16], 99)) if photo.size else 255.0
    if light >= _DARK_BELOW:
        return photo
    return cv2.convertScaleAbs(photo, alpha=min(_MOST_GAIN, _BRIGHT / max(light, 1.0))).astype(np.uint8, copy=False)
