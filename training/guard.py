"""The guard set, which detects forgetting: FER2013 faces as embeddings, shipped without their pictures.

`guard.npz` holds the embeddings of the whole `valid` split, on which a candidate is judged, and of some training faces
(the anchors), which a correction must leave unchanged. Embeddings are quantised to 8 bits, each dimension between 0 and
its largest value.
"""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.adaptation import Adaptation
from recognizer.classification import Classifier
from training import TrainingError
from training.data import Faces

GUARD_FILE = "guard.npz"
ANCHORS = 2000
_SEED = 20261121
_LEVELS = 255


class GuardError(TrainingError):
    """A model's guard set is missing or damaged; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Anchors:
    """Faces that a correction must leave unchanged.

    embeddings: float32 `(m, d)`. probabilities: float32 `(m, 7)`.
    """

    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Guard:
    """Labelled faces as outputs of a network.

    Float32 embeddings `(n, d)`, the probabilities shown, `(n, 7)`, and int64 labels `(n,)`; and the anchors.
    """

    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    anchors: Anchors

    @classmethod
    def of(cls, classifier: Classifier, train: Faces, valid: Faces) -> "Guard":
        """Build the guard set by running a network on the images."""
        rows = np.random.default_rng(_SEED).permutation(len(train))[:ANCHORS]
        probabilities, embeddings = classifier.embed(valid.pixels)
        shown, seen = classifier.embed(train.pixels[rows])
        return cls(embeddings, probabilities, valid.labels, Anchors(seen, shown))

    @classmethod
    def read(cls, content: bytes | None) -> "Guard":
        """Read the content of `guard.npz`. Raise `GuardError` if it is missing or damaged."""
        try:
            with np.load(io.BytesIO(content or b""), allow_pickle=False) as kept:
                scale = kept["scale"]
                anchors = Anchors(_wide(kept["anchors"], scale), kept["anchor_probabilities"].astype(np.float32))
                embeddings, labels = _wide(kept["embeddings"], scale), kept["labels"].astype(np.int64)
                return cls(embeddings, kept["probabilities"].astype(np.float32), labels, anchors)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise GuardError(
                f"The guard of this model is missing or damaged ({error}); roll back and retrain."
            ) from error

    def to_bytes(self) -> bytes:
        """Return the content of `guard.npz`."""
        scale = np.maximum(self.embeddings.max(axis=0), self.anchors.embeddings.max(axis=0)) + 1e-6
        arrays: dict[str, NDArray[Any]] = {
            "scale": scale.astype(np.float32),
            "embeddings": _narrow(self.embeddings, scale),
            "probabilities": self.probabilities.astype(np.float16),
            "labels": self.labels.astype(np.uint8),
            "anchors": _narrow(self.anchors.embeddings, scale),
            "anchor_probabilities": self.anchors.probabilities.astype(np.float16),
        }
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **arrays)
        return packed.getvalue()

    def accuracy(self, adaptation: Adaptation | None) -> float:
        """Return the accuracy of the network with this correction on the guard set, from 0 to 1."""
        said = self.probabilities
        if adaptation is not None:
            said = adaptation.apply(said, self.embeddings)
        return float((said.argmax(axis=1) == self.labels).mean())


def _narrow(embeddings: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(np.rint(embeddings / scale * _LEVELS), 0, _LEVELS).astype(np.uint8)
    return levels


def _wide(levels: NDArray[np.uint8], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    embeddings: NDArray[np.float32] = (levels.astype(np.float32) / _LEVELS * scale).astype(np.float32)
    return embeddings
