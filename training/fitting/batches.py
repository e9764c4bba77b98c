"""Hand the batches of an epoch to Keras, made in other processes where the machine has cores to spare."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import keras

from training.fitting.augmentation_process import keep, made
from training.fitting.epochs import Batch, Epochs

_BATCHES_A_PROCESS = 20
"""Batches of an epoch from which one more process is worth its start."""


def spare_processes(batches: int) -> int:
    """Return how many processes may make an epoch of so many batches beside the one that trains; 0 for none."""
    return min(max(0, (os.cpu_count() or 1) - 2), batches // _BATCHES_A_PROCESS)


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
