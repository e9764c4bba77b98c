"""The faces of each epoch, in batches: augmented pixels, targets and sample weights. Needs no Keras, so that other
processes start quickly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.data import Faces
from training.fitting.augmentation import augmented, cut_in, mixed_up
from training.fitting.recipe import Recipe
from training.fitting.registered import Registered, half_registered
from training.fitting.targets import Rows, Targets
from training.fitting.variant import Variant

Batch = tuple[NDArray[np.uint8], Rows, Rows]
"""Pixels `(n, 48, 48)`, and for each head the targets `(n, k)` and the weights `(n,)`."""


@dataclass(frozen=True, eq=False)
class Epochs:
    """The training faces, epoch by epoch. Order, augmentation and mixing depend on seed, epoch and batch number only.

    registered: registered crops of the first faces; such a face is shown as its crop half of the time. variants: if
    there are any, the pictures to show instead, one of them in each epoch; `wanted` is then blended with what was said
    of it. shares: the number of faces in every batch is a multiple of it, if the batch size is; to that end an epoch
    begins anew with some of its first faces.
    """

    faces: Faces
    wanted: Targets
    recipe: Recipe
    registered: Registered | None = None
    variants: Sequence[Variant] = ()
    shares: int = 1

    @cached_property
    def batches(self) -> int:
        """Return the number of batches in an epoch."""
        return math.ceil(len(self.order(0)) / self.recipe.batch_size)

    def order(self, epoch: int) -> NDArray[np.intp]:
        """Return the rows of the faces in the order of that epoch."""
        random = np.random.default_rng((self.recipe.seed, epoch))
        order = np.concatenate([random.permutation(self._shown(random)) for _ in range(self.recipe.data.repeats)])
        return np.resize(order, math.ceil(len(order) / self.shares) * self.shares)

    def batch(self, epoch: int, number: int, order: NDArray[np.intp]) -> Batch:
        """Return one batch of an epoch, whose `order` is given."""
        random = np.random.default_rng((self.recipe.seed, epoch, number))
        size, limits = self.recipe.batch_size, self.recipe.augmentation
        rows = order[number * size : (number + 1) * size]
        weights = {head: each[rows] for head, each in self.wanted.weights.items()}
        if self.variants:  # mixed when they were made
            return *self._of_variant(epoch, rows, random), weights
        faces, targets = self._made_now(rows, random)
        if not limits.mixup and not limits.cutmix:
            return faces, targets, weights
        columns = [faces.astype(np.float32), *targets.values(), *weights.values()]
        columns = mixed_up(columns, limits.mixup, random)
        pixels, *mixed = cut_in(columns, limits.cutmix, random)
        heads = list(targets)
        return (
            np.rint(pixels).astype(np.uint8),
            dict(zip(heads, mixed[: len(heads)], strict=True)),
            dict(zip(heads, mixed[len(heads) :], strict=True)),
        )

    def _shown(self, random: np.random.Generator) -> NDArray[np.intp]:
        """Return the rows of one pass over the faces, not yet shuffled."""
        total = self.recipe.data.balanced_to
        if total is None:
            return np.arange(len(self.faces))
        classes = [np.flatnonzero(self.faces.labels == label) for label in np.unique(self.faces.labels)]
        each = math.ceil(total / len(classes))
        return np.concatenate([np.resize(random.permutation(rows), each) for rows in classes])[:total]

    def _made_now(self, rows: NDArray[np.intp], random: np.random.Generator) -> tuple[NDArray[np.uint8], Rows]:
        pixels = half_registered(self.faces.pixels, rows, self.registered, random)
        targets = {head: each[rows] for head, each in self.wanted.targets.items()}
        return augmented(pixels, self.recipe.augmentation, random), targets

    def _of_variant(
        self, epoch: int, rows: NDArray[np.intp], random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Rows]:
        variant, share = self.variants[epoch % len(self.variants)], self.recipe.loss.teaching
        pixels = variant.pixels[rows]
        if self.recipe.augmentation.flip:
            mirrored = random.random(len(rows)) < 0.5
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        targets = {
            head: (1 - share) * each[rows] + share * variant.said[head][rows]
            for head, each in self.wanted.targets.items()
        }
        return pixels, targets
