"""Run a TensorFlow Lite model through LiteRT from any number of threads.

An interpreter may be used by one thread at a time, so each thread creates its own at its first call. The weights are
shared pages of one buffer; an interpreter of the shipped models takes some megabytes.
"""

import threading
from importlib.resources import files
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

FACE_MODELS = Path(str(files("recognizer") / "face_models"))
"""Folder of MediaPipe's models; its NOTICE.md says where each is from."""


class TfliteModel:
    """A float32 `.tflite` model with one input. It may be called from several threads at once."""

    def __init__(self, content: bytes) -> None:
        """Load the model from the bytes of its file. Raise `ValueError` if they are not a TensorFlow Lite model."""
        self._content = content
        self._of_thread = threading.local()
        interpreter = self._interpreter()
        signatures = interpreter.get_signature_list()
        if signatures:
            details = interpreter.get_signature_runner(next(iter(signatures))).get_output_details()
            self._outputs = {name: int(tensor["index"]) for name, tensor in details.items()}
        else:
            self._outputs = {tensor["name"]: int(tensor["index"]) for tensor in interpreter.get_output_details()}

    @property
    def output_widths(self) -> dict[str, int]:
        """Return the length of each output's last axis, by output name."""
        shapes = {tensor["index"]: tensor["shape"] for tensor in self._interpreter().get_output_details()}
        return {name: int(shapes[index][-1]) for name, index in self._outputs.items()}

    @classmethod
    def from_file(cls, path: Path) -> "TfliteModel":
        """Load the model from a file. Raise `FileNotFoundError` or `ValueError`."""
        return cls(path.read_bytes())

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the model on `batch`, whose first axis may have any length.

        Return the outputs by their names in the file's signature or, without a signature, by tensor name.
        """
        interpreter = self._interpreter()
        entry = interpreter.get_input_details()[0]
        if tuple(entry["shape"]) != batch.shape:
            interpreter.resize_tensor_input(entry["index"], batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(entry["index"], batch)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self._outputs.items()}

    def _interpreter(self) -> Interpreter:
        interpreter: Interpreter | None = getattr(self._of_thread, "interpreter", None)
        if interpreter is None:
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            interpreter.allocate_tensors()
            self._of_thread.interpreter = interpreter
        return interpreter
