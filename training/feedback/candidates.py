"""Assemble a candidate version: a network with a correction fitted to feedback, as the files that are served."""

import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.adaptation import Adaptation
from recognizer.classification import CARD_FILE, WEIGHTS_FILE, Classifier
from recognizer.packing import pack
from training.feedback.adapting import Adapted, Lessons, Told, adapt
from training.feedback.lessons import Book
from training.feedback.played import offsets
from training.feedback.trust import capped
from training.guard import GUARD_FILE, Guard


@dataclass(frozen=True, eq=False)
class Trunk:
    """A network with its file content, its model card as in `model.json`, and its guard set."""

    network: bytes
    card: dict[str, object]
    guard: Guard

    @classmethod
    def of(cls, files: dict[str, bytes]) -> "Trunk":
        """Build it from the files of a version. Raise `GuardError` if it cannot be judged."""
        return cls(files[WEIGHTS_FILE], json.loads(files[CARD_FILE]), Guard.read(files.get(GUARD_FILE)))

    @property
    def prior(self) -> NDArray[np.float64]:
        """Return how frequent each emotion is by this network, `(7,)`, on faces as they usually come."""
        mean = self.guard.anchors.probabilities.mean(axis=0, dtype=np.float64)
        prior: NDArray[np.float64] = mean / mean.sum()
        return prior

    def classifier(self, adaptation: Adaptation | None = None) -> Classifier:
        """Return a classifier of the network with this correction only. Raise `ModelError`."""
        return Classifier.from_files(self._served("", adaptation))

    def packed(self, version: str, adaptation: Adaptation | None) -> bytes:
        """Return the packed files of a version."""
        return pack({**self._served(version, adaptation), GUARD_FILE: self.guard.to_bytes()})

    def _served(self, version: str, adaptation: Adaptation | None) -> dict[str, bytes]:
        serving = dict(self.card["serving"])  # type: ignore[call-overload]
        serving |= {"version": version, "adaptation": None if adaptation is None else adaptation.to_card()}
        return {WEIGHTS_FILE: self.network, CARD_FILE: json.dumps({**self.card, "serving": serving}).encode()}


def correction(trunk: Trunk, book: Book, told: Told = lambda _: None) -> Adapted:
    """Fit a correction of this network to the lessons of a book. told: see `adapt`."""
    probabilities, embeddings = trunk.classifier().embed(book.crops)
    moved = offsets(book, trunk.prior)
    lessons = Lessons(embeddings, probabilities, book.labels, book.weights, book.people, book.vouched, moved)
    return adapt(lessons, trunk.guard.anchors, told)


def trusted(book: Book, trust: NDArray[np.float64]) -> Book:
    """Return the book with the weights that were used for fitting: those of its lessons times the trust, capped."""
    return replace(book, weights=capped(book.weights * trust, book.people))
