"""Derive the weights of the detector's face score: `python -m training face-check` prints `FACE_WEIGHTS`, `FACE_BIAS`.

Faces of the valid split are pasted into scenes, and pictures without a face are searched too. A logistic regression
then separates true from false faces among all candidates that the detector verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recognizer.detection import FaceDetector
from recognizer.face_geometry import Detection
from recognizer.runtime import TfliteModel
from training.data import Faces
from training.scenes import faceless, is_found, pasted

SIDES = (420, 192, 120)


@dataclass(frozen=True)
class FaceCheck:
    """Weights of looks, mesh and share, the bias, and the numbers of true and false faces they were fitted to."""

    weights: tuple[float, ...]
    bias: float
    true: int
    false: int


class _Recorder(FaceDetector):
    """A detector that records the evidence for every candidate it verifies."""

    def __init__(self, network: TfliteModel, mesh: TfliteModel) -> None:
        super().__init__(network, mesh)
        self.seen: list[tuple[Detection, tuple[float, float, float]]] = []

    def _evidence(
        self, levels: Sequence[NDArray[np.uint8]], face: Detection, looks: Sequence[float], mesh_logit: float
    ) -> tuple[float, float, float]:
        evidence = super()._evidence(levels, face, looks, mesh_logit)
        self.seen.append((face, evidence))
        return evidence


def derive(faces: Faces, count: int, seed: int) -> FaceCheck:
    """Fit the weights on `count` faces at each of three sizes and `count` pictures without a face."""
    recorder, random = _Recorder.load(), np.random.default_rng(seed)
    evidence: list[tuple[float, float, float]] = []
    truths: list[bool] = []
    for side in SIDES:
        for row in random.choice(len(faces), count, replace=False):
            scene, box = pasted(faces.pixels[row], side, random)
            recorder.seen = []
            recorder.find(scene)
            evidence += [each for _, each in recorder.seen]
            truths += [is_found(box, face.box) for face, _ in recorder.seen]
    for picture in faceless(faces.pixels, count, random):
        recorder.seen = []
        recorder.find(picture)
        evidence += [each for _, each in recorder.seen]
        truths += [False] * len(recorder.seen)
    fitted = LogisticRegression(max_iter=500).fit(np.array(evidence), np.array(truths))
    weights = tuple(round(float(weight), 2) for weight in fitted.coef_[0])
    return FaceCheck(weights, round(float(fitted.intercept_[0]), 2), sum(truths), len(truths) - sum(truths))
