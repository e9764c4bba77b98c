"""The process that decodes untrusted pictures, started by `decoder`: `python -m recognizer.decoding.decoder_process`.

It reads jobs from its standard input and writes results to its standard output until its input is closed, which also
happens when its parent dies. Before each job it asks the kernel to end it when the job's time is over, whatever native
code it is in by then.

A job is a JSON line `{"work": "decode" | "glance" | "frames" | "film", "size": bytes, "seconds": processor time,
"wall": time}` and the bytes of the picture. The process says `RECEIVED` when it has all of it, so that its parent knows
whether it may have died of the picture. A result is a JSON line `{"spent": seconds, "problem": code | null, "photos":
[[height, width, scale, is_reduced], ...]}` and the pixels of the photos, RGB uint8.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from recognizer.decoding.clip import frames
from recognizer.decoding.decoder import RECEIVED
from recognizer.decoding.film import film
from recognizer.decoding.photo import Photo, decode, glance
from recognizer.photo_error import PhotoError, PhotoProblem

MAX_GROWTH_BYTES = 290_000_000
"""Memory that a job may take: what its header promises, the file, and the copies that decoders make."""

_WORKS: dict[str, Callable[[bytes], list[Photo]]] = {
    "decode": lambda data: [decode(data)],
    "glance": lambda data: [glance(data)],
    "frames": frames,
    "film": film,
}
_STATUS = Path("/proc/self/status")


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
        _set_timers(job["seconds"], job["wall"])
        with _limited_memory():
            header, photos = _done(_WORKS[job["work"]], data)
        _set_timers(0, 0)
        results.write(json.dumps(header).encode() + b"\n")
        for photo in photos:
            results.write(photo.pixels.data)
        results.flush()


def _done(work: Callable[[bytes], list[Photo]], data: bytes) -> tuple[dict[str, Any], list[Photo]]:
    """Return a result's header, and its photos."""
    started, problem, photos = time.process_time(), None, []
    try:
        photos = work(data)
    except PhotoError as error:
        problem = error.code
    except MemoryError:
        problem = PhotoProblem.TOO_MANY_PIXELS
    sizes = [[*photo.pixels.shape[:2], photo.scale, photo.is_reduced] for photo in photos]
    return {"spent": time.process_time() - started, "problem": problem, "photos": sizes}, photos


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
