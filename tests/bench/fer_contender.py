"""The contest's side of the package `fer`; see `contender`. Runs in that package's environment, `.venv-fer`.

Everything goes through its `detect_emotions` with default settings: its TensorFlow Lite model (65.8 % of FER2013 `test`
in 0.3 ms for a face, where its Keras model had 65.5 % in 18 ms), its enlargement to 64x64, its Haar cascade. Only its
rounding to two decimals is skipped, because that would lower its likelihood.
"""

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.contender import EMOTIONS, compete

_WHOLE_CROP = (10, 10, 28, 28)
"""The package widens every rectangle by 10 pixels on each side, so this one covers a 48x48 crop."""


class FerContender:
    """`fer.FER()`, whose probabilities are taken before it rounds them."""

    def __init__(self) -> None:
        import cv2
        from fer.fer import FER

        cv2.setNumThreads(1)
        self._fer = FER()
        labels = self._fer._get_labels()
        self._order = [next(index for index, name in labels.items() if name == emotion) for emotion in EMOTIONS]
        self._classify, self._fer._classify_emotions = self._fer._classify_emotions, self._keep
        self._kept = np.empty((0, len(EMOTIONS)), np.float32)
        self.version = importlib.metadata.version("fer")

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._fer.detect_emotions(np.repeat(face[..., None], 3, axis=2), [_WHOLE_CROP])
        probabilities: NDArray[np.float32] = self._kept[0]
        return probabilities

    def read(self, photo: Path) -> NDArray[np.float32] | None:
        found = self._fer.detect_emotions(str(photo))
        if not found:
            return None
        biggest = np.argmax([face["box"][2] * face["box"][3] for face in found])
        probabilities: NDArray[np.float32] = self._kept[biggest]
        return probabilities

    def _keep(self, grey_faces: NDArray[np.float32]) -> Any:
        probabilities = np.asarray(self._classify(grey_faces))
        self._kept = probabilities[:, self._order]
        return probabilities


if __name__ == "__main__":
    compete(FerContender, *sys.argv[1:4])
