"""Run BlazeFace (Bazarevsky et al. 2019, https://arxiv.org/abs/1907.05047) on one view of a photo.

The short-range network detects faces that fill 0.2 to 1 of its 128x128 input. Where to look is left to
`recognizer.finding.detection`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.face_geometry import SAME_FACE_OVERLAP, Box, Detection, overlaps_with_each
from recognizer.runtime import TfliteModel

VIEW = 128
"""Side of the input, in pixels."""
LEAST_SCORE = 0.45
"""Minimum score of a detection. In one look at the whole, 4 % of 120 pictures without a face have one above it, and
17 % one above 0.3.
"""


class BlazeFace:
    """The short-range detection network. It may be called from several threads at once."""

    def __init__(self, network: TfliteModel) -> None:
        self._network = network
        self._anchors = _anchors()

    def look(self, view: NDArray[np.uint8], scale: float = 1.0) -> list[Detection]:
        """Return the faces in an RGB uint8 view `(128, 128, 3)`, in pixels of which one of the view has `scale`."""
        batch = view[None].astype(np.float32)
        batch /= np.float32(127.5)
        batch -= np.float32(1)
        outputs = self._network.run(batch)
        logits, regressed = outputs["classificators"][0, :, 0], outputs["regressors"][0]
        likely = np.flatnonzero(logits > _LEAST_LOGIT)
        if not len(likely):
            return []
        scores = (1 / (1 + np.exp(-logits[likely]))).astype(np.float32)
        points = regressed[likely].reshape(-1, 8, 2)
        points[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[likely, None] * VIEW
        return _merged(scores, points * np.float32(scale))

    def best(self, view: NDArray[np.uint8]) -> Detection | None:
        """Return the face with the highest score in a view, in pixels of the view; None if there is none."""
        return max(self.look(view), key=lambda face: face.score, default=None)


def logit(probability: float) -> float:
    """Return the logarithm of the odds of a probability, which is first clipped to 0.001 to 0.999."""
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(bounded / (1 - bounded))


_LEAST_LOGIT = logit(LEAST_SCORE)


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
