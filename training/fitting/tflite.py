"""Convert a network to the form that is served.

TensorFlow converts. A network of another backend is saved and converted in a process of its own, from the same file's
worth of layers and weights: what Keras exports from JAX cannot be converted where a network has dropout.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras

from training import TrainingError
from training.fitting import normalization  # noqa: F401  # its layer is in what is loaded

_NETWORK, _CONVERTED = "network.keras", "network.tflite"


def to_tflite(network: keras.Model) -> bytes:
    """Convert the network to a LiteRT file with int8 weights and float activations (dynamic-range quantisation).

    Input "faces": float32 `(n, 48, 48)`, 0 to 255. Outputs: the network's heads by name. Source:
    https://ai.google.dev/edge/litert/models/post_training_quantization
    """
    if keras.backend.backend() == "tensorflow":
        return _converted(network)
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / _NETWORK)
        command = [sys.executable, "-m", "training.fitting.tflite", folder]
        accelerators_are_taken = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, check=False, env=os.environ | accelerators_are_taken)  # noqa: S603  # our own
        if done.returncode:
            raise TrainingError("The network could not be converted by TensorFlow; the reason is above.")
        return (Path(folder) / _CONVERTED).read_bytes()


def _converted(network: keras.Model) -> bytes:
    import tensorflow as tf  # noqa: PLC0415  # a process with another backend needs none

    faces = keras.Input(network.input_shape[1:], dtype="float32", name="faces")
    serving = keras.Model(faces, network(faces, training=False))
    with tempfile.TemporaryDirectory() as folder:
        serving.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        content: bytes = converter.convert()
    return content


def main(folder: Path) -> None:
    """Convert the network in a folder."""
    network = keras.saving.load_model(folder / _NETWORK, compile=False)
    (folder / _CONVERTED).write_bytes(_converted(network))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
