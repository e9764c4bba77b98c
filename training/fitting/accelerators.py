"""Spread each batch over the accelerators of this machine, through Keras's own distribution API.

Every accelerator has the whole network and its share of each batch (data parallelism). Gradients, batch statistics and
figures are those of the whole batch, so a fit learns the same on one and on several. Of Keras's backends only JAX
distributes (Keras 3.15: TensorFlow has a prototype that its trainer does not use, PyTorch has nothing).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache

import keras
from rich.console import Console

_DISTRIBUTING = "jax"
"""The backend whose trainer uses a distribution."""


class Spread:
    """Where the batches of one fit are computed: on one accelerator, or in equal shares on several.

    A fit says once on standard error what becomes of several accelerators; where there is one or none, it is silent.
    """

    def __init__(self, batch_size: int) -> None:
        """batch_size: of every batch but an epoch's last. The most accelerators that divide it are used."""
        names, backend = _accelerators(), keras.backend.backend()
        used = max(count for count in range(1, len(names) + 1) if batch_size % count == 0) if names else 1
        if len(names) > 1:
            _tell(_sentence(len(names), used, batch_size, backend))
        several = used > 1 and backend == _DISTRIBUTING
        self._distribution = keras.distribution.DataParallel(devices=names[:used]) if several else None

    @property
    def shares(self) -> int:
        """Return how many shares a batch has; it must have a multiple of so many faces."""
        return self._distribution.num_model_replicas if self._distribution else 1

    def begun(self) -> AbstractContextManager[None]:
        """Return a context in which networks are built and fitted spread; those that are fitted must be built in it."""
        return self._distribution.scope() if self._distribution else nullcontext()


@contextmanager
def unspread() -> Iterator[None]:
    """Compute batches whole in this context, also those of spread networks: Keras can share out only batches that the
    number of accelerators divides, which the last one of an evaluation or a prediction seldom is.
    """
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


class UnspreadValidation(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Has every accelerator compute the whole of each batch in the validation of a fit, as in `unspread`."""

    def __init__(self) -> None:
        super().__init__()
        self._before: keras.distribution.Distribution | None = None

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Stop spreading; called by Keras before the first batch of the validation."""
        self._before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Spread again; called by Keras."""
        keras.distribution.set_distribution(self._before)


def _accelerators() -> list[str]:
    """Return the names of the accelerators that the backend sees, or of its processors where it sees none."""
    if keras.backend.backend() == "torch":
        import torch  # noqa: PLC0415  # other backends need none

        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    names: list[str] = keras.distribution.list_devices()
    return names


def _sentence(found: int, used: int, batch_size: int, backend: str) -> str:
    if backend != _DISTRIBUTING:
        return f"{found} accelerators, one is used: with {backend}, Keras spreads no batches. Set KERAS_BACKEND=jax."
    if used < found:
        return (
            f"{found} accelerators, {'one is' if used == 1 else f'{used} are'} used: {found} do not divide a batch of "
            f"{batch_size} faces. In a recipe, a batch_size that {found} divides uses them all."
        )
    return f"{found} accelerators: each batch of {batch_size} faces is spread over them."


@lru_cache
def _tell(sentence: str) -> None:
    """Print a sentence, once a process: some commands fit several networks."""
    Console(stderr=True).print(sentence, highlight=False, soft_wrap=True)
