"""Multiply-adds are counted from a file, whatever made it, and runs while a photo is read."""

import keras
import numpy as np
import pytest
from keras import layers

from recognizer import Recognizer
from recognizer.runtime import FACE_MODELS
from tests.bench.multiply_adds import counted_runs, multiply_adds
from tests.bench.speed import cost_table
from training.fitting.tflite import to_tflite


@pytest.mark.parametrize("given", [(48, 64), (None, None)])
def test_multiply_adds_are_those_of_every_convolution_and_dense_layer(given: tuple[int | None, int | None]) -> None:
    height, width = (given[0] or 480), (given[1] or 640)
    photo = keras.Input((*given, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(photo)
    x = layers.DepthwiseConv2D(5, padding="same", activation="relu")(x)
    network = keras.Model(photo, layers.Dense(6)(layers.GlobalAveragePooling2D()(x)))
    places = (height // 2) * (width // 2)
    assert multiply_adds(to_tflite(network)) == places * 4 * (3 * 3 * 3) + places * 4 * (5 * 5) + 4 * 6


def test_each_view_of_each_face_is_a_run(recognizer: Recognizer) -> None:
    with counted_runs() as runs:
        recognizer.classify(np.zeros((3, 48, 48), np.uint8))
    assert list(runs.values()) == [3 * len(recognizer.classifier.card.views)]


def test_the_table_has_every_shipped_network_and_their_sum() -> None:
    assert cost_table().row_count == len(list(FACE_MODELS.glob("*.tflite"))) + 2
