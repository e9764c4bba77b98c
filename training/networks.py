"""The networks, in Keras 3, written backend-neutral: TensorFlow, JAX and PyTorch run the same recipe."""

import math

import keras
from keras import layers, ops

from recognizer import EMOTIONS, FACE_SIZE
from training.data import FERPLUS
from training.recipe import Augmentation, Recipe


class RandomWarp(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Rotation, shift, zoom, stretch and flip of each face as one affine map, so that pixels are interpolated once.

    Input and output: `(n, height, width, channels)`; the identity outside training.
    """

    def __init__(self, limits: Augmentation, seed: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self._limits = limits
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, faces: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Keras calls this with `training` set while it fits."""
        if not training:
            return faces
        count, height, width = ops.shape(faces)[0], faces.shape[1], faces.shape[2]

        def draw(limit: float) -> keras.KerasTensor:
            return keras.random.uniform((count,), -limit, limit, seed=self._seeds)

        angle = draw(math.radians(self._limits.rotation_degrees))
        scale, stretch = ops.exp(draw(self._limits.zoom)), ops.exp(draw(self._limits.stretch))
        mirror = ops.sign(draw(1.0)) if self._limits.flip else ops.ones((count,))
        cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
        a, b, c, d = cos * stretch * mirror, -sin * stretch, sin * mirror / stretch, cos / stretch
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        shift_x = draw(self._limits.shift) * width + centre_x - a * centre_x - b * centre_y
        shift_y = draw(self._limits.shift) * height + centre_y - c * centre_x - d * centre_y
        zero = ops.zeros((count,))
        transform = ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)
        return ops.image.affine_transform(faces, transform, interpolation="bilinear", fill_mode="nearest")


def augmentation(limits: Augmentation, seed: int) -> keras.Sequential:
    """The augmentation layers, for faces `(n, 48, 48, 1)` in the range 0 to 1; the identity outside training."""
    photometric = {"value_range": (0.0, 1.0), "dtype": "float32"}
    return keras.Sequential(
        [
            RandomWarp(limits, seed),
            layers.RandomContrast(limits.contrast, seed=seed + 1, **photometric),
            layers.RandomBrightness(limits.brightness, seed=seed + 2, **photometric),
            layers.RandomErasing(limits.erase, scale=(0.02, 0.2), seed=seed + 3, **photometric),
        ],
        name="augmentation",
    )


def build(recipe: Recipe, *, ferplus: bool, dtype: str | None = None) -> keras.Model:
    """The recipe's network: uint8-range faces `(n, 48, 48)` in, a dict of heads out.

    Heads give probabilities: "fer2013" `(n, 7)` in the order of `EMOTIONS`, and with `ferplus` also "ferplus"
    `(n, 8)` in the order of `FERPLUS`. Each face is standardised by its own mean and deviation inside the graph, so a
    dark or flat photo needs no preparation. `dtype` overrides the recipe's precision (export uses "float32").
    """
    policy = dtype or recipe.precision
    faces = keras.Input((FACE_SIZE, FACE_SIZE), dtype="float32", name="faces")
    x = layers.Reshape((FACE_SIZE, FACE_SIZE, 1), dtype="float32")(faces)
    x = layers.Rescaling(1 / 255, dtype="float32")(x)
    x = augmentation(recipe.augmentation, recipe.seed)(x)
    x = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, dtype="float32", name="standardise")(x)
    stages = list(zip(recipe.network.widths, recipe.network.convolutions, strict=True))
    for stage, (width, convolutions) in enumerate(stages):
        for _ in range(convolutions):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, dtype=policy)(x)
            x = layers.BatchNormalization(momentum=0.95, dtype=policy)(x)
            x = layers.Activation("relu", dtype=policy)(x)
        if stage < len(stages) - 1:
            x = layers.MaxPooling2D(dtype=policy)(x)
    x = layers.GlobalAveragePooling2D(dtype="float32")(x)
    x = layers.Dropout(recipe.network.dropout, seed=recipe.seed, dtype="float32")(x)
    heads = {"fer2013": layers.Dense(len(EMOTIONS), "softmax", dtype="float32", name="fer2013")(x)}
    if ferplus:
        heads["ferplus"] = layers.Dense(len(FERPLUS), "softmax", dtype="float32", name="ferplus")(x)
    return keras.Model(faces, heads, name=recipe.name)
