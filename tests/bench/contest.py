"""The shipped model and the PyPI package `fer` side by side, each in fresh processes, one thread on one core."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from tests.bench.contender import Figures
from tests.bench.paired import difference
from tests.bench.photos import PHOTOS
from training.data import Faces
from training.evaluation import score
from training.scenes import pasted

_ROOT = Path(__file__).parents[2]
_FER_PYTHON = _ROOT / ".venv-fer" / "bin" / "python"
_SEED = 20261121
_STARTS = 3
_TIMES = 25
_PASTED_SIDE = 192
_CAPTION = (
    "Mugmoji by head: what the bot shows, and the benchmark's. Median ms, one core. Memory and start-up: a fresh "
    "process up to its first face. Ahead: with the 95 % interval."
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_ONE_THREAD = dict.fromkeys(_THREADS, "1")


class ContestError(Exception):
    """A side could not be run; the message is a sentence that says why."""


@dataclass(frozen=True)
class Side:
    """One side: its Python interpreter, and the module that answers for it with its arguments."""

    name: str
    python: Path
    module: str
    arguments: tuple[str, ...] = ()


SHOWN = Side("Mugmoji (shown)", Path(sys.executable), "tests.bench.shipped_contender", ("shown",))
BENCHMARK = Side("Mugmoji (fer2013)", Path(sys.executable), "tests.bench.shipped_contender", ("fer2013",))
FINDING = Side("decode, detect, register", Path(sys.executable), "tests.bench.finding_contender")
FER = Side("fer", _FER_PYTHON, "tests.bench.fer_contender")


def contest_tables(faces: Faces, count: int, photos: int) -> Iterator[Table]:
    """Yield tables for the same faces as crops, then for some of them in photos. Raise `ContestError`."""
    random = np.random.default_rng(_SEED)
    rows = np.sort(random.choice(len(faces), min(count, len(faces)), replace=False))
    yield _crops_table(faces[rows])
    rows = np.sort(random.choice(len(faces), min(photos, len(faces)), replace=False))
    yield _photos_table(faces[rows], random)
    yield _shares_table()


def answer(side: Side, given: Path) -> tuple[NDArray[np.float32], Figures]:
    """Return a side's answers for a file of faces or a folder of photos, from a separate process. Raise
    `ContestError`.
    """
    if not side.python.exists():
        raise ContestError(f"{side.name} is left out: {side.python} is not there; `make bench` installs it.")
    with tempfile.NamedTemporaryFile(suffix=".npy") as answers:
        command = [str(side.python), "-m", side.module, str(given), answers.name, str(time.monotonic())]
        run = subprocess.run(
            [*command, *side.arguments],
            check=False, capture_output=True, text=True, cwd=_ROOT, env=os.environ | _ONE_THREAD,
        )  # fmt: skip
        if run.returncode:
            reason = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
            raise ContestError(f"{side.name} is left out, it did not run: {reason}")
        return np.load(answers.name), Figures(**json.loads(run.stdout.splitlines()[-1]))


def _crops_table(faces: Faces) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        everything, first = Path(folder, "faces.npy"), Path(folder, "first.npy")
        np.save(everything, faces.pixels)
        np.save(first, faces.pixels[:1])
        starts = {side: [answer(side, first)[1] for _ in range(_STARTS)] for side in (FER, SHOWN, BENCHMARK)}
        answers = {side: answer(side, everything) for side in starts}
    fer, version = answers[FER][0].argmax(axis=1) == faces.labels, answers[FER][1].version
    title = f"Shipped model and PyPI fer {version} on {len(faces)} FER2013 test faces"
    columns = ("", "accuracy", "macro-F1", "NLL", "ms a face", "memory", "start-up", "points ahead of fer")
    table = Table(*columns, title=title, caption=_CAPTION)
    for side in (SHOWN, BENCHMARK, FER):
        probabilities, figures = answers[side]
        scores = score(probabilities, faces.labels)
        table.add_row(
            side.name, f"{scores.accuracy:.1%}", f"{scores.macro_f1:.1%}", f"{scores.nll:.3f}",
            f"{figures.median_ms:.2f}",
            f"{statistics.median(start.memory_mb for start in starts[side]):.0f} MB",
            f"{statistics.median(start.start_s for start in starts[side]):.2f} s",
            "" if side is FER else str(difference(probabilities.argmax(axis=1) == faces.labels, fer)),
        )  # fmt: skip
    return table


def _shares_table() -> Table:
    """Set what comes before the classifier beside the other side's whole work on the same photo."""
    columns = ("a photo again and again", "decode, detect, register", "Mugmoji, all", "fer, all", "share of fer's")
    table = Table(*columns, title="Until a face is ready to be classified, median ms, one core")
    for name, photo in PHOTOS.items():
        with tempfile.TemporaryDirectory() as folder:
            for number in range(_TIMES):
                Path(folder, f"{number:03}.jpg").write_bytes(photo())
            finding, shown, fer = (answer(side, Path(folder))[1].median_ms for side in (FINDING, SHOWN, FER))
        table.add_row(name, f"{finding:.1f}", f"{shown:.1f}", f"{fer:.1f}", f"{finding / fer:.3f}")
    return table


def _photos_table(faces: Faces, random: np.random.Generator) -> Table:
    columns = ("", "right label", "no face", "right where a face was found", "ms a photo")
    table = Table(*columns, title=f"Photo in, label out: {len(faces)} of the faces pasted at {_PASTED_SIDE} px")
    with tempfile.TemporaryDirectory() as folder:
        for number, face in enumerate(faces.pixels):
            scene = cv2.cvtColor(pasted(face, _PASTED_SIDE, random)[0], cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(Path(folder, f"{number:05}.jpg")), scene, [cv2.IMWRITE_JPEG_QUALITY, 90])
        for side in (SHOWN, FER):
            probabilities, figures = answer(side, Path(folder))
            found = ~np.isnan(probabilities).any(axis=1)
            right = found & (probabilities.argmax(axis=1) == faces.labels)
            where_found = f"{right.sum() / found.sum():.1%}" if found.any() else "-"
            table.add_row(
                side.name, f"{right.mean():.1%}", f"{1 - found.mean():.1%}", where_found, f"{figures.median_ms:.1f}"
            )
    return table
