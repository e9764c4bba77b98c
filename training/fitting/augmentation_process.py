"""What runs in the processes that make batches: one set of faces for each process, one order for each epoch."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.fitting.epochs import Batch, Epochs

_kept: list[Epochs] = []


def keep(epochs: Epochs) -> None:
    """Keep the faces from which this process makes batches."""
    _kept[:] = [epochs]


def made(epoch: int, number: int) -> Batch:
    """Return one batch of an epoch."""
    return _kept[0].batch(epoch, number, _order(epoch))


@lru_cache(maxsize=2)
def _order(epoch: int) -> NDArray[np.intp]:
    return _kept[0].order(epoch)
