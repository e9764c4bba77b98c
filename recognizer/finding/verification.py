"""Verify face candidates: a second look of BlazeFace at a centred, levelled view refines the key points, and together
with MediaPipe's face mesh (Kartynnik et al. 2019, https://arxiv.org/abs/1907.06724) decides whether it is a face.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.blazeface import VIEW, BlazeFace, logit
from recognizer.finding.face_geometry import MESH_MARGIN, Detection, levelled_view, mapped_to_photo, rolled
from recognizer.finding.proposals import ProposalNetwork
from recognizer.finding.views import scale_of
from recognizer.runtime import TfliteModel

LEAST_SCORE = 0.33
"""Minimum score of a verified face."""
LEAST_WIDTH = 34
"""In pixels; a smaller face has less than half of the detail that the classifier was trained on."""
TURNS = (math.pi, math.pi / 2, -math.pi / 2)
"""What leads to the other three orientations, in radians."""
_UPRIGHT_LOOK = 0.82
"""Of 200 valid faces, 96 % score less than this in every wrong orientation, and 80 % score more in the right one."""
_TURNED_SHARE = 0.12
"""Share of the photo's short side from which a face is looked at in all four orientations."""
_MARGIN = 1.8
_CLEAR_LOOK, _CLEAR_OPINION = 0.8, 1.0
"""A candidate with this score of the look and this logit of the opinion is a face without asking the mesh: 42 % of 936
true candidates in scenes of valid faces, and no false one.
"""
_CLEAR_MESH = 8.0
"""Logit that the mesh is taken to have in a clear case: half have 12 and more, 99 of 100 more than 4.4."""
_MESH_VIEW = 192
MESH_POINTS = 468
FACE_WEIGHTS, FACE_BIAS = (0.1, 0.41, 0.45, 1.0), 1.6
"""Weights of the logits of look, mesh and opinion, and of the logarithm of the face's share of the short side.

They come from a logistic regression over candidates in scenes of valid faces and in pictures without one. That trusts
the opinion more than is good elsewhere, because the proposal network knows such scenes; the weights were moved a little
towards those of a fit in which false candidates of other photos count four times. `python -m training face-check` fits
the former.
"""
_MOST_SHARE = 0.6


@dataclass(frozen=True)
class Evidence:
    """What speaks for a candidate: the inputs of its score.

    look: logit of BlazeFace's centred look. mesh: logit of the face mesh. opinion: logit of the proposal network for
    this place, limited to -8 to 8; the mesh's to -12 to 12. share: logarithm of the face's share of the short side.
    """

    look: float
    mesh: float
    opinion: float
    share: float

    @property
    def score(self) -> float:
        """Return the probability of a face, from 0 to 1."""
        total = float(np.dot(FACE_WEIGHTS, astuple(self))) + FACE_BIAS
        return 1 / (1 + math.exp(-total))


class Verifier:
    """Decides whether candidates are faces. It may be called from several threads at once."""

    def __init__(self, blazeface: BlazeFace, mesh: TfliteModel, proposals: ProposalNetwork) -> None:
        self.blazeface = blazeface
        self.mesh = mesh
        self.proposals = proposals

    def verified(self, levels: Sequence[NDArray[np.uint8]], candidate: Detection) -> Detection | None:
        """Return the face with its refined box, key points and score; None if none has the candidate's orientation.

        levels: the photo at decreasing sizes, see `views.halved`. The mesh is in the result only if the verification
        needed it.
        """
        face = self._right_way_up(levels, self.seen_at(levels, candidate))
        if face is None:
            return None
        opinion = self.proposals.opinion(levels, face)
        if self.is_clear(face.score, opinion):
            mesh, mesh_logit = None, _CLEAR_MESH
        else:
            mesh, mesh_logit = self.mesh_of(levels, face)
        score = self.evidence(levels, face, mesh_logit, opinion).score
        return replace(face, score=score, mesh=mesh) if score >= LEAST_SCORE else None

    def seen_at(self, levels: Sequence[NDArray[np.uint8]], candidate: Detection) -> Detection | None:
        """Return what one look sees at a candidate, in its orientation, with the score of that look; None if nothing.

        That is enough where a face was a moment ago.
        """
        view, to_photo = levelled_view(levels, candidate, _MARGIN, VIEW)
        again = self.blazeface.best(view)
        if again is None or again.box.width * scale_of(to_photo) < LEAST_WIDTH:
            return None
        return mapped_to_photo(again, to_photo)

    def _right_way_up(self, levels: Sequence[NDArray[np.uint8]], seen: Detection | None) -> Detection | None:
        """Return what was seen in the orientation in which BlazeFace sees it best; a small face as it is."""
        if seen is None or seen.box.width < _TURNED_SHARE * min(levels[0].shape[:2]):
            return seen
        best = seen
        for turn in TURNS:
            if best.score >= _UPRIGHT_LOOK:
                break
            look = self.seen_at(levels, rolled(seen, seen.roll + turn))
            best = look if look is not None and look.score > best.score else best
        return best

    def is_clear(self, look: float, opinion: float) -> bool:
        """Check whether a candidate is a face without asking the mesh, by the score of its look and the logit of the
        opinion on it.
        """
        return look >= _CLEAR_LOOK and opinion >= _CLEAR_OPINION

    def evidence(
        self, levels: Sequence[NDArray[np.uint8]], face: Detection, mesh_logit: float, opinion: float
    ) -> Evidence:
        """Return what speaks for a candidate, given the logits of its mesh and of the opinion on it."""
        share = math.log(min(_MOST_SHARE, face.box.width / min(levels[0].shape[:2])))
        return Evidence(logit(face.score), _limited(mesh_logit, 12), _limited(opinion, 8), share)

    def meshed(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> Detection:
        """Return a verified face with its mesh, if it is without."""
        return face if face.mesh is not None else replace(face, mesh=self.mesh_of(levels, face)[0])

    def mesh_of(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> tuple[NDArray[np.float32], float]:
        """Return a face's mesh, see `Detection.mesh`, and the logit with which the network calls it a face."""
        view, _ = levelled_view(levels, face, MESH_MARGIN, _MESH_VIEW)
        outputs = self.mesh.run(view[None].astype(np.float32) / np.float32(255))
        by_size = {output.size: output for output in outputs.values()}
        points = by_size[MESH_POINTS * 3].reshape(MESH_POINTS, 3)[:, :2] / np.float32(_MESH_VIEW)
        return points, float(by_size[1].item())


def _limited(value: float, most: float) -> float:
    return max(-most, min(most, value))
