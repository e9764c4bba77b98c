"""Hand the batches of an epoch to Keras, made in other processes where the machine has cores to spare."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import keras

from training.fitting.augmentation_process import keep, made
from training.fitting.epochs import Batch, Epochs

_CORES_TO_SPARE = 4
"""On a machine with fewer cores than this the network itself is what takes the time."""


def spare_processes() -> int:
    """Return how many processes may augment faces beside the one that trains; 0 for none."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    return max(0, (cores or 1) - 2) if (cores or 1) >= _CORES_TO_SPARE else 0


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The training faces in batches, in an order of their own in every epoch.

    Keras's own shuffling repeats the same order in every epoch once a seed is set (seen with Keras 3.15 on TensorFlow).
    processes: how many others make the batches, 0 for none. They end with `close`.
    """

    def __init__(self, epochs: Epochs, processes: int = 0) -> None:
        super().__init__(workers=max(1, processes), max_queue_size=max(10, 2 * processes))
        self._epochs = epochs
        self._pool = (
            ProcessPoolExecutor(processes, get_context("spawn"), initializer=keep, initargs=(epochs,))
            if processes
            else None
        )
        self.shuffle(epoch=0)

    def shuffle(self, epoch: int) -> None:
        """Set the order of `epoch`."""
        self._epoch, self._order = epoch, self._epochs.order(epoch)

    def close(self) -> None:
        """End the other processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return self._epochs.batches

    def __getitem__(self, number: int) -> Batch:
        if self._pool is None:
            return self._epochs.batch(self._epoch, number, self._order)
        return self._pool.submit(made, self._epoch, number).result()
