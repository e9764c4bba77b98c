"""Learn from games as from any other faces: what comes up in them is decided by the game, not by how people feel.

A network's probabilities rest on how frequent each emotion is. In games the rare ones come up most, and a correction
fitted to that would see them everywhere. So the logits of played faces are moved by the logarithm of how much more
frequent each emotion is in the games, while a correction is fitted and judged (the logit adjustment of Menon et al.
2021, https://arxiv.org/abs/2007.07314); what is learned is what the faces look like.
"""

import numpy as np
from numpy.typing import NDArray

from training.feedback.lessons import Book

Floats = NDArray[np.float64]

_SMOOTHING = 1.0
"""Faces of each emotion that games are taken to hold besides those they do."""


def offsets(book: Book, prior: Floats) -> Floats:
    """Return what is added to the logits of each face of a book, `(n, 7)`; 0 for faces that were not played.

    prior: how frequent each emotion is by the network, `(7,)`, summing to 1.
    """
    moved = np.zeros((len(book), len(prior)))
    if book.played.any():
        asked = book.labels[book.played].sum(axis=0) + _SMOOTHING
        moved[book.played] = np.log(asked / asked.sum()) - np.log(np.maximum(prior, 1e-6))
    return moved


def moved_by(probabilities: NDArray[np.floating], by: Floats) -> Floats:
    """Return probabilities `(n, 7)` after their logits were moved, rows summing to 1."""
    raised = probabilities.astype(np.float64) * np.exp(by)
    moved: Floats = raised / raised.sum(axis=1, keepdims=True)
    return moved


def importance(book: Book, prior: Floats) -> Floats:
    """Return the weights of a book's faces, `(n,)`, for a fit that cannot move logits: a played face counts less, the
    more often its emotion comes up in games; never more than any other.
    """
    share = (book.labels * np.exp(-offsets(book, prior))).sum(axis=1)
    weights: Floats = book.weights * np.where(book.played, np.minimum(1.0, share), 1.0)
    return weights
