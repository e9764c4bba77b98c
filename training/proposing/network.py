"""Fit and export the proposal network: a few separable convolutions at an eighth of the resolution."""

import tempfile
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from recognizer.checksums import write_sums
from recognizer.finding.detection import PROPOSALS_FILE
from training.data import Faces
from training.proposing.views import ViewMaker, target_of

BATCH = 64
_LEARNING_RATE = 4e-3
_WARM_UP_STEPS = 200
_WIDTHS = (16, 32, 48)
_DEPTH = 5
_FACE_WEIGHT = 3.0
_PLACE_WEIGHTS = (0.15, 0.15, 0.5)
_WORKERS, _LONG_STEPS = 2, 200
"""Processes that draw views, in fits of more steps than the second number; they take a while to start."""


class Views(keras.utils.PyDataset):  # type: ignore[misc]  # keras is untyped
    """Batches of fresh views and targets; the same for the same seed and number of a batch."""

    def __init__(self, faces: NDArray[np.uint8], steps: int, seed: int) -> None:
        is_long = steps > _LONG_STEPS
        super().__init__(workers=_WORKERS if is_long else 1, use_multiprocessing=is_long, max_queue_size=16)
        self._faces = faces
        self._steps = steps
        self._seed = seed

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._steps

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return grey views `(64, 128, 128, 1)` from 0 to 255 and their targets."""
        cv2.setNumThreads(1)
        maker = ViewMaker(self._faces, np.random.default_rng((self._seed, index)))
        drawn = [maker.draw() for _ in range(BATCH)]
        views = np.stack([view for view, _ in drawn])[..., None].astype(np.float32)
        return views, np.stack([target_of(placed) for _, placed in drawn])


def build() -> keras.Model:
    """Build the network: grey pixels `(n, height, width, 1)` from 0 to 255 in; `(n, height / 8, width / 8, 4)` out, the
    logit and the three regressions of `target_of`.
    """
    first, second, width = _WIDTHS
    pixels = keras.Input((None, None, 1), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1)(pixels)
    x = _activated(layers.Conv2D(first, 5, 4, padding="same", use_bias=False)(x))
    x = _activated(layers.Conv2D(second, 3, 2, padding="same", use_bias=False)(x))
    x = _separable(x, width)
    for _ in range(_DEPTH - 1):
        x = layers.Add()([x, _separable(x, width)])
    return keras.Model(pixels, layers.Conv2D(4, 1, name="proposals")(x))


def fit(faces: Faces, steps: int, seed: int) -> keras.Model:
    """Fit a network to views made of `faces`; a step takes 0.1 to 0.3 s on two cores."""
    keras.utils.set_random_seed(seed)
    network = build()
    rate = keras.optimizers.schedules.CosineDecay(
        1e-6, steps, warmup_target=_LEARNING_RATE, warmup_steps=min(_WARM_UP_STEPS, steps // 4)
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-4), loss=_loss)
    network.fit(Views(faces.pixels, steps, seed))
    return network


def export(network: keras.Model, folder: Path) -> Path:
    """Write the network into a folder of models for faces, as a LiteRT file of any input size; return its path."""
    with tempfile.TemporaryDirectory() as saved:
        network.export(saved, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        content: bytes = converter.convert()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PROPOSALS_FILE
    path.write_bytes(content)
    write_sums(folder)
    return path


def _separable(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    x = _activated(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    return _activated(layers.Conv2D(width, 1, use_bias=False)(x))


def _activated(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))


def _loss(target: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """Return cross-entropy, which dwells on cells that wrongly propose a face, and the error of the regressions where a
    face is.
    """
    is_face, weight, place = target[..., 0], target[..., 1], target[..., 2:]
    entropy = ops.binary_crossentropy(is_face, output[..., 0], from_logits=True)
    dwelt = ops.where(is_face > 0.5, _FACE_WEIGHT, 0.3 + ops.sigmoid(output[..., 0])) * entropy * weight
    away = ops.sum(ops.abs(place - output[..., 1:]) * ops.convert_to_tensor(_PLACE_WEIGHTS), -1)
    return ops.mean(ops.sum(dwelt + is_face * away, (1, 2)))
