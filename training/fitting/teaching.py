"""Distillation at every step: the teachers look at the same picture as the network that learns."""

from typing import Any

import keras
from keras import ops

Heads = dict[str, keras.KerasTensor]


class Taught(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network whose targets are, in part, what teachers say about the picture in front of it.

    The share `teaching` of each head's target is the mean of the teachers' probabilities over the picture and its
    mirror image, however the picture was changed or mixed ("function matching", Beyer et al. 2022,
    https://arxiv.org/abs/2106.05237). Only the network learns; `validate` and `predict` do without the teachers.
    """

    def __init__(self, network: keras.Model, teachers: list[keras.Model], teaching: float) -> None:
        super().__init__()
        self.network, self.teachers, self.teaching = network, teachers, teaching
        for teacher in teachers:
            teacher.trainable = False

    def call(self, faces: keras.KerasTensor, training: bool | None = None) -> Heads:
        """Return the network's heads for faces `(n, 48, 48)`."""
        heads: Heads = self.network(faces, training=training)
        return heads

    def compute_loss(  # Keras's signature
        self,
        x: keras.KerasTensor | None = None,
        y: Heads | None = None,
        y_pred: Heads | None = None,
        sample_weight: Heads | None = None,
        training: bool | None = True,
    ) -> Any:
        """Return the loss against the blended targets while fitting, against the given ones otherwise."""
        if training and y is not None:
            said = self._said(x)
            y = {head: (1 - self.teaching) * y[head] + self.teaching * said[head] for head in y}
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)

    def _said(self, faces: keras.KerasTensor) -> Heads:
        """Return the mean of what the teachers say about the faces and their mirror images."""
        faces = ops.cast(faces, "float32")
        both = ops.concatenate([faces, ops.flip(faces, axis=2)])
        said = [teacher(both, training=False) for teacher in self.teachers]
        heads = set.intersection(*(set(each) for each in said))
        means = {head: ops.mean(ops.stack([each[head] for each in said]), axis=0) for head in heads}
        sides = {head: ops.split(mean, 2) for head, mean in means.items()}
        return {head: ops.stop_gradient((own + mirrored) / 2) for head, (own, mirrored) in sides.items()}
