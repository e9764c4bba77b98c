"""Propose where faces may be, with a small fully convolutional network that this project trained.

One pass over a grey picture and its smaller copies replaces many looks of BlazeFace at overlapping tiles: it marks the
few places that are worth such a look, whatever the orientation of their faces. `python -m training fit-proposals`
trains the network (`training.proposing`). A proposal is a hint; `verification` decides whether it is a face.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.finding.face_geometry import KEYPOINTS, Box, Detection, levelled_view, rolled
from recognizer.finding.views import shrunk
from recognizer.runtime import TfliteModel

STRIDE = 8
"""Width of a cell of the network's output, in pixels of its input."""
REFERENCE_SIDE = 40.0
"""Side of a face's frame, in pixels of the input, whose size the network calls 0; other sizes are its binary
logarithms.
"""
MOST = 100
"""Most proposals of a photo; those with the lowest scores are dropped."""
FINEST = 2.0
"""Width of the finest input's pixels, in pixels of the photo. Frames of 44 pixels and more, the smallest that the
classifier can use, are then 22 pixels and more.
"""
_SHAPES = 6
"""Input shapes to be prepared for: the copies of a photo have three; upright and lying photos share the smaller two."""
_PIECE = 640
_GRID = 160
_OVERLAP = 80
"""In pixels of the input: more than the largest frame that is proposed at one size."""
_LEAST_SIDE = 24
_OPINION_VIEW = 64
_BOX_SHARE = 0.68
"""Width of BlazeFace's box as a share of the frame of FER2013."""
_SAME_PLACE = 0.4


@dataclass(frozen=True)
class Proposal:
    """A place where a face may be.

    x, y: centre of the frame, in pixels of the photo. side: of the frame, in pixels. score: from 0 to 1.
    """

    x: float
    y: float
    side: float
    score: float

    def as_detection(self) -> Detection:
        """Return the box that BlazeFace would give such a face, with the key points of an upright one."""
        width = _BOX_SHARE * self.side
        box = Box(self.x - width / 2, self.y - width / 2, width, width)
        return rolled(Detection(box, self.score, np.zeros((len(KEYPOINTS), 2), np.float32)), 0.0)


class ProposalNetwork:
    """Marks the places of a photo that may be faces. It may be called from several threads at once."""

    def __init__(self, content: bytes) -> None:
        """Load the network from the bytes of its file. Raise `ValueError` if they are not a TensorFlow Lite model."""
        self._network = TfliteModel(content, _SHAPES)
        self._opinions = TfliteModel(content)

    def propose(self, photo: NDArray[np.uint8], least: float) -> list[Proposal]:
        """Return the places in an RGB uint8 photo `(height, width, 3)` with a score of at least `least`, the best
        first, at most `MOST`.
        """
        proposals = [
            proposal
            for level, scale in _levels(photo)
            for piece, corner in _pieces(level)
            for proposal in self._look(piece, corner, scale, least)
        ]
        return _distinct(sorted(proposals, key=lambda proposal: proposal.score, reverse=True))

    def opinion(self, levels: Sequence[NDArray[np.uint8]], candidate: Detection) -> float:
        """Return the logit of a face at the place of a candidate, in its size and levelled by its roll.

        levels: the photo at decreasing sizes, see `views.halved`.
        """
        margin = _OPINION_VIEW / REFERENCE_SIDE / _BOX_SHARE
        view = cv2.cvtColor(levelled_view(levels, candidate, margin, _OPINION_VIEW)[0], cv2.COLOR_RGB2GRAY)
        (output,) = self._opinions.run(view[None, :, :, None].astype(np.float32)).values()
        middle = _OPINION_VIEW // STRIDE // 2
        return float(output[0, middle - 1 : middle + 1, middle - 1 : middle + 1, 0].max())

    def _look(
        self, piece: NDArray[np.uint8], corner: tuple[int, int], scale: float, least: float
    ) -> Iterator[Proposal]:
        """Yield the peaks of one grey piece whose pixels are `scale` photo pixels wide, with its top left at `corner`
        of its level.
        """
        padded = np.zeros([-(-side // _GRID) * _GRID for side in piece.shape], np.uint8)
        padded[: piece.shape[0], : piece.shape[1]] = piece
        (output,) = self._network.run(padded[None, :, :, None].astype(np.float32)).values()
        logits = np.ascontiguousarray(output[0, :, :, 0])
        peaks = (logits >= cv2.dilate(logits, np.ones((3, 3), np.uint8))) & (logits >= math.log(least / (1 - least)))
        for row, column in np.argwhere(peaks).tolist():
            score, right, down, size = output[0, row, column, :4].tolist()
            x, y = (column + 0.5 + right) * STRIDE, (row + 0.5 + down) * STRIDE
            if x < piece.shape[1] and y < piece.shape[0]:
                side = REFERENCE_SIDE * 2 ** max(-1.0, min(1.2, size))
                chance = 1 / (1 + math.exp(-score))
                yield Proposal((x + corner[0]) * scale, (y + corner[1]) * scale, side * scale, chance)


def _levels(photo: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield grey copies of the photo, each half as large as the one before, and the width of their pixels in photo
    pixels.
    """
    level = cv2.cvtColor(shrunk(photo, 1 / FINEST), cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    scale = FINEST
    while min(level.shape) >= _LEAST_SIDE:
        yield level, scale
        level, scale = shrunk(level, 0.5), 2 * scale


def _pieces(level: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
    """Yield overlapping pieces of at most 640 pixels a side, and their top left corners; usually it is one."""
    for y in _starts(level.shape[0]):
        for x in _starts(level.shape[1]):
            yield level[y : y + _PIECE, x : x + _PIECE], (x, y)


def _starts(length: int) -> range:
    return range(0, max(1, length - _OVERLAP), _PIECE - _OVERLAP)


def _distinct(proposals: list[Proposal]) -> list[Proposal]:
    """Return the proposals, given best first, without those at the place and of the size of a better one."""
    kept: list[Proposal] = []
    for each in proposals:
        if len(kept) == MOST:
            break
        if not any(
            max(abs(each.x - other.x), abs(each.y - other.y)) < _SAME_PLACE * min(each.side, other.side)
            and max(each.side, other.side) < 2 * min(each.side, other.side)
            for other in kept
        ):
            kept.append(each)
    return kept
