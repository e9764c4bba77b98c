"""Measure how many photos a second this machine reads, and see why: its instruction sets.

What a network costs depends on the processor far more than on anything else: one without dot products of small
integers takes twenty times as long (docs/benchmarks.md).
"""

import os
import statistics
import time

import archspec.cpu
import archspec.cpu.detect
import cv2
import numpy as np

from bots.doctor.findings import Finding, fine, warning
from bots.pictures.artwork import Artwork
from bots.settings import Settings
from recognizer import Recognizer

DOT_PRODUCTS = {
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "asimddp": "dot products",
    "i8mm": "products of 8-bit matrices",
}
"""What multiplies small integers fast, by the names that the system uses."""
_SLOW_A_SECOND = 5.0
_PHOTO, _FACE = (960, 1280), 640
"""Height and width of the photo that is read, and the width of the face in it, in pixels."""
_WARM_UP, _RUNS = 2, 9
_SUBJECT = "processor"


def check_processor(settings: Settings) -> list[Finding]:
    """Return how many photos a second each core reads with the shipped model, and whether WORKERS fits."""
    kind = archspec.cpu.host()
    found = kind.features | archspec.cpu.detect.detected_info().features
    sets = [name for flag, name in DOT_PRODUCTS.items() if flag in found]
    cores, rate = _cores(), photos_a_second()
    fast = ", ".join(sets) if sets else "no VNNI or dot products"
    fact = f"{kind.name}, {fast}: about {rate:.0f} photos a second on each of {cores} cores."
    if rate < _SLOW_A_SECOND:
        advice = "That is enough for a few chats. More or newer cores help, not more WORKERS than there are cores."
        return [warning(_SUBJECT, fact, advice), *_of_workers(settings.workers, cores)]
    return [fine(_SUBJECT, fact), *_of_workers(settings.workers, cores)]


def _of_workers(workers: int, cores: int) -> list[Finding]:
    if workers <= cores:
        return []
    fact = f"WORKERS={workers}, but there are {cores} cores: photos read at once slow each other down."
    return [warning(_SUBJECT, fact, f"Set WORKERS={cores}.")]


def photos_a_second() -> float:
    """Return how many photos of one big face a core reads in a second: measured here, in processor time."""
    recognizer, photo = Recognizer.load(), drawn_face()
    try:
        for _ in range(_WARM_UP):
            recognizer.read(photo)
        return 1 / statistics.median(_processor_s(recognizer, photo) for _ in range(_RUNS))
    finally:
        recognizer.close()


def _processor_s(recognizer: Recognizer, photo: bytes) -> float:
    started = time.process_time()
    recognizer.read(photo)
    return time.process_time() - started


def drawn_face() -> bytes:
    """Return a JPEG with a drawing that is read like a photo of a face: it is found, looked at and classified."""
    canvas = np.full((*_PHOTO, 3), 200, np.uint8)
    drawing = Artwork.load().image("🙂", _FACE)
    top, left = ((side - _FACE) // 2 for side in _PHOTO)
    place = canvas[top : top + _FACE, left : left + _FACE]
    opaque = drawing[..., 3:].astype(np.float32) / 255
    place[:] = (place * (1 - opaque) + drawing[..., 2::-1] * opaque).astype(np.uint8)
    return cv2.imencode(".jpg", canvas)[1].tobytes()


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
