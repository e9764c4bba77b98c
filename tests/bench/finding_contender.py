"""The contest's side of what comes before the classifier: decoding, detecting and registering; see `contender`."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.contender import EMOTIONS, compete


class FindingContender:
    """The recognizer as the bot loads it, stopped before it classifies; it is equally sure of all emotions."""

    def __init__(self) -> None:
        import cv2

        from recognizer import Recognizer

        cv2.setNumThreads(1)
        self._recognizer = Recognizer.load()
        self.version = self._recognizer.version

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ARG002  (the protocol's)
        return np.full(len(EMOTIONS), 1 / len(EMOTIONS), np.float32)

    def read(self, photo: Path) -> NDArray[np.float32] | None:
        from recognizer.clock import ProcessorClock
        from recognizer.finding.registration import framings
        from recognizer.readings import Stopwatch

        finder, decoder = self._recognizer._finder, self._recognizer._decoder
        decoded, found = finder._found(photo.read_bytes(), decoder, Stopwatch(), ProcessorClock())
        registered = [framings(decoded.pixels, face) for face in found]
        return self.classify(registered[0][0]) if registered else None


if __name__ == "__main__":
    compete(FindingContender, *sys.argv[1:4])
