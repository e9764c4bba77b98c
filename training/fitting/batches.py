"""Build the batches of an epoch: the network's inputs, targets and sample weights."""

import math
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.data import FERPLUS, Faces, without_outliers
from training.fitting.augmentation import augmented, mixed_up
from training.fitting.recipe import Recipe
from training.fitting.registered import Registered

Rows = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Targets:
    """What Keras's `fit` needs besides the pixels: a target and a weight for each head and face."""

    targets: Rows
    weights: Rows


def targets_of(faces: Faces, recipe: Recipe, class_counts: NDArray[np.int64]) -> Targets:
    """Return one-hot official labels weighted by class rarity, and FER+ votes as distributions (weight 0 without
    votes).
    """
    shares = class_counts / class_counts.sum()
    class_weights = np.where(shares > 0, shares, 1) ** -recipe.loss.class_weight_power
    class_weights /= (class_weights * shares).sum()
    targets = {"fer2013": np.eye(len(class_counts), dtype=np.float32)[faces.labels]}
    weights = {"fer2013": class_weights[faces.labels].astype(np.float32)}
    if has_ferplus_head(recipe):
        votes = np.zeros((len(faces), len(FERPLUS)), np.float32)
        if faces.votes is not None:
            votes = without_outliers(faces.votes)[:, : len(FERPLUS)]
        total = votes.sum(axis=1, keepdims=True)
        targets["ferplus"] = votes / np.maximum(total, 1)
        weights["ferplus"] = (total[:, 0] > 0).astype(np.float32)
    return Targets(targets, weights)


def taught(wanted: Targets, teacher: Rows, share: float) -> Targets:
    """Return the targets with `share` of them replaced by a teacher's predictions for the same faces; weights stay."""
    blended = {head: (1 - share) * rows + share * teacher[head] for head, rows in wanted.targets.items()}
    return Targets(blended, wanted.weights)


def voted(wanted: Targets, faces: Faces, share: float) -> Targets:
    """Return the targets with `share` of each official label replaced by label probabilities given the face's FER+
    votes.

    A logistic regression on the square roots of the vote shares is fitted to these faces; it is too small to memorise
    them. Faces without votes keep their target.
    """
    if faces.votes is None or not (has_votes := faces.votes.sum(axis=1) > 0).any():
        return wanted
    votes = np.sqrt(faces.votes[has_votes] / faces.votes[has_votes].sum(axis=1, keepdims=True))
    regression = LogisticRegression(C=10, max_iter=1000).fit(votes, faces.labels[has_votes])
    official = wanted.targets["fer2013"].copy()
    official[has_votes] *= 1 - share
    official[np.ix_(has_votes, regression.classes_)] += share * regression.predict_proba(votes)
    return Targets(wanted.targets | {"fer2013": official.astype(np.float32)}, wanted.weights)


def has_ferplus_head(recipe: Recipe) -> bool:
    """Check whether the recipe's network has the second head."""
    return recipe.loss.ferplus_weight > 0


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The training faces in batches. Order, augmentation and mixing depend on seed, epoch and batch number only.

    Keras's own shuffling repeats the same order in every epoch once a seed is set (seen with Keras 3.15 on TensorFlow).
    registered: registered crops of the first faces; such a face is shown as its crop half of the time.
    """

    def __init__(self, faces: Faces, wanted: Targets, recipe: Recipe, registered: Registered | None = None) -> None:
        super().__init__()
        self._faces, self._wanted, self._recipe, self._registered = faces, wanted, recipe, registered
        self.shuffle(epoch=0)

    def shuffle(self, epoch: int) -> None:
        """Set the order of `epoch`."""
        self._epoch = epoch
        random = np.random.default_rng((self._recipe.seed, epoch))
        self._order = random.permutation(self._shown(random))

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._recipe.batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint8], Rows, Rows]:
        random = np.random.default_rng((self._recipe.seed, self._epoch, number))
        size, limits = self._recipe.batch_size, self._recipe.augmentation
        rows = self._order[number * size : (number + 1) * size]
        faces = augmented(self._pixels(rows, random), limits, random)
        targets = {head: each[rows] for head, each in self._wanted.targets.items()}
        weights = {head: each[rows] for head, each in self._wanted.weights.items()}
        if not limits.mixup:
            return faces, targets, weights
        columns = [faces.astype(np.float32), *targets.values(), *weights.values()]
        pixels, *mixed = mixed_up(columns, limits.mixup, random)
        heads = list(targets)
        return (
            np.rint(pixels).astype(np.uint8),
            dict(zip(heads, mixed[: len(heads)], strict=True)),
            dict(zip(heads, mixed[len(heads) :], strict=True)),
        )

    def _shown(self, random: np.random.Generator) -> NDArray[np.intp]:
        """Return the rows of one epoch, not yet shuffled."""
        total = self._recipe.data.balanced_to
        if total is None:
            return np.arange(len(self._faces))
        classes = [np.flatnonzero(self._faces.labels == label) for label in np.unique(self._faces.labels)]
        each = math.ceil(total / len(classes))
        return np.concatenate([np.resize(random.permutation(rows), each) for rows in classes])[:total]

    def _pixels(self, rows: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.uint8]:
        pixels = self._faces.pixels[rows]
        if self._registered is not None:
            seen = (rows < len(self._registered.found)) & (random.random(len(rows)) < 0.5)
            seen[seen] = self._registered.found[rows[seen]]
            pixels[seen] = self._registered.pixels[rows[seen]]
        return pixels
