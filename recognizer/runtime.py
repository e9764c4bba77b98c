"""Run a TensorFlow Lite model through LiteRT from any number of threads.

An interpreter may be used by one thread at a time, so each thread creates its own at its first call. The weights are
shared pages of one buffer; an interpreter of the shipped models takes some megabytes.
"""

import threading
from collections import OrderedDict
from importlib.resources import files
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

FACE_MODELS = Path(str(files("recognizer") / "face_models"))
"""Folder of the models for faces; its NOTICE.md says where each is from."""


class TfliteModel:
    """A float32 `.tflite` model with one input. It may be called from several threads at once."""

    def __init__(self, content: bytes, shapes: int = 1) -> None:
        """Load the model from the bytes of its file. Raise `ValueError` if they are not a TensorFlow Lite model.

        shapes: number of input shapes that each thread is prepared for. Preparing for another takes longer than a run,
        above all where the shape is that of a picture.
        """
        self._content = content
        self._shapes = shapes
        self._of_thread = threading.local()
        interpreter = self._new_interpreter()
        entry = interpreter.get_input_details()[0]
        self._input, self._given_shape = int(entry["index"]), tuple(map(int, entry["shape"]))
        signatures = interpreter.get_signature_list()
        if signatures:
            details = interpreter.get_signature_runner(next(iter(signatures))).get_output_details()
            self._outputs = {name: int(tensor["index"]) for name, tensor in details.items()}
        else:
            self._outputs = {tensor["name"]: int(tensor["index"]) for tensor in interpreter.get_output_details()}
        widths = {tensor["index"]: int(tensor["shape"][-1]) for tensor in interpreter.get_output_details()}
        self.output_widths = {name: widths[index] for name, index in self._outputs.items()}
        """The length of each output's last axis, by output name."""

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the model on `batch`, whose first axis may have any length, and the others if the model allows it.

        Return the outputs by their names in the file's signature or, without a signature, by tensor name.
        """
        interpreter = self._prepared(batch.shape)
        interpreter.set_tensor(self._input, batch)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self._outputs.items()}

    def _prepared(self, shape: tuple[int, ...]) -> Interpreter:
        """Return this thread's interpreter for a shape: the one used for it before, or else the one that has not been
        used for the longest time.
        """
        kept: OrderedDict[tuple[int, ...], Interpreter] | None = getattr(self._of_thread, "kept", None)
        if kept is None:
            kept = self._of_thread.kept = OrderedDict()
        interpreter = kept.pop(shape, None)
        if interpreter is None:
            is_new = len(kept) < self._shapes
            interpreter = self._new_interpreter() if is_new else kept.popitem(last=False)[1]
            if not is_new or shape != self._given_shape:
                interpreter.resize_tensor_input(self._input, shape)
                interpreter.allocate_tensors()
        kept[shape] = interpreter
        return interpreter

    def _new_interpreter(self) -> Interpreter:
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        interpreter.allocate_tensors()
        return interpreter
