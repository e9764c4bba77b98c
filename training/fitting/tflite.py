"""Convert a network to the form that is served."""

import tempfile

import keras
import tensorflow as tf


def to_tflite(network: keras.Model) -> bytes:
    """Convert the network to a LiteRT file with int8 weights and float activations (dynamic-range quantisation).

    Input "faces": float32 `(n, 48, 48)`, 0 to 255. Outputs: the network's heads by name. Source:
    https://ai.google.dev/edge/litert/models/post_training_quantization
    """
    faces = keras.Input(network.input_shape[1:], dtype="float32", name="faces")
    serving = keras.Model(faces, network(faces, training=False))
    with tempfile.TemporaryDirectory() as folder:
        serving.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        content: bytes = converter.convert()
    return content
