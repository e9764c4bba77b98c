"""Files of weights as PyTorch wrote them before version 1.6, made here as its format says."""

import io
import pickle
import sys
from collections import OrderedDict
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.fitting.torch_file import read_torch_file

_MAGIC = 0x1950A86A20F9469CFC6C


class _Reference:
    """Numbers that follow later in the file."""

    def __init__(self, key: str, kind: str, size: int) -> None:
        self.key, self.kind, self.size = key, kind, size


def _rebuild_tensor_v2(*parts: object) -> object:
    return parts


class _Tensor:
    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return _rebuild_tensor_v2, self.parts


class FloatStorage:
    pass


class _Writer(pickle.Pickler):
    def persistent_id(self, thing: object) -> tuple[object, ...] | None:
        if isinstance(thing, _Reference):
            return "storage", FloatStorage, thing.key, "cpu", thing.size, None
        return None


@pytest.fixture
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the classes here go by PyTorch's names."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)
    for thing, module in ((FloatStorage, torch), (_rebuild_tensor_v2, inner)):
        monkeypatch.setattr(thing, "__module__", module.__name__)
        setattr(module, thing.__name__, thing)


@pytest.fixture
def written(torch_names: None) -> bytes:
    """Return a file with a matrix, its second row, its second column, and what it is when turned."""
    return file_of(matrix=(0, (2, 3), (3, 1)), row=(3, (3,), (1,)), column=(1, (2,), (3,)), turned=(0, (3, 2), (1, 3)))


def file_of(**views: tuple[int, tuple[int, ...], tuple[int, ...]]) -> bytes:
    """Return a file with these views of the numbers 0 to 5: offset, shape and strides of each."""
    storage = _Reference("7", "FloatStorage", 6)
    tensors = OrderedDict((name, _Tensor(storage, *view, False, OrderedDict())) for name, view in views.items())
    file = io.BytesIO()
    for part in (_MAGIC, 1001, {"little_endian": True}, tensors, ["7"]):
        _Writer(file, protocol=2).dump(part)
    numbers: NDArray[np.float32] = np.arange(6, dtype="<f4")
    file.write((6).to_bytes(8, "little") + numbers.tobytes())
    return file.getvalue()


def test_tensors_are_read_by_their_names(written: bytes) -> None:
    read = read_torch_file(written)
    np.testing.assert_array_equal(read["matrix"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(read["row"], [3, 4, 5])


def test_views_are_read_by_their_strides(written: bytes) -> None:
    read = read_torch_file(written)
    np.testing.assert_array_equal(read["column"], [1, 4])
    np.testing.assert_array_equal(read["turned"], [[0, 3], [1, 4], [2, 5]])


@pytest.mark.parametrize(
    "view",
    [
        (0, (2, 3), (3, 2)),
        (4, (3,), (1,)),
        (-1, (3,), (1,)),
        (5, (3,), (-1,)),
        (0, (2, 3), (3,)),
        (0, (1 << 60, 1 << 60), (0, 0)),
    ],
)
def test_a_view_of_what_is_not_there_is_refused(
    torch_names: None, view: tuple[int, tuple[int, ...], tuple[int, ...]]
) -> None:
    with pytest.raises(ValueError, match="not a whole file"):
        read_torch_file(file_of(odd=view))


def test_a_file_that_is_cut_off_or_of_another_kind_is_refused(written: bytes) -> None:
    for content in (b"", b"PK", written[:40], written[:-10], pickle.dumps(1)):
        with pytest.raises(ValueError, match="not a"):
            read_torch_file(content)


def test_a_file_that_would_run_something_is_refused() -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
            return print, ("run",)

    parts: tuple[object, ...] = (_MAGIC, 1001, {}, Harmful())
    content = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    with pytest.raises(ValueError, match="print is not part of a file of weights"):
        read_torch_file(content)
