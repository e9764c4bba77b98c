"""Batches are spread over what accelerators there are; here, the devices that JAX makes of a processor."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting import accelerators
from training.fitting.accelerators import Spread
from training.fitting.epochs import Epochs
from training.fitting.targets import targets_of

TWO_DEVICES = {
    "KERAS_BACKEND": "jax",
    # The second flag is the patience of one device with another, after which a busy machine's process is aborted.
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_cpu_collective_call_terminate_timeout_seconds=500",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiling takes longer than the few steps
}
TWO_PROCESSORS = """
import tensorflow as tf
one = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [one, one])
from training.fitting.accelerators import Spread
print([Spread(16).shares, Spread(16).shares])
"""


def ran(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "COLUMNS": "200", **environment}
    done = subprocess.run([sys.executable, *command], check=False, capture_output=True, text=True, env=whole)
    assert done.returncode == 0, done.stderr
    return done


def spread(count: int, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> Spread:
    """What becomes of a batch with JAX and so many accelerators."""
    accelerators._tell.cache_clear()
    monkeypatch.setattr(accelerators, "_accelerators", lambda: [f"gpu:{number}" for number in range(count)])
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    return Spread(batch_size)


def test_a_fit_on_two_devices_learns_and_resumes_and_is_exported_as_on_one(tmp_path: Path) -> None:
    done = ran("-m", "tests.training.fitting.spread_fits", str(tmp_path), **TWO_DEVICES)
    seen = json.loads(done.stdout.splitlines()[-1])
    one, two = seen["history"]["one"], seen["history"]["two"]
    assert one["epoch"] == two["epoch"] == seen["history"]["teacher"]["epoch"] == [0, 1]
    for name, figures in one.items():
        assert two[name] == pytest.approx(figures, abs=1e-4), name
    assert seen["shares"] == {"odd": [[8, 8], [15]], "one": [[16]], "two": [[8, 8], [8, 8]]}
    assert seen["exported"] < 0.01
    assert done.stderr.count("2 accelerators: each batch of 16 faces is spread over them.") == 1


def test_with_tensorflow_one_is_used_and_told_once_how_to_use_all() -> None:
    done = ran("-c", TWO_PROCESSORS, KERAS_BACKEND="tensorflow")
    assert done.stdout == "[1, 1]\n"
    assert done.stderr.count("2 accelerators, one is used") == done.stderr.count("Set KERAS_BACKEND=jax.") == 1


def test_the_accelerators_of_pytorch_are_counted_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accelerators._tell.cache_clear()
    two = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 2))  # PyTorch is not among what tests need
    monkeypatch.setitem(sys.modules, "torch", two)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert Spread(16).shares == 1
    assert "2 accelerators, one is used: with torch" in capsys.readouterr().err


@pytest.mark.parametrize("count", [0, 1])
def test_one_accelerator_or_none_needs_no_word(
    count: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spread(count, 16, monkeypatch).shares == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("count", "batch_size", "shares", "told"),
    [
        (4, 16, 4, "4 accelerators: each batch of 16 faces is spread over them."),
        (3, 16, 2, "3 accelerators, 2 are used: 3 do not divide a batch of 16 faces."),
        (2, 17, 1, "2 accelerators, one is used: 2 do not divide a batch of 17 faces."),
    ],
)
def test_so_many_are_used_as_divide_the_batch(
    count: int,
    batch_size: int,
    shares: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert spread(count, batch_size, monkeypatch).shares == shares
    assert " ".join(capsys.readouterr().err.split()).startswith(told)


def test_an_epoch_has_no_batch_that_cannot_be_shared_out_and_no_other_number_of_them() -> None:
    recipe, faces = tiny_recipe(), easy_faces(70)[:65]
    whole, shared = (
        Epochs(faces, targets_of(faces, recipe, faces.class_counts), recipe, shares=shares) for shares in (1, 4)
    )
    orders = whole.order(0), shared.order(0)
    assert orders[1].tolist() == [*orders[0], *orders[0][:3]]
    sizes = [len(shared.batch(0, number, orders[1])[0]) for number in range(shared.batches)]
    assert sizes == [16, 16, 16, 16, 4]
    assert whole.batches == shared.batches
    assert np.unique(orders[1]).tolist() == list(range(65))
