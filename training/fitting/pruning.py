"""Make a wide network narrower, a stack of convolutions or the residual one that learned faces: keep the channels that
the next layer can least do without.

Which inputs of a layer go is decided one at a time, as the optimal brain surgeon does it (Hassibi and Stork 1992) for
groups of weights: the channel whose loss changes the layer's outputs least once its other weights are adjusted. Unlike
a measure of each channel alone (its scale, Liu et al. 2017, https://arxiv.org/abs/1708.06519), this knows which
channels say the same. Choices go from the heads to the picture, because a layer need not serve outputs that are
dropped. Then, from the picture to the heads, each layer is fitted by least squares so that it computes from what is
left what it computed before (He et al. 2017, https://arxiv.org/abs/1707.06168).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training.fitting.face_resnet import inner_widths
from training.fitting.recipe import Convolutional, FaceResidual, Network

_PLACES = 12
"""Positions of a picture at which a layer is looked at, unless it has fewer."""
_FACES_A_RUN = 64
_RIDGE = 1e-3
"""How strongly a layer's weights are held to what they were, as a share of the mean variance of its inputs."""

_Values = NDArray[np.float64]
_Channels = NDArray[np.intp]
_Rows = NDArray[np.float32]


@dataclass(frozen=True)
class _Moments:
    """Of a layer's inputs, in the narrow and in the wide network: means `(k,)`, `(m,)`, and the covariances within the
    narrow one, `(k, k)`, and between both, `(k, m)`.
    """

    mean: _Values
    mean_wide: _Values
    within: _Values
    between: _Values


class _Layers:
    """The layers of a network that have weights: each convolution with its normalisation, and all heads as one."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._convolutions = [each for each in network.layers if isinstance(each, layers.Conv2D)]
        self._norms = [each for each in network.layers if isinstance(each, layers.BatchNormalization)]
        self._heads = [network.get_layer(name) for name in network.output_names]

    def __len__(self) -> int:
        return len(self._convolutions) + 1

    def widths(self) -> list[int]:
        """Return the number of channels that enter each layer."""
        return [int(each.kernel.shape[-2]) for each in (*self._convolutions, self._heads[0])]

    def matrix(self, number: int) -> _Values:
        """Return a layer's weights, `(k, n)`; each of its n outputs is the product with k inputs."""
        here = self._convolutions[number : number + 1] or self._heads
        kernels = [ops.convert_to_numpy(each.kernel).astype(np.float64) for each in here]
        return np.concatenate([kernel.reshape(-1, kernel.shape[-1]) for kernel in kernels], axis=1)

    def importance(self, number: int) -> _Values:
        """Return the factor by which each of a layer's outputs is scaled before it is used, `(n,)`."""
        if number == len(self._norms):
            return np.ones(self.matrix(number).shape[1])
        norm = self._norms[number]
        gamma, _, _, variance = (values.astype(np.float64) for values in norm.get_weights())
        scales: _Values = np.abs(gamma) / np.sqrt(variance + norm.epsilon)
        return scales

    def inputs(self, numbers: Sequence[int], faces: NDArray[np.uint8], seed: int) -> list[_Rows]:
        """Return the inputs `(rows, k)` of these layers for the faces, at positions that depend on the seed only."""
        places = [
            (self._convolutions[number] if number < len(self._convolutions) else self._heads[0]).input
            for number in numbers
        ]
        probe = keras.Model(self._network.input, places)
        parts: list[list[_Rows]] = [[] for _ in numbers]
        for start in range(0, len(faces), _FACES_A_RUN):
            some = faces[start : start + _FACES_A_RUN].astype(np.float32)
            looked = keras.tree.flatten(probe(some, training=False))  # not traced: each probe runs a few times only
            for number, part, tensor in zip(numbers, parts, looked, strict=True):
                random, seen = np.random.default_rng((seed, number, start)), ops.convert_to_numpy(tensor)
                part.append(_patches(seen, random, self._side(number)) if seen.ndim > 2 else seen)
        return [np.concatenate(part) for part in parts]

    def _side(self, number: int) -> int:
        """Return the side of the square that a convolution looks at."""
        return int(self._convolutions[number].kernel.shape[0])

    def set(self, number: int, matrix: _Values, offset: _Values, like: "_Layers", outputs: _Channels) -> None:
        """Give a layer its weights, `(k, n)`, and what is to be added to its outputs, `(n,)`; what follows them is as
        for these `outputs` of the layer `like`.
        """
        if number < len(self._convolutions):
            layer = self._convolutions[number]
            layer.set_weights([matrix.reshape(layer.kernel.shape)])
            gamma, beta, mean, variance = (values[outputs] for values in like._norms[number].get_weights())
            self._norms[number].set_weights([gamma, beta, mean - offset, variance])
            return
        ends = np.cumsum([head.units for head in self._heads])[:-1]
        parts = zip(self._heads, like._heads, np.split(matrix, ends, 1), np.split(offset, ends), strict=True)
        for head, old, kernel, added in parts:
            head.set_weights([kernel, ops.convert_to_numpy(old.bias) + added])


def can_prune(wide: Network, narrow: Network) -> bool:
    """Check whether both are plain stacks of convolutions, or residual networks that learned faces, that differ only in
    widths (of the latter: within blocks) and dropout, and no width grows.
    """
    if isinstance(wide, FaceResidual) and isinstance(narrow, FaceResidual):
        changed = wide.model_copy(update={"inner": narrow.inner, "dropout": narrow.dropout})
        return changed == narrow and not narrow.dense and all(map(ge, inner_widths(wide), inner_widths(narrow)))
    if not isinstance(wide, Convolutional) or not isinstance(narrow, Convolutional):
        return False
    if narrow.padding != "same" or narrow.summary != "average" or narrow.dense or not narrow.batch_normalization:
        return False
    if [len(stage) for stage in wide.stages] != [len(stage) for stage in narrow.stages]:
        return False
    pairs = (pair for stages in zip(wide.stages, narrow.stages, strict=True) for pair in zip(*stages, strict=True))
    loose = {"stages": narrow.stages, "dropout": narrow.dropout, "stage_dropout": narrow.stage_dropout}
    return wide.model_copy(update=loose) == narrow and all(new <= old for old, new in pairs)


def prune(wide: keras.Model, narrow: keras.Model, faces: NDArray[np.uint8], seed: int) -> None:
    """Give `narrow` the weights with which it computes most nearly what `wide` computes for `faces`.

    The networks are of recipes for which `can_prune` holds, in float32. faces: uint8 `(n, 48, 48)`; one or two thousand
    are enough. seed: of the positions at which layers are looked at.
    """
    before, after = _Layers(wide), _Layers(narrow)
    seen = before.inputs(range(len(before)), faces, seed)
    kept = _chosen(before, after.widths(), seen)
    for number in range(len(before)):
        inputs, outputs = kept[number], kept[number + 1]
        matrix = before.matrix(number)[:, outputs]
        moments = _moments(after.inputs([number], faces, seed)[0], seen[number])
        held = matrix[_rows(inputs, before.widths()[number], len(matrix))]
        ridge = _RIDGE * np.trace(moments.within) / len(moments.within)
        normal = moments.within + ridge * np.eye(len(moments.within))
        fitted = np.linalg.solve(normal, moments.between @ matrix + ridge * held)
        after.set(number, fitted, moments.mean_wide @ matrix - moments.mean @ fitted, before, outputs)


def _chosen(wide: _Layers, widths: list[int], seen: list[_Rows]) -> list[_Channels]:
    """Return the channels to keep that enter each layer, so many as `widths` says, and at last all outputs.

    seen: the inputs of each layer, `(rows, k)`.
    """
    kept = [np.arange(wide.matrix(len(wide) - 1).shape[1])]
    for number in reversed(range(len(wide))):
        matrix = (wide.matrix(number) * wide.importance(number))[:, kept[0]]
        total = wide.widths()[number]
        if total == widths[number]:
            kept.insert(0, np.arange(total))
            continue
        within = _moments(seen[number], seen[number]).within
        kept.insert(0, _least_missed(within, matrix, total, widths[number]))
    return kept


def _least_missed(within: _Values, matrix: _Values, total: int, left: int) -> _Channels:
    """Return the `left` of `total` channels that remain after the others were removed one by one.

    within: covariance of the inputs, `(k, k)`, of which every `total`-th belongs to the same channel. matrix: the
    weights `(k, n)`.
    """
    ridge = _RIDGE * np.trace(within) / len(within)
    inverse, matrix = np.linalg.inv(within + ridge * np.eye(len(within))), matrix.copy()
    channels = np.arange(total)
    while len(channels) > left:
        groups = _rows(channels, total, len(matrix)).reshape(-1, len(channels)).T
        own = np.linalg.inv(inverse[groups[:, :, None], groups[:, None, :]])
        losses = np.einsum("cin,cij,cjn->c", matrix[groups], own, matrix[groups], optimize=True)
        least = int(losses.argmin())
        gone = groups[least]
        column = inverse[:, gone] @ own[least]
        matrix -= column @ matrix[gone]
        inverse -= column @ inverse[gone]
        channels = np.delete(channels, least)
    return channels


def _rows(channels: _Channels, total: int, inputs: int) -> _Channels:
    """Return the rows of a layer's weights that belong to these of its `total` channels, in the order of its inputs."""
    rows: _Channels = np.arange(inputs).reshape(-1, total)[:, channels].ravel()
    return rows


def _moments(narrow: _Rows, wide: _Rows) -> _Moments:
    mean, mean_wide = (rows.mean(axis=0, dtype=np.float64) for rows in (narrow, wide))
    centred = narrow - mean.astype(np.float32)
    within, between = (centred.T @ rows / len(rows) for rows in (centred, wide))
    return _Moments(mean, mean_wide, within.astype(np.float64), between.astype(np.float64))


def _patches(seen: NDArray[np.float32], random: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Return what a convolution looks at, `side` pixels wide and high, in some positions of `(n, h, w, c)`:
    `(rows, side² c)`.
    """
    count, height, width, channels = seen.shape
    places = random.choice(height * width, min(_PLACES, height * width), replace=False)
    y, x = (each[:, None, None] for each in np.divmod(places, width))
    edge = (side // 2, side // 2)
    around = np.pad(seen, ((0, 0), edge, edge, (0, 0)))
    patches = around[:, y + np.arange(side)[:, None], x + np.arange(side)]
    return patches.reshape(count * len(places), side * side * channels)
