"""Simulated communities that correct the bot, and what retraining makes of it: `python -m tests.bench.feedback`.

People have five faces each (FER2013 does not say who is who, so they are drawn at random from the `test` split, which
nothing here was chosen on; `--split valid` is for choosing). What they say goes the real way: split by person, soft
labels, weights, correction or fine-tuning, gate. "Corrections" counts everything said, those in the held-out part too.
Gains are measured on faces of the community that nobody labelled.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bots.logs import configure_logs
from db import Judgement, KeptFace, Source, Word
from recognizer import EMOTIONS, EmojiMap
from recognizer.classification import MODEL_FOLDER
from recognizer.packing import pack_folder, unpack
from tests.bench.communities import COMMUNITIES, drawn
from tests.bench.feedback_load import load_table
from training.candidates import Trunk, correction
from training.data import Faces, default_folder, load
from training.judging import GuardShares, judged
from training.lessons import divided

FACES_EACH = 5
SIZES = (50, 100, 300, 1000)
SEEDS = 5
_OPPOSITE = {
    "angry": "happy",
    "disgust": "happy",
    "fear": "happy",
    "happy": "sad",
    "neutral": "surprise",
    "sad": "happy",
}
_OPPOSITE["surprise"] = "neutral"


@dataclass(frozen=True, eq=False)
class Community:
    """Faces `(n, 48, 48)` as a community sends them, their true labels `(n,)`, and how the trunk sees them."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    shown: NDArray[np.float32]
    embeddings: NDArray[np.float32]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], labels: NDArray[np.int64], trunk: Trunk) -> "Community":
        """Look at the faces through the trunk."""
        return cls(pixels, labels, *trunk.classifier().embed(pixels))


@dataclass(frozen=True)
class Said:
    """How people answer. noise: share of labels that are wrong at random. liars: share of people who always say the
    opposite. agrees: they say what the model says, whatever the face shows."""

    noise: float = 0.0
    liars: float = 0.0
    agrees: bool = False


@dataclass(frozen=True)
class Outcome:
    """gain: points on faces nobody labelled. guard: points on the guard set. judgement: the gate's."""

    gain: float
    guard: float
    judgement: Judgement


def told(community: Community, rows: NDArray[np.intp], said: Said, seed: int) -> list[KeptFace]:
    """What people say of these faces, five of them each person's."""
    random = np.random.default_rng((seed, 1))
    people = np.arange(len(rows)) // FACES_EACH
    liars = random.permutation(people.max() + 1)[: round(said.liars * (people.max() + 1))]
    now = datetime.now(UTC)
    faces = []
    for place, row in enumerate(rows):
        label = int(community.shown[row].argmax()) if said.agrees else int(community.labels[row])
        if random.random() < said.noise:
            label = (label + int(random.integers(1, 7))) % 7
        emotion = EMOTIONS[label]
        if people[place] in liars:
            emotion = _OPPOSITE[emotion]
        sender = int(people[place])
        face = KeptFace(
            int(row),
            community.pixels[row].tobytes(),
            tuple(map(float, community.shown[row])),
            (),
            "simulated",
            now,
            sender,
            hashlib.sha256(f"{seed} {sender}".encode()).hexdigest(),
            (Word(Source.SENDER, sender, now, verdict=emotion),),
        )
        faces.append(face)
    return faces


def adapted(community: Community, count: int, said: Said, seed: int, trunk: Trunk) -> Outcome:
    """The shallow depth after `count` corrections."""
    order = np.random.default_rng(seed).permutation(len(community.labels))
    learn, judge = divided(told(community, order[:count], said, seed), EmojiMap.load())
    adaptation, _ = correction(trunk, learn)
    rest = order[count:]
    after = adaptation.apply(community.shown[rest], community.embeddings[rest])
    before, guarded = trunk.guard.accuracy(None), trunk.guard.accuracy(adaptation)
    judgement = judged(
        learn,
        judge,
        served=trunk.classifier().classify(judge.crops),
        candidate=trunk.classifier(adaptation).classify(judge.crops),
        guard=GuardShares(len(trunk.guard.labels), before, guarded, before),
        seconds=0,
    )
    return Outcome(_points(after, community.shown[rest], community.labels[rest]), 100 * (guarded - before), judgement)


def tuned(community: Community, count: int, seed: int, trunk: Trunk) -> Outcome:
    """The deep depth after `count` corrections."""
    from training.fine_tuning import tuned_trunk

    order = np.random.default_rng(seed).permutation(len(community.labels))
    learn, judge = divided(told(community, order[:count], Said(), seed), EmojiMap.load())
    deep = tuned_trunk(learn, None, lambda _step, _share: None)
    adaptation, _ = correction(deep, learn)
    candidate, rest = deep.classifier(adaptation), order[count:]
    before, guarded = trunk.guard.accuracy(None), deep.guard.accuracy(adaptation)
    judgement = judged(
        learn,
        judge,
        served=trunk.classifier().classify(judge.crops),
        candidate=candidate.classify(judge.crops),
        guard=GuardShares(len(trunk.guard.labels), before, guarded, before),
        seconds=0,
    )
    after = candidate.classify(community.pixels[rest])
    return Outcome(_points(after, community.shown[rest], community.labels[rest]), 100 * (guarded - before), judgement)


def curve_table(communities: dict[str, Community], trunk: Trunk, *, full: bool) -> Table:
    """Gains by community, depth and number of corrections."""
    table = Table(
        "community", "depth", "corrections", "gain, points", "guard, points", "offered", title="Learning curve"
    )
    for name, community in communities.items():
        for count in SIZES:
            outcomes = [adapted(community, count, Said(), seed, trunk) for seed in range(SEEDS)]
            table.add_row(_named(name, community), "adapt", str(count), *_summed(outcomes))
    if full:
        name, community = next(iter(communities.items()))
        for count in SIZES:
            table.add_row(_named(name, community), "full", str(count), *_summed([tuned(community, count, 0, trunk)]))
    return table


def liars_table(community: Community, trunk: Trunk) -> Table:
    """What bad labels do to 300 corrections."""
    table = Table("300 corrections, adapt", "gain, points", "guard, points", "offered", title="Liars")
    for name, said in (
        ("all labels right", Said()),
        ("20 % of labels wrong at random", Said(noise=0.2)),
        ("20 % of people always say the opposite", Said(liars=0.2)),
    ):
        table.add_row(name, *_summed([adapted(community, 300, said, seed, trunk) for seed in range(2 * SEEDS)]))
    return table


def nothing_table(plain: Community, shifted: Community, trunk: Trunk, runs: int) -> Table:
    """How often the gate offers what was learned from nothing."""
    table = Table("300 taps, adapt", "gain, points", "guard, points", "offered", title="Nothing to learn")
    for name, community, said in (
        ("plain faces, taps agree with the model", plain, Said(agrees=True)),
        ("plain faces, a tenth of the taps at random", plain, Said(agrees=True, noise=0.1)),
        ("hard faces, taps agree with the model", shifted, Said(agrees=True)),
        ("plain faces, all taps at random", plain, Said(agrees=True, noise=1.0)),
    ):
        table.add_row(name, *_summed([adapted(community, 300, said, 100 + seed, trunk) for seed in range(runs)]))
    return table


def _points(after: NDArray[np.float32], before: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return 100 * float((after.argmax(axis=1) == labels).mean() - (before.argmax(axis=1) == labels).mean())


def _named(name: str, community: Community) -> str:
    return f"{name} ({(community.shown.argmax(axis=1) == community.labels).mean():.1%} before)"


def _summed(outcomes: list[Outcome]) -> Iterator[str]:
    """Mean and range of the gains, mean and worst of the guard, and how many were offered."""
    gains, guards = [each.gain for each in outcomes], [each.guard for each in outcomes]
    yield f"{np.mean(gains):+.1f} ({min(gains):+.1f} to {max(gains):+.1f})"
    yield f"{np.mean(guards):+.2f} (worst {min(guards):+.2f})"
    yield f"{sum(each.judgement.offered for each in outcomes)} of {len(outcomes)}"


def main() -> int:
    """Print the tables; gives the exit status."""
    parser = argparse.ArgumentParser("python -m tests.bench.feedback")
    parser.add_argument("--split", choices=("test", "valid"), default="test", help="valid to choose by (default test)")
    parser.add_argument("--full", action="store_true", help="also the deep depth: minutes each")
    parser.add_argument("--runs", type=int, default=40, help="of each kind with nothing to learn (default 40)")
    parser.add_argument("--only", choices=("curve", "liars", "nothing", "load"), help="one of the tables")
    options = parser.parse_args()
    if not default_folder().exists():
        print("No FER2013 data here (FER2013_DIR): there is nobody to simulate.")
        return 0
    configure_logs("error", "console")
    console, started = Console(width=130), time.monotonic()
    trunk = Trunk.of(unpack(pack_folder(MODEL_FOLDER)))
    faces: Faces = load(default_folder())[options.split]
    shifted = {
        name: Community.of(drawn(faces.pixels, look, seed=7), faces.labels, trunk) for name, look in COMMUNITIES.items()
    }
    first = next(iter(shifted.values()))
    wanted = {options.only} if options.only else {"curve", "liars", "nothing", "load"}
    if "curve" in wanted:
        console.print(curve_table(shifted, trunk, full=options.full))
    if "liars" in wanted:
        console.print(liars_table(first, trunk))
    if "nothing" in wanted:
        plain = Community.of(faces.pixels, faces.labels, trunk)
        console.print(nothing_table(plain, first, trunk, options.runs))
    if "load" in wanted:
        console.print(load_table(faces))
    console.print(f"{time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
