"""The contest's side of the shipped model; see `contender`. A fourth argument names the head, "shown" or "fer2013"."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from tests.bench.contender import compete

if TYPE_CHECKING:
    from recognizer.classification import Head


class ShippedContender:
    """The recognizer as the bot loads it."""

    def __init__(self, head: "Head") -> None:
        import cv2

        from recognizer import Recognizer

        cv2.setNumThreads(1)
        self._recognizer = Recognizer.load()
        self._head = head
        self.version = self._recognizer.version

    def classify(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array(self._recognizer.classify(face[None], self._head)[0])

    def read(self, photo: Path) -> NDArray[np.float32] | None:
        faces = self._recognizer.read(photo.read_bytes()).faces
        return np.array(faces[0].probabilities, np.float32) if faces else None


if __name__ == "__main__":
    compete(lambda: ShippedContender(cast("Head", sys.argv[4])), *sys.argv[1:4])
