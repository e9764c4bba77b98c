"""Sharpness-aware minimisation: learn where the loss is low all around, not in one point only.

Foret et al. 2021 (https://arxiv.org/abs/2010.01412) and, for steps that are in proportion to each weight, Kwon et al.
2021 (https://arxiv.org/abs/2102.11600). That a fifth of each batch suffices to find the way up: Brock et al. 2021
(https://arxiv.org/abs/2102.06171).
"""

from typing import Any

import keras
import tensorflow as tf

Heads = dict[str, keras.KerasTensor]
_LEAST_SCALE = 0.01
"""Added to the size of a weight, so that one at zero moves, too (Kwon et al.)."""


class SharpnessAware(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network that learns from the gradient not where its weights are but a step uphill from there.

    radius, adaptive: of that step, see `uphill`. ascent: the share of each batch that says which way is up. Both
    gradients drop the same units where they see the same pictures. The running mean and variance of batch normalisation
    are those before the step. On TensorFlow only, whose gradients it takes.
    """

    def __init__(self, network: keras.Model, radius: float, *, adaptive: bool, ascent: float = 1.0) -> None:
        super().__init__()
        self.network, self.radius, self.adaptive, self.ascent = network, radius, adaptive, ascent
        self.built = True  # as the network is

    def call(self, faces: keras.KerasTensor, training: bool | None = None) -> Heads:
        """Return the network's heads for faces `(n, 48, 48)`."""
        heads: Heads = self.network(faces, training=training)
        return heads

    def train_step(self, data: Any) -> Any:
        """Learn from one batch; called by Keras."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        weights = [weight.value for weight in self.trainable_weights]
        state = [variable.value for variable in self.non_trainable_variables]
        here, other = _values(weights), _values(state)
        _, _, gradients = self._gradients(*self._first_of(x, y, sample_weight))
        other_afterwards = _values(state)
        steps = uphill(here, gradients, self.radius, adaptive=self.adaptive)
        _set(weights, [value + step for value, step in zip(here, steps, strict=True)])
        _set(state, other)
        loss, said, gradients = self._gradients(x, y, sample_weight)
        _set(weights, here)
        _set(state, other_afterwards)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        means = next(metric for metric in self.metrics if metric.name == "loss")
        means.update_state(loss, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, said, sample_weight=sample_weight)

    def _first_of(self, *batch: Any) -> Any:
        """Return the share of a batch that says which way is up: its first pictures, with their targets."""
        count = tf.cast(tf.math.ceil(self.ascent * tf.cast(tf.shape(batch[0])[0], "float32")), "int32")
        return keras.tree.map_structure(lambda rows: None if rows is None else rows[:count], batch)

    def _gradients(self, x: Any, y: Any, sample_weight: Any) -> tuple[tf.Tensor, Heads, list[tf.Tensor]]:
        """Return the loss, what the network says, and the gradients, where the weights are now."""
        with tf.GradientTape() as tape:
            said = self(x, training=True)
            loss = self.compute_loss(x, y, said, sample_weight, training=True)
        return loss, said, tape.gradient(loss, self.trainable_weights)


def uphill(weights: list[tf.Tensor], gradients: list[tf.Tensor], radius: float, *, adaptive: bool) -> list[tf.Tensor]:
    """Return the step of each weight along which the loss rises most within the radius, to first order.

    adaptive: the radius bounds the steps after division by the size of the weights. Biases and the scales and shifts of
    batch normalisation, whatever has fewer than two dimensions, count with size 1 then.
    """
    sizes = [_size(weight) if adaptive and weight.ndim > 1 else tf.ones_like(weight) for weight in weights]
    scaled = [size * gradient for size, gradient in zip(sizes, gradients, strict=True)]
    factor = radius / (tf.linalg.global_norm(scaled) + 1e-12)
    return [factor * size * slope for size, slope in zip(sizes, scaled, strict=True)]


def _size(weight: tf.Tensor) -> tf.Tensor:
    return tf.abs(weight) + _LEAST_SCALE


def _values(variables: list[tf.Variable]) -> list[tf.Tensor]:
    """Return copies that a later assignment does not change."""
    return [tf.identity(variable) for variable in variables]


def _set(variables: list[tf.Variable], values: list[tf.Tensor]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
