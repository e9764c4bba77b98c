"""Run work on untrusted pictures in processes that can be ended: `worker` does it.

The processes are started when they are first needed, one for each caller at a time up to a limit, and replaced when
they die.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, Literal, TypeVar

from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import MAX_BYTES
from recognizer.isolation.parcels import Parcel, received
from recognizer.photo_error import PhotoError, PhotoProblem

MOST = 64
WALL_S = 30.0
"""Time after which a process is ended though it uses no processor, in seconds."""
RECEIVED = b"received\n"
"""What a process says when it has a job, before it looks at the picture."""

Work = Literal["decode", "glance", "frames", "film", "scenes"]
Opened = TypeVar("Opened")

_LEAST_S = 0.01
_FAREWELL_S = 0.05
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


class Processes:
    """Processes that work on pictures. They may be used from several threads at once."""

    def __init__(self, most: int = MOST, wall_s: float = WALL_S) -> None:
        """most: number of processes at work; callers beyond it wait. wall_s: time, in seconds, after which a process
        that hangs is ended.
        """
        self._places = threading.BoundedSemaphore(most)
        self._wall_s = wall_s
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _end_all, self._idle)

    def run(self, work: Work, data: bytes, clock: ProcessorClock, opened: Callable[[Parcel], Opened]) -> list[Opened]:
        """Return what a process makes of a picture, within the time that the clock has left.

        opened: makes something of each parcel that the process returns; raises `ValueError`, `KeyError` or `TypeError`
        for what cannot come from a sound process. Raise `PhotoError`.
        """
        if not data:
            raise PhotoError(PhotoProblem.EMPTY)
        if len(data) > MAX_BYTES:
            raise PhotoError(PhotoProblem.TOO_MANY_BYTES)
        with self._places:
            result = self._result(_Job(work, data, max(clock.left_s, _LEAST_S), self._wall_s, opened))
        clock.spend(result.spent_s)
        if result.problem is not None:
            raise PhotoError(result.problem)
        return result.opened

    def close(self) -> None:
        """End the processes, those in use after their job. Work that comes later gets a process of its own."""
        with self._lock:
            self._is_closed = True
            idle, self._idle[:] = list(self._idle), []
        _end_all(idle)

    def _result(self, job: "_Job[Opened]") -> "_Result[Opened]":
        """Return the result of an idle process, or of a new one if that turns out to be dead."""
        try:
            process = self._take()
            result = process.run(job)
            if result is None:
                process = _Process()
                result = process.run(job)
        except OSError:  # no process can be started: no memory, no descriptors
            return _Result([], PhotoProblem.UNREADABLE, 0.0)
        self._give_back(process)
        return result if result is not None else _Result([], PhotoProblem.UNREADABLE, 0.0)

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
class _Job(Generic[Opened]):
    """seconds: processor time that it may take. wall_s: time. opened: as in `Processes.run`."""

    work: Work
    data: bytes
    seconds: float
    wall_s: float
    opened: Callable[[Parcel], Opened]


@dataclass(frozen=True)
class _Result(Generic[Opened]):
    opened: list[Opened]
    problem: PhotoProblem | None
    spent_s: float


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
            env={**_passed_on(), **_ENVIRONMENT, "PYTHONPATH": path},
        )

    @property
    def is_alive(self) -> bool:
        """Return whether it can take a job."""
        return self._process.poll() is None

    def run(self, job: _Job[Opened]) -> _Result[Opened] | None:
        """Return the result of a job; if the process dies of it, that is the result, and the process is over.

        Return None if it has died before it looked at the job.
        """
        is_late = threading.Event()
        watch = threading.Timer(job.wall_s, self._kill_late, (is_late,))
        watch.daemon = True
        watch.start()
        is_sound = has_begun = False
        try:
            self._hand_over(job)
            has_begun = True
            result = self._received(job)
            is_sound = True
            return result
        except (OSError, ValueError, EOFError, KeyError, TypeError):  # it has died, or talks nonsense
            self._process.kill()
            took_too_long = self._process.wait() in _TIMERS or is_late.is_set()
            if not has_begun and not took_too_long:
                return None
            problem = PhotoProblem.TOOK_TOO_LONG if took_too_long else PhotoProblem.UNREADABLE
            return _Result([], problem, job.seconds)
        finally:
            watch.cancel()
            if not is_sound:
                self._process.kill()
                self.end()

    def end(self) -> None:
        """End it, by closing its input; at once if it is still at work."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                _open_end(pipe).close()
        try:
            process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _kill_late(self, is_late: threading.Event) -> None:
        is_late.set()
        self._process.kill()

    def _hand_over(self, job: _Job[Opened]) -> None:
        """Send a job and wait until the process has all of it."""
        jobs = _open_end(self._process.stdin)
        said = {"work": job.work, "size": len(job.data), "seconds": job.seconds, "wall": job.wall_s}
        jobs.write(json.dumps(said).encode() + b"\n")
        jobs.write(job.data)
        jobs.flush()
        if _open_end(self._process.stdout).readline() != RECEIVED:
            raise EOFError

    def _received(self, job: _Job[Opened]) -> _Result[Opened]:
        results = _open_end(self._process.stdout)
        header = json.loads(results.readline())
        opened = [job.opened(parcel) for parcel in received(header["parcels"], results)]
        problem = PhotoProblem(header["problem"]) if header["problem"] else None
        if problem is None and not opened:
            raise ValueError("neither a result nor a problem")
        return _Result(opened, problem, float(header["spent"]))


def _passed_on() -> dict[str, str]:
    """Return what a process needs of this one's environment; tokens and passwords are not for it."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON}


def _open_end(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the process has no pipe")
    return pipe


def _end_all(processes: "list[_Process]") -> None:
    for process in processes:
        process.end()
