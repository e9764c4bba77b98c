"""What keeps a retrained model from forgetting: FER2013's faces as the trunk sees them, shipped without their pictures.

`guard.npz` holds the embeddings of the whole `valid` split, by which a candidate is judged, and of some training faces
(the anchors), which a correction is told to leave alone. Embeddings are kept in 8 bits, each of their directions
between 0 and its largest value.
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
    """The guard of a model is missing or damaged; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Anchors:
    """Faces on which a correction should change nothing: float32 embeddings `(m, d)` and probabilities `(m, 7)`."""

    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Guard:
    """Labelled faces as a trunk sees them: float32 embeddings `(n, d)`, what it shows of them `(n, 7)`, int64 labels
    `(n,)`; and anchors."""

    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    anchors: Anchors

    @classmethod
    def of(cls, classifier: Classifier, train: Faces, valid: Faces) -> "Guard":
        """Look at the images through a trunk."""
        rows = np.random.default_rng(_SEED).permutation(len(train))[:ANCHORS]
        probabilities, embeddings = classifier.embed(valid.pixels)
        shown, seen = classifier.embed(train.pixels[rows])
        return cls(embeddings, probabilities, valid.labels, Anchors(seen, shown))

    @classmethod
    def read(cls, content: bytes | None) -> "Guard":
        """Read the content of `guard.npz`. Raises `GuardError`."""
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
        """The content of `guard.npz`."""
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
        """Share of the faces that the trunk, with this correction, reads as they are labelled: 0 to 1."""
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
