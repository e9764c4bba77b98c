"""Measure the speed of reading photos and the memory of the serving process, and count what a photo costs."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import skimage.data
from rich.table import Table

from recognizer import EmojiMap, Recognizer
from recognizer.finding.detection import FaceDetector
from recognizer.finding.views import halved
from recognizer.ranking import rank
from tests.bench.multiply_adds import counted_runs, multiply_adds
from tests.bench.photos import PHOTOS, live_frames, portrait, small_face

REPEATS = 100
_PROCESS = "tests.bench.process"


def cost_table() -> Table:
    """Tabulate the multiply-adds of each network, and how often reading a photo runs it: the same on every machine."""
    recognizer, photos = Recognizer.load(), (portrait(), small_face())
    columns = ("network", "M multiply-adds a run", "runs: one big face", "runs: one small face")
    table = Table(*columns, title="Cost of reading one photo, whatever the processor")
    runs = []
    for photo in photos:
        with counted_runs() as counted:
            recognizer.read(photo)
        runs.append(counted)
    totals = [0] * len(photos)
    for file in sorted(Path(str(files("recognizer"))).rglob("*.tflite")):
        content = file.read_bytes()
        cost, often = multiply_adds(content), [counted[content] for counted in runs]
        totals = [total + cost * times for total, times in zip(totals, often, strict=True)]
        table.add_row(file.name, f"{cost / 1e6:.0f}", *map(str, often))
    table.add_section()
    table.add_row("M multiply-adds in all", "", *(f"{total / 1e6:,.0f}" for total in totals))
    return table


def speed_table() -> Table:
    """Tabulate median and 95th percentile of each step, and photos per second."""
    recognizer = Recognizer.load()
    table = Table("JPEG", "median ms", "p95 ms", title=f"Reading one photo, one core, {REPEATS} times")
    for name, make in PHOTOS.items():
        photo = make()
        recognizer.read(photo)
        steps = [asdict(recognizer.read(photo).ms) for _ in range(REPEATS)]
        for step in ("decode", "detect", "classify", "rank"):
            table.add_row(f"  {step}", *_median_and_p95([times[step] for times in steps]))
        table.add_row(f"{name}: read", *_median_and_p95([sum(times.values()) for times in steps]), end_section=True)
    levels = halved(skimage.data.astronaut())
    detector = FaceDetector.load()
    (found,) = detector.find(levels[0])
    emoji_map, face = EmojiMap.load(), recognizer.read(portrait()).faces[0].expression
    table.add_row("face mesh, one look", *_median_and_p95(_repeated(lambda: detector.verifier.mesh_of(levels, found))))
    frames = live_frames()
    followed, searched = _followed(recognizer, frames)
    alone = _repeated(lambda: recognizer.read(frames[0]))
    table.add_row("following a face, a frame of 480x360", *_median_and_p95(followed))
    shares = [statistics.mean(times) / statistics.mean(alone) for times in (followed, followed + searched)]
    table.add_row("reading such a frame", *_median_and_p95(alone))
    table.add_row("the former's mean, as a share of the latter's", f"{shares[0]:.2f}", "")
    table.add_row("the same, searches of the whole frame included", f"{shares[1]:.2f}", "")
    table.add_row("ranking one face", *_median_and_p95(_repeated(lambda: rank(emoji_map, face))), end_section=True)
    for threads in (1, 2):
        table.add_row(f"photos/s, {threads} thread{'s' * (threads > 1)}", f"{_throughput(recognizer, threads):.0f}", "")
    return table


def _repeated(work: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each of `REPEATS` calls, after one warm-up call."""
    work()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return times


def _followed(recognizer: Recognizer, frames: Sequence[bytes]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each of `REPEATS` frames of a live picture: of those in which a face was followed, and
    of those that were searched as a whole.
    """
    followed: list[float] = []
    searched: list[float] = []
    before = recognizer.follow(frames[-1])
    for number in range(REPEATS):
        started = time.perf_counter()
        before = recognizer.follow(frames[number % len(frames)], before)
        (followed if before.age else searched).append(1000 * (time.perf_counter() - started))
    return followed, searched


def process_table() -> Table:
    """Tabulate start-up time and memory, each measured in a fresh process."""
    table = Table("a fresh process", "figure", title="Start-up and memory")
    starts = [float(_run("start")) for _ in range(5)]
    table.add_row("import recognizer, load, first photo (median of 5)", f"{statistics.median(starts):.2f} s")
    table.add_row("the same process then", f"{float(_run('reader-memory')):.0f} MB")
    table.add_row("serving with the web chat, after 100 photos", f"{float(_run('serving-memory')):.0f} MB")
    return table


def _throughput(recognizer: Recognizer, threads: int) -> float:
    photo = portrait()
    work: Callable[[int], object] = lambda _: recognizer.read(photo)  # noqa: E731
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(4)))
        started = time.perf_counter()
        list(pool.map(work, range(REPEATS)))
        return REPEATS / (time.perf_counter() - started)


def _run(what: str) -> str:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(portrait())
        file.flush()
        command = [sys.executable, "-m", _PROCESS, what, file.name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


def _median_and_p95(times_ms: list[float]) -> tuple[str, str]:
    return f"{statistics.median(times_ms):.2f}", f"{statistics.quantiles(times_ms, n=20)[-1]:.2f}"
