"""Run work on untrusted pictures in processes that can be ended: `worker` does it.

The processes are started when they are first needed, one for each caller at a time up to a limit, and replaced when
they die.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import MAX_BYTES
from recognizer.isolation.pipes import Pipes
from recognizer.isolation.serialization import MOST_HEADER_BYTES, Message, read_messages
from recognizer.photo_error import PhotoError, PhotoProblem

MOST = 64
"""Number of processes where nobody sets a lower one."""
WALL_S = 30.0
"""Time, in seconds, after which a job is given up though it uses no processor, or no process was free for it."""
RECEIVED = b"received"
"""The line with which a process says that it has a job, before it looks at the picture."""

Work = Literal["decode", "glance", "frames", "film", "scenes"]
Unpacked = TypeVar("Unpacked")

_LEAST_S = 0.01
_FAREWELL_S = 0.05
_MOST_FAULT = 200
_MODULE = "recognizer.isolation.worker"
_TIMERS = {-getattr(signal, name) for name in ("SIGPROF", "SIGALRM") if hasattr(signal, name)}
_PASSED_ON = {
    "HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TEMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
}  # fmt: skip
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",  # glibc's: give memory back after each picture
    "MALLOC_MMAP_THRESHOLD_": "1048576",
}


class IsolationError(Exception):
    """No process can be started, or one met an error in this software; the picture is not to blame."""


class Processes:
    """Processes that work on pictures. They may be used from several threads at once."""

    def __init__(self, most: int = MOST, wall_s: float = WALL_S) -> None:
        """most: number of processes at work; callers beyond it wait. wall_s: as `WALL_S`."""
        self._places = threading.BoundedSemaphore(most)
        self._wall_s = wall_s
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _end_all, self._idle)

    def run(
        self, work: Work, data: bytes, clock: ProcessorClock, unpack: Callable[[Message], Unpacked]
    ) -> list[Unpacked]:
        """Return what a process makes of a picture, within the time that the clock has left.

        unpack: makes something of each message that the process sends; raises an error for what no sound process sends.
        Raise `PhotoError`, or `IsolationError`.
        """
        if not data:
            raise PhotoError(PhotoProblem.EMPTY)
        if len(data) > MAX_BYTES:
            raise PhotoError(PhotoProblem.TOO_MANY_BYTES)
        end = time.monotonic() + self._wall_s
        if not self._places.acquire(timeout=self._wall_s):
            raise PhotoError(PhotoProblem.TOOK_TOO_LONG)
        try:
            result = self._result(_Job(work, data, max(clock.left_s, _LEAST_S), end, unpack))
        except OSError as error:  # no memory, no descriptors
            raise IsolationError(f"No process can be started ({error.strerror}).") from error
        finally:
            self._places.release()
        clock.spend(result.spent_s)
        if result.fault:
            raise IsolationError(f"An error in a process: {result.fault}.")
        if result.problem is not None:
            raise PhotoError(result.problem)
        return result.unpacked

    def close(self) -> None:
        """End the processes, those in use after their job. Work that comes later gets a process of its own."""
        with self._lock:
            self._is_closed = True
            idle, self._idle[:] = list(self._idle), []
        _end_all(idle)

    def _result(self, job: "_Job[Unpacked]") -> "_Result[Unpacked]":
        """Return the result of an idle process, or of a new one if that turns out to be dead. Raise `OSError`."""
        process = self._take()
        result = process.run(job)
        if result is None:
            process = _Process()
            result = process.run(job)
        self._give_back(process)
        if result is None:
            raise IsolationError("A process that was just started has died.")
        return result

    def _take(self) -> "_Process":
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.end()
        return _Process()

    def _give_back(self, process: "_Process") -> None:
        with self._lock:
            if process.is_alive and not self._is_closed:
                self._idle.append(process)
                return
        process.end()


@dataclass(frozen=True)
class _Job(Generic[Unpacked]):
    """seconds: processor time that it may take. end: when it is given up, on the clock of `time.monotonic`. unpack: as
    in `Processes.run`.
    """

    work: Work
    data: bytes
    seconds: float
    end: float
    unpack: Callable[[Message], Unpacked]

    @property
    def wall_s(self) -> float:
        """Return the time left until it is given up, in seconds."""
        return max(_LEAST_S, self.end - time.monotonic())


@dataclass(frozen=True)
class _Result(Generic[Unpacked]):
    """problem: what is wrong with the picture. fault: where an error of this software happened; empty for none."""

    unpacked: list[Unpacked]
    problem: PhotoProblem | None
    spent_s: float
    fault: str = ""


class _Process:
    """One process, with one caller at a time."""

    def __init__(self) -> None:
        folder = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603  (this module, by this interpreter)
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**_passed_on(), **_ENVIRONMENT, "PYTHONPATH": path},
        )
        self._pipes = Pipes(self._process)

    @property
    def is_alive(self) -> bool:
        """Return whether it can take a job: it lives, and has said no more than its results."""
        return self._process.poll() is None and self._pipes.is_quiet

    def run(self, job: _Job[Unpacked]) -> _Result[Unpacked] | None:
        """Return the result of a job; if the process dies of it, that is the result, and the process is over.

        Return None if it has died before it looked at the job.
        """
        is_sound = has_begun = False
        try:
            with self._pipes.limited(job.end):
                self._hand_over(job)
                has_begun = True
                result = self._received(job)
            is_sound = True
            return result
        except MemoryError as error:
            raise IsolationError("There is no memory for a result.") from error
        except Exception as error:  # it has died, is late, or talks nonsense of any kind
            self._process.kill()
            took_too_long = self._process.wait() in _TIMERS or isinstance(error, TimeoutError)
            if not has_begun and not took_too_long:
                return None
            problem = PhotoProblem.TOOK_TOO_LONG if took_too_long else PhotoProblem.UNREADABLE
            return _Result([], problem, job.seconds)
        finally:
            if not is_sound:
                self._process.kill()
                self.end()

    def end(self) -> None:
        """End it, by closing its input; at once if it is still at work."""
        self._pipes.close()
        try:
            self._process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hand_over(self, job: _Job[Unpacked]) -> None:
        """Send a job and wait until the process has all of it."""
        header = {"work": job.work, "size": len(job.data), "seconds": job.seconds, "wall": job.wall_s}
        self._pipes.send(json.dumps(header).encode() + b"\n", job.end)
        self._pipes.send(job.data, job.end)
        if self._pipes.line(len(RECEIVED), job.end) != RECEIVED:
            raise EOFError

    def _received(self, job: _Job[Unpacked]) -> _Result[Unpacked]:
        header = json.loads(self._pipes.line(MOST_HEADER_BYTES, job.end))
        messages = read_messages(header["messages"], lambda view: self._pipes.fill(view, job.end))
        unpacked = [job.unpack(message) for message in messages]
        problem = PhotoProblem(header["problem"]) if header["problem"] else None
        fault = str(header["fault"])[:_MOST_FAULT]
        if not (unpacked or problem or fault):
            raise ValueError("no result, and no reason")
        spent_s = float(header["spent"])
        if not 0 <= spent_s < math.inf:
            raise ValueError("no job takes such a time")
        return _Result(unpacked, problem, min(spent_s, job.seconds), fault)


def _passed_on() -> dict[str, str]:
    """Return what a process needs of this one's environment; tokens and passwords are not for it."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON}


def _end_all(processes: "list[_Process]") -> None:
    for process in processes:
        process.end()
