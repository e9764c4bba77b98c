"""Derive the weights of the detector's face score: `python -m training face-check` prints `FACE_WEIGHTS`, `FACE_BIAS`.

Faces of the valid split are pasted into scenes, and pictures without a face are searched too. A logistic regression
then separates true from false faces among all candidates that the detector verified.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import Detection
from recognizer.finding.verification import Evidence, Verifier
from training.data import Faces
from training.scenes import faceless, is_found, pasted

SIDES = (420, 192, 120)


@dataclass(frozen=True)
class FaceCheck:
    """Weights of look, mesh, opinion and share, the bias, and the numbers of true and false faces behind them."""

    weights: tuple[float, ...]
    bias: float
    true: int
    false: int


class _Recorder(Verifier):
    """A verifier that records the evidence for every candidate."""

    def __init__(self, verifier: Verifier) -> None:
        super().__init__(verifier.blazeface, verifier.mesh, verifier.proposals)
        self.seen: list[tuple[Detection, Evidence]] = []

    def is_clear(self, *_: float) -> bool:
        """Ask the mesh about every candidate."""
        return False

    def evidence(
        self, levels: Sequence[NDArray[np.uint8]], face: Detection, mesh_logit: float, opinion: float
    ) -> Evidence:
        """Record the evidence."""
        evidence = super().evidence(levels, face, mesh_logit, opinion)
        self.seen.append((face, evidence))
        return evidence


def derive(faces: Faces, count: int, seed: int) -> FaceCheck:
    """Fit the weights on `count` faces, or all if they are fewer, at each of three sizes and `count` pictures without a
    face.
    """
    detector, random = FaceDetector.load(), np.random.default_rng(seed)
    recorder = _Recorder(detector.verifier)
    detector.verifier = recorder
    evidence: list[tuple[float, ...]] = []
    truths: list[bool] = []
    for side in SIDES:
        for row in random.choice(len(faces), min(count, len(faces)), replace=False):
            scene, box = pasted(faces.pixels[row], side, random)
            recorder.seen = []
            detector.find(scene)
            evidence += [astuple(each) for _, each in recorder.seen]
            truths += [is_found(box, face.box) for face, _ in recorder.seen]
    for picture in faceless(faces.pixels, count, random):
        recorder.seen = []
        detector.find(picture)
        evidence += [astuple(each) for _, each in recorder.seen]
        truths += [False] * len(recorder.seen)
    fitted = LogisticRegression(max_iter=500).fit(np.array(evidence), np.array(truths))
    weights = tuple(round(float(weight), 2) for weight in fitted.coef_[0])
    return FaceCheck(weights, round(float(fitted.intercept_[0]), 2), sum(truths), len(truths) - sum(truths))
