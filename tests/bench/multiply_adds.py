"""Count the multiply-adds of a network from its `.tflite` file: what it costs, whatever the processor."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from recognizer.runtime import TfliteModel

PHOTO = (480, 640)
"""Height and width at which a network is counted that takes a photo of any size."""
_FREE = -1
_ONLY_XNNPACK = "Convolution2DTransposeBias"
"""A transposed convolution of MediaPipe's, for which there are no reference kernels."""


def multiply_adds(content: bytes) -> int:
    """Return the multiply-adds of one run on one input, from the content of a `.tflite` file.

    Counted are convolutions and fully connected layers; what other operations do to each value is small beside them.
    """
    # the reference kernels leave every operation in the list, where a delegate would merge them
    network = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    operations = network._get_ops_details()
    if all(operation["op_name"] != _ONLY_XNNPACK for operation in operations):  # else all shapes are in the file
        for entry in network.get_input_details():
            network.resize_tensor_input(entry["index"], _shape(entry["shape_signature"]))
        network.allocate_tensors()
        network.invoke()  # some shapes are known only then
    return sum(
        _of_operation(operation["op_name"], network, operation["inputs"], operation["outputs"])
        for operation in operations
    )


@contextmanager
def counted_runs() -> Iterator[Counter[bytes]]:
    """Count how often each network is run meanwhile, by the content of its file; each face of a batch is a run."""
    runs: Counter[bytes] = Counter()
    run = TfliteModel.run

    def counting(model: TfliteModel, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        runs[model._content] += len(batch)
        return run(model, batch)

    with patch.object(TfliteModel, "run", counting):
        yield runs


def _shape(signature: NDArray[np.int32]) -> tuple[int, ...]:
    """Return an input's shape with one input in the batch, and the size of a photo where it is free."""
    free = iter(PHOTO)
    rest = (next(free) if length == _FREE else int(length) for length in signature[1:])
    return (1, *rest)


def _of_operation(name: str, network: Interpreter, inputs: NDArray[np.int32], outputs: NDArray[np.int32]) -> int:
    """Return the multiply-adds of one operation: the values it computes times the weights that each of them takes."""
    if name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", _ONLY_XNNPACK}:
        return 0
    shapes = {int(tensor["index"]): tensor["shape"] for tensor in network.get_tensor_details()}
    weights = shapes[int(inputs[1])]
    if name == _ONLY_XNNPACK:  # each value of the input is spread over a patch of the output
        return math.prod(map(int, shapes[int(inputs[0])])) * math.prod(map(int, weights[:3]))
    each = math.prod(weights[1:3]) if name == "DEPTHWISE_CONV_2D" else math.prod(weights[1:])
    return math.prod(map(int, shapes[int(outputs[0])])) * int(each)
