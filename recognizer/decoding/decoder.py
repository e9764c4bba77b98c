"""Decode pictures where hostile ones do no harm: what may be expensive, in a process of its own that can be ended.

The processes are started when they are first needed, one for each caller at a time, and replaced when they die.
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
from typing import IO, Any, Literal

import numpy as np

from recognizer.clock import ProcessorClock
from recognizer.decoding import photo as photos
from recognizer.photo_error import PhotoError, PhotoProblem

WALL_S = 30.0
"""Time after which a process is ended though it uses no processor, in seconds."""

_Work = Literal["decode", "glance", "frames", "film"]
_LEAST_S = 0.01
_FAREWELL_S = 0.05
_MOST_PHOTO_BYTES = 64_000_000
_MODULE = "recognizer.decoding.decoder_process"
RECEIVED = b"received\n"
"""What a process says when it has a job, before it looks at the picture."""
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


class Decoder:
    """Decodes pictures. It may be called from several threads at once."""

    def __init__(self, is_trusted: Callable[[bytes], bool] = photos.is_cheap, wall_s: float = WALL_S) -> None:
        """is_trusted: tells which pictures are decoded in the calling thread. wall_s: time, in seconds, after which a
        process that hangs is ended.
        """
        self._is_trusted = is_trusted
        self._wall_s = wall_s
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _end_all, self._idle)

    @classmethod
    def isolating(cls) -> "Decoder":
        """Return a decoder that trusts no picture."""
        return cls(lambda _: False)

    def decode(self, data: bytes, clock: ProcessorClock) -> photos.Photo:
        """Return the picture as `photo.decode` does. Raise `PhotoError`."""
        _require_bytes(data)
        if self._is_trusted(data):
            return photos.decode(data)
        return self._isolated("decode", data, clock)[0]

    def glance(self, data: bytes, clock: ProcessorClock) -> photos.Photo:
        """Return the picture as `photo.glance` does. Raise `PhotoError`."""
        _require_bytes(data)
        if self._is_trusted(data):
            return photos.glance(data)
        return self._isolated("glance", data, clock)[0]

    def frames(self, data: bytes, clock: ProcessorClock) -> list[photos.Photo]:
        """Return frames as `clip.frames` does. Raise `PhotoError`."""
        _require_bytes(data)
        return self._isolated("frames", data, clock)

    def film(self, data: bytes, clock: ProcessorClock) -> list[photos.Photo]:
        """Return a film as `film.film` does. Raise `PhotoError`."""
        _require_bytes(data)
        return self._isolated("film", data, clock)

    def close(self) -> None:
        """End the processes, those in use after their job. What is decoded later gets a process of its own."""
        with self._lock:
            self._is_closed = True
            idle, self._idle[:] = list(self._idle), []
        _end_all(idle)

    def _isolated(self, work: _Work, data: bytes, clock: ProcessorClock) -> list[photos.Photo]:
        result = self._run(work, data, max(clock.left_s, _LEAST_S))
        clock.spend(result.spent_s)
        if result.problem is not None:
            raise PhotoError(result.problem)
        return result.photos

    def _run(self, work: _Work, data: bytes, seconds: float) -> "_Result":
        """Return the result of an idle process, or of a new one if that turns out to be dead."""
        try:
            process = self._take()
            result = process.run(work, data, seconds, self._wall_s)
            if result is None:
                process = _Process()
                result = process.run(work, data, seconds, self._wall_s)
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
class _Result:
    photos: list[photos.Photo]
    problem: PhotoProblem | None
    spent_s: float


class _Process:
    """One decoding process, with one caller at a time."""

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

    def run(self, work: _Work, data: bytes, seconds: float, wall_s: float) -> _Result | None:
        """Return the result of a job; if the process dies of it, that is the result, and the process is over.

        Return None if it has died before it looked at the job.
        """
        is_late = threading.Event()
        watch = threading.Timer(wall_s, self._kill_late, (is_late,))
        watch.daemon = True
        watch.start()
        is_sound = has_begun = False
        try:
            self._hand_over(work, data, seconds, wall_s)
            has_begun = True
            result = self._received()
            is_sound = True
            return result
        except (OSError, ValueError, EOFError, KeyError, TypeError):  # it has died, or talks nonsense
            self._process.kill()
            took_too_long = self._process.wait() in _TIMERS or is_late.is_set()
            if not has_begun and not took_too_long:
                return None
            problem = PhotoProblem.TOOK_TOO_LONG if took_too_long else PhotoProblem.UNREADABLE
            return _Result([], problem, seconds)
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

    def _hand_over(self, work: _Work, data: bytes, seconds: float, wall_s: float) -> None:
        """Send a job and wait until the process has all of it."""
        jobs = _open_end(self._process.stdin)
        job = {"work": work, "size": len(data), "seconds": seconds, "wall": wall_s}
        jobs.write(json.dumps(job).encode() + b"\n")
        jobs.write(data)
        jobs.flush()
        if _open_end(self._process.stdout).readline() != RECEIVED:
            raise EOFError

    def _received(self) -> _Result:
        results = _open_end(self._process.stdout)
        header = json.loads(results.readline())
        decoded = [_photo(size, results) for size in header["photos"]]
        problem = PhotoProblem(header["problem"]) if header["problem"] else None
        return _Result(decoded, problem, float(header["spent"]))


def _photo(size: Any, results: IO[bytes]) -> photos.Photo:
    height, width, scale, is_reduced = size
    count = 3 * height * width
    if not 0 < count <= _MOST_PHOTO_BYTES:
        raise ValueError("no photo is that large")
    pixels = np.empty((height, width, 3), np.uint8)
    rest = memoryview(pixels).cast("B")  # type: ignore[arg-type]
    while rest:
        received = results.readinto(rest)  # type: ignore[attr-defined]  # a BufferedReader
        if not received:
            raise EOFError
        rest = rest[received:]
    return photos.Photo(pixels, float(scale), bool(is_reduced))


def _passed_on() -> dict[str, str]:
    """Return what a process needs of this one's environment; tokens and passwords are not for it."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON}


def _open_end(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the process has no pipe")
    return pipe


def _require_bytes(data: bytes) -> None:
    if not data:
        raise PhotoError(PhotoProblem.EMPTY)
    if len(data) > photos.MAX_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_BYTES)


def _end_all(processes: "list[_Process]") -> None:
    for process in processes:
        process.end()
