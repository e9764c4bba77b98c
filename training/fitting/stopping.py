"""End a fit from outside, by Ctrl-C or SIGTERM, between two batches: never while an epoch is being saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import keras


class Stopping(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Raises `KeyboardInterrupt` after the batch in hand once a signal came; a second signal raises it at once.

    An interrupt while weights are written would leave a file that can be opened and lacks some of them.
    """

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        super().__init__()
        self._is_asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals until the context is left; only in the main thread, where Python lets them be taken."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._hear) for number in self._signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Stop here if it was asked for; called by Keras."""
        if self._is_asked:
            raise KeyboardInterrupt

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
