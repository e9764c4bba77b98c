"""The process that works on untrusted pictures, started by `processes`: `python -m recognizer.isolation.worker`.

It reads jobs from its standard input and writes results to its standard output until its input is closed, which also
happens when its parent dies. Before each job it asks the kernel to end it when the job's time is over, whatever native
code it is in by then.

A job is a JSON line `{"work": "decode" | "glance" | "frames" | "film" | "scenes", "size": bytes, "seconds": processor
time, "wall": time}` and the bytes of the picture. The process says `RECEIVED` when it has all of it, so that its parent
knows whether it may have died of the picture. A result is a JSON line `{"spent": seconds, "problem": code | null,
"parcels": [labels]}` and the arrays of the parcels; see `parcels`.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from recognizer.clock import ProcessorClock
from recognizer.eyes import Eyes
from recognizer.isolation.decoder import Decoder
from recognizer.isolation.parcels import Parcel, photo_parcel, scene_parcel
from recognizer.isolation.processes import RECEIVED, Processes, Work
from recognizer.photo_error import PhotoError, PhotoProblem

MAX_GROWTH_BYTES = 290_000_000
"""Memory that a job may take: what its header promises, the file, and the copies that decoders make."""

_STATUS = Path("/proc/self/status")
_HERE = Decoder(Processes(), lambda _: True)
_eyes = cache(Eyes.load)
_WORKS: dict[Work, Callable[[bytes, ProcessorClock], list[Parcel]]] = {
    "decode": lambda data, clock: [photo_parcel(_HERE.decode(data, clock))],
    "glance": lambda data, clock: [photo_parcel(_HERE.glance(data, clock))],
    "frames": lambda data, clock: [photo_parcel(photo) for photo in _HERE.frames(data, clock)],
    "film": lambda data, clock: [photo_parcel(photo) for photo in _HERE.film(data, clock)],
    "scenes": lambda data, clock: [scene_parcel(scene) for scene in _eyes().scenes(data, _HERE, clock)],
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
        results.write(RECEIVED)
        results.flush()
        if job["work"] == "scenes":
            _eyes()  # to load them is not at the cost of the picture
        _set_timers(job["seconds"], job["wall"])
        with _limited_memory():
            header, parcels = _done(job["work"], data, ProcessorClock(job["seconds"]))
        _set_timers(0, 0)
        results.write(json.dumps(header).encode() + b"\n")
        for parcel in parcels:
            parcel.write(results)
        results.flush()


def _done(work: Work, data: bytes, clock: ProcessorClock) -> tuple[dict[str, Any], list[Parcel]]:
    """Return a result's header, and its parcels."""
    started, problem, parcels = time.process_time(), None, []
    try:
        parcels = _WORKS[work](data, clock)
    except PhotoError as error:
        problem = error.code
    except MemoryError:
        problem = PhotoProblem.TOO_MANY_PIXELS
    labels = [parcel.label() for parcel in parcels]
    return {"spent": time.process_time() - started, "problem": problem, "parcels": labels}, parcels


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
