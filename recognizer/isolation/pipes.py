"""Both ways to a process whose word is not trusted: nothing it does, or leaves undone, holds up the caller for longer.

It may have started others that hold its ends of the pipes open, so to end it is not enough.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

_CAN_WAIT = sys.platform != "win32"
"""Whether the system can wait for a pipe."""
_MOST_AT_ONCE = 1 << 20


class Pipes:
    """The pipes to and from a process. All methods raise `TimeoutError` once `end` has passed, `EOFError` where the
    process has closed its side, or another `OSError`.

    end: on the clock of `time.monotonic`, in seconds.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """process: started with pipes for its standard input and output."""
        self._process = process
        self._jobs, self._results = _open_end(process.stdin), _open_end(process.stdout)
        self._rest = b""
        if _CAN_WAIT:
            for pipe in (self._jobs, self._results):
                os.set_blocking(pipe.fileno(), False)

    @property
    def is_quiet(self) -> bool:
        """Return whether the process has said nothing that was not asked for."""
        if self._rest or not _CAN_WAIT:
            return not self._rest
        ready = select.poll()
        ready.register(self._results, select.POLLIN)
        return not ready.poll(0)

    @contextmanager
    def limited(self, end: float) -> Iterator[None]:
        """Hold to the end in this context where the system cannot wait for pipes: by killing the process."""
        if _CAN_WAIT:
            yield
            return
        timer = threading.Timer(max(0.0, end - time.monotonic()), self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def send(self, data: bytes, end: float) -> None:
        """Send all bytes."""
        rest = memoryview(data)
        while rest:
            self._wait(self._jobs, select.POLLOUT if _CAN_WAIT else 0, end)
            try:
                rest = rest[os.write(self._jobs.fileno(), rest[:_MOST_AT_ONCE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise EOFError from error

    def line(self, most: int, end: float) -> bytes:
        """Receive up to the next end of a line. Raise `ValueError` if there is none in so many bytes."""
        while b"\n" not in self._rest:
            if len(self._rest) > most:
                raise ValueError("the line is too long")
            self._rest += self._some(_MOST_AT_ONCE, end)
        line, _, self._rest = self._rest.partition(b"\n")
        if len(line) > most:
            raise ValueError("the line is too long")
        return line

    def fill(self, view: memoryview, end: float) -> None:
        """Receive as many bytes as the view has."""
        begun, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(begun)] = begun
        view = view[len(begun) :]
        while view:
            some = self._some(min(len(view), _MOST_AT_ONCE), end)
            view[: len(some)] = some
            view = view[len(some) :]

    def close(self) -> None:
        """Close both. Raise nothing."""
        for pipe in (self._jobs, self._results):
            with suppress(OSError):
                pipe.close()

    def _some(self, most: int, end: float) -> bytes:
        while True:
            self._wait(self._results, select.POLLIN if _CAN_WAIT else 0, end)
            try:
                some = os.read(self._results.fileno(), most)
            except BlockingIOError:
                continue
            if not some:
                raise EOFError if time.monotonic() < end else TimeoutError
            return some

    @staticmethod
    def _wait(pipe: IO[bytes], event: int, end: float) -> None:
        if not _CAN_WAIT:
            return
        ready = select.poll()
        ready.register(pipe, event)
        left_s = end - time.monotonic()
        if left_s <= 0 or not ready.poll(1000 * left_s):
            raise TimeoutError


def _open_end(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
