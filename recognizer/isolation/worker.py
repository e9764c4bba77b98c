"""The process that works on untrusted pictures, started by `processes`: `python -m recognizer.isolation.worker`.

It reads jobs from its standard input and writes results to its standard output until its input is closed, which also
happens when its parent dies. Before each job it asks the kernel to end it when the job's time is over, whatever native
code it is in by then.

A job is a JSON line `{"work": "decode" | "glance" | "frames" | "film" | "scenes", "size": bytes, "seconds": processor
time, "wall": time}` and the bytes of the picture. The process says `RECEIVED` when it has all of it, so that its parent
knows whether it may have died of the picture. A result is a JSON line `{"spent": seconds, "problem": code | null,
"fault": place, "messages": [headers]}` and the arrays of the messages; see `serialization`.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from recognizer.clock import ProcessorClock
from recognizer.decoding import photo as photos
from recognizer.decoding.clip import frames
from recognizer.decoding.film import film
from recognizer.decoding.photo import Photo
from recognizer.face_finder import FaceFinder
from recognizer.isolation.processes import RECEIVED, Work
from recognizer.isolation.serialization import Message, photo_message, scene_message
from recognizer.photo_error import PhotoError, PhotoProblem

MAX_GROWTH_BYTES = 290_000_000
"""Memory that a job may take: what its header promises, the file, and the copies that decoders make."""

_STATUS = Path("/proc/self/status")
_finder = cache(FaceFinder.load)


class _Decoder:
    """Decodes here; the kernel keeps the time."""

    def decode(self, data: bytes, _clock: ProcessorClock) -> Photo:
        return photos.decode(data)

    def glance(self, data: bytes, _clock: ProcessorClock) -> Photo:
        return photos.glance(data)

    def frames(self, data: bytes, _clock: ProcessorClock) -> list[Photo]:
        return frames(data)


_WORKS: dict[Work, Callable[[bytes, ProcessorClock], list[Message]]] = {
    "decode": lambda data, _: [photo_message(photos.decode(data))],
    "glance": lambda data, _: [photo_message(photos.glance(data))],
    "frames": lambda data, _: [photo_message(photo) for photo in frames(data)],
    "film": lambda data, _: [photo_message(photo) for photo in film(data)],
    "scenes": lambda data, clock: [scene_message(scene) for scene in _finder().scenes(data, _Decoder(), clock)],
}


def main() -> None:
    """Do one job after the other."""
    jobs, results = sys.stdin.buffer, _private_output()
    cv2.setNumThreads(1)
    _prepare_signals()
    while line := jobs.readline():
        job = json.loads(line)
        data = jobs.read(job["size"])
        if len(data) < job["size"]:
            return
        if job["work"] == "scenes":
            _finder()  # to load it is not at the cost of the picture
        results.write(RECEIVED + b"\n")
        results.flush()
        _set_timers(job["seconds"], job["wall"])
        with _limited_memory():
            header, messages = _done(job["work"], data, ProcessorClock(job["seconds"]))
        _set_timers(0, 0)
        results.write(json.dumps(header).encode() + b"\n")
        for message in messages:
            message.write(results)
        results.flush()


def _done(work: Work, data: bytes, clock: ProcessorClock) -> tuple[dict[str, Any], list[Message]]:
    """Return a result's header, and its messages."""
    started = time.process_time()
    messages: list[Message] = []
    problem, fault = None, ""
    try:
        messages = _WORKS[work](data, clock)
    except PhotoError as error:
        problem = error.code
    except MemoryError:
        problem = PhotoProblem.TOO_MANY_PIXELS
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    spent = time.process_time() - started
    headers = [message.header() for message in messages]
    return {"spent": spent, "problem": problem, "fault": fault, "messages": headers}, messages


def _private_output() -> BinaryIO:
    """Return standard output, and lead what libraries print there, or complain, to nowhere."""
    private = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return private


def _prepare_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which then closes the input
    for name in ("SIGPROF", "SIGALRM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  (not on Windows)

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_timers(seconds: float, wall: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, wall)


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Let memory grow by no more than `MAX_GROWTH_BYTES`, where Linux can tell how much there is."""
    used = _data_bytes()
    if used is None:
        yield
        return
    import resource  # noqa: PLC0415  (not on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = used + MAX_GROWTH_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    """Return the size of this process's data, in bytes; None where the system does not say."""
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return None


if __name__ == "__main__":
    main()
