"""Read the weights in a file that PyTorch wrote before version 1.6, without PyTorch and without running its code."""

import io
import math
import pickle
from collections import OrderedDict
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_Key = str


class _Storage:
    """Stands for numbers that follow later in the file."""

    def __init__(self, key: _Key, kind: Any) -> None:
        self.key, self.kind = key, kind


class _Tensor:
    """A view of a storage; strides are counted in numbers, and need not be those of rows one after the other."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides


def _rebuilt(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_rest: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


class _Reader(pickle.Unpickler):
    """Knows the few names that a file of weights needs, and refuses all others."""

    _known: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for. Raise `pickle.UnpicklingError` for an unknown one."""
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a file of weights")
        return self._known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that a reference names."""
        _, kind, key, *_ = pid
        return _Storage(key, kind)


def read_torch_file(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors in the file by name. Raise `ValueError` if it is not such a file or is cut off."""
    file = io.BytesIO(content)
    try:
        if _Reader(file).load() != _MAGIC:
            raise pickle.UnpicklingError("PyTorch did not write it, or its version 1.6 or later did")
        _protocol, _system, tensors, keys = (_Reader(file).load() for _ in range(4))
        kinds = {tensor.storage.key: tensor.storage.kind for tensor in tensors.values()}
        numbers = {key: _numbers(file, kinds[key]) for key in keys}
        return {name: _view(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"not a whole file of weights: {error}") from error


def _numbers(file: io.BytesIO, kind: np.dtype[Any]) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * kind.itemsize), kind, count)


def _view(numbers: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    """Return the tensor's numbers. Raise `ValueError` if it is no view of these."""
    if len(tensor.shape) != len(tensor.strides) or min((tensor.offset, *tensor.shape, *tensor.strides)) < 0:
        raise ValueError("a tensor without sound strides")
    last = tensor.offset + sum((side - 1) * stride for side, stride in zip(tensor.shape, tensor.strides, strict=True))
    if last >= len(numbers) or math.prod(tensor.shape) > len(numbers):
        raise ValueError("a tensor beyond its numbers")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()
