"""Simulated communities that correct the bot, and the result of retraining: `python -m tests.bench.feedback`.

Each person has five faces. FER2013 does not identify people, so faces are drawn at random from the `test` split, on
which nothing here was chosen; `--split valid` is for choosing. The feedback is processed as in production: split by
person, soft labels, weights, correction or fine-tuning, gate. "Corrections" counts all feedback, also that of the
held-out part. Gains are measured on faces of the community that nobody labelled.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import permutations

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bots.conversation.play import LEARNED_FROM, ROUNDS
from bots.logs import configure_logs
from db import Answer, Depth, Judgement, KeptFace, Source
from recognizer import EMOTIONS, EmojiMap
from recognizer.classification import MODEL_FOLDER
from recognizer.packing import pack_folder, unpack
from tests.bench.communities import COMMUNITIES, drawn
from tests.bench.feedback_load import load_table
from training.data import Faces, default_folder, load
from training.feedback.candidates import Trunk
from training.feedback.retraining import Progress, candidate

FACES_EACH = 5
SIZES = (50, 100, 300, 1000)
SEEDS = 3
SHIPPED, MAP = unpack(pack_folder(MODEL_FOLDER)), EmojiMap.load()
RARE = ("disgust", "fear")
"""The emotions that the game is for."""


def _shares_of_games() -> NDArray[np.float64]:
    """Return how often each emotion comes up in games of three rounds without a repetition, before anybody has played:
    `(7,)`, summing to 1.
    """
    odds = np.array([LEARNED_FROM.get(emotion, np.inf) ** -0.5 for emotion in EMOTIONS])
    shares = np.zeros(len(odds))
    for order in permutations(np.flatnonzero(odds), ROUNDS):
        left, chance = odds.sum(), 1.0
        for place in order:
            chance *= odds[place] / left
            left -= odds[place]
        shares[list(order)] += chance
    return shares / ROUNDS


_ODDS = _shares_of_games()
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
    """Faces `(n, 48, 48)` as a community sends them, their true labels `(n,)`, and the network's outputs for them."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    shown: NDArray[np.float32]
    embeddings: NDArray[np.float32]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], labels: NDArray[np.int64], trunk: Trunk) -> "Community":
        """Build a community by running the network on its faces."""
        return cls(pixels, labels, *trunk.classifier().embed(pixels))


@dataclass(frozen=True)
class Said:
    """How people answer.

    noise: share of labels that are wrong at random. liars: share of people who always say the opposite. jokers: share
    of people who always say "surprise". agrees: people repeat the model's answer, whatever the face shows.
    """

    noise: float = 0.0
    liars: float = 0.0
    jokers: float = 0.0
    agrees: bool = False


@dataclass(frozen=True)
class Outcome:
    """gain: points on faces that nobody labelled. guard: points on the guard set. judgement: the gate's."""

    gain: float
    guard: float
    judgement: Judgement


def told(community: Community, rows: NDArray[np.intp], said: Said, seed: int) -> list[KeptFace]:
    """Return people's feedback on these faces, five for each person."""
    random = np.random.default_rng((seed, 1))
    people = np.arange(len(rows)) // FACES_EACH
    order = random.permutation(people.max() + 1)
    liars, jokers = (order[: round(share * len(order))] for share in (said.liars, said.jokers))
    now = datetime.now(UTC)
    faces = []
    for place, row in enumerate(rows):
        label = int(community.shown[row].argmax()) if said.agrees else int(community.labels[row])
        if random.random() < said.noise:
            label = (label + int(random.integers(1, 7))) % 7
        emotion = EMOTIONS[label]
        if people[place] in liars:
            emotion = _OPPOSITE[emotion]
        if people[place] in jokers:
            emotion = "surprise"
        sender = int(people[place])
        face = KeptFace(
            int(row),
            community.pixels[row].tobytes(),
            tuple(map(float, community.shown[row])),
            sender,
            hashlib.sha256(f"{seed} {sender}".encode()).hexdigest(),
            (Answer(Source.SENDER, sender, now, verdict=emotion),),
        )
        faces.append(face)
    return faces


def retrained(community: Community, count: int, said: Said, seed: int, depth: Depth = Depth.ADAPT) -> Outcome:
    """Return the outcome of retraining the shipped model on `count` corrections."""
    order = np.random.default_rng(seed).permutation(len(community.labels))
    rest, faces = order[count:], told(community, order[:count], said, seed)
    made = candidate(depth, SHIPPED, faces, MAP, data=None, tried=0, progress=Progress())
    if depth is Depth.ADAPT:
        after = made.adaptation.apply(community.shown[rest], community.embeddings[rest])
    else:
        after = made.trunk.classifier(made.adaptation).classify(community.pixels[rest])
    right = [(each.argmax(axis=1) == community.labels[rest]).mean() for each in (after, community.shown[rest])]
    judgement = made.judgement
    guard = 100 * (judgement.guard_candidate - judgement.guard_shipped)
    return Outcome(100 * float(right[0] - right[1]), guard, judgement)


def curve_table(communities: dict[str, Community], *, full: bool) -> Table:
    """Tabulate gains by community, depth and number of corrections."""
    table = Table(
        "community", "depth", "corrections", "gain, points", "guard, points", "offered", title="Learning curve"
    )
    for name, community in communities.items():
        for count in SIZES:
            outcomes = [retrained(community, count, Said(), seed) for seed in range(SEEDS)]
            table.add_row(_named(name, community), "adapt", str(count), *_summed(outcomes))
    if full:
        name, community = next(iter(communities.items()))
        for count in SIZES:
            table.add_row(
                _named(name, community),
                "full",
                str(count),
                *_summed([retrained(community, count, Said(), 0, Depth.FULL)]),
            )
    return table


def liars_table(community: Community) -> Table:
    """Tabulate the effect of bad labels among 300 corrections."""
    table = Table("300 corrections, adapt", "gain, points", "guard, points", "offered", title="Liars")
    for name, said in (
        ("all labels right", Said()),
        ("20 % of labels wrong at random", Said(noise=0.2)),
        ("20 % of people always say the opposite", Said(liars=0.2)),
        ('30 % of people always say "surprise"', Said(jokers=0.3)),
    ):
        table.add_row(name, *_summed([retrained(community, 300, said, seed) for seed in range(3 * SEEDS)]))
    return table


def nothing_table(plain: Community, shifted: Community, runs: int) -> Table:
    """Tabulate how often the gate offers a version when there was nothing to learn."""
    table = Table("300 taps, adapt", "gain, points", "guard, points", "offered", title="Nothing to learn")
    for name, community, said in (
        ("plain faces, taps agree with the model", plain, Said(agrees=True)),
        ("plain faces, a tenth of the taps at random", plain, Said(agrees=True, noise=0.1)),
        ("hard faces, taps agree with the model", shifted, Said(agrees=True)),
        ("plain faces, all taps at random", plain, Said(agrees=True, noise=1.0)),
    ):
        table.add_row(name, *_summed([retrained(community, 300, said, 100 + seed) for seed in range(runs)]))
    return table


@dataclass(frozen=True)
class Gains:
    """Change of the recall of each emotion, and of the accuracy, in points, on faces that nobody sent."""

    recalls: NDArray[np.float64]
    accuracy: float
    offered: bool


def play_table(community: Community) -> Table:
    """Tabulate what attempts in the game gain on each emotion, beside as many ordinary corrections."""
    table = Table("300 labels, adapt", *RARE, "others", "accuracy", "offered", title="Play: gain of recall, points")
    half = np.random.default_rng(7).random(len(community.labels)) < 0.5
    for name, odds, failed in (
        ("corrections as photos come", None, 0.0),
        ("attempts in the game", _ODDS, 0.0),
        ("attempts, 20 % show something else", _ODDS, 0.2),
        ("attempts, 40 % show something else", _ODDS, 0.4),
    ):
        gains = [_played(community, half, odds, failed, seed) for seed in range(3 * SEEDS)]
        recalls = np.mean([each.recalls for each in gains], axis=0)
        rare = [EMOTIONS.index(emotion) for emotion in RARE]
        table.add_row(
            name,
            *(f"{recalls[place]:+.1f}" for place in rare),
            f"{np.delete(recalls, rare).mean():+.1f}",
            f"{np.mean([each.accuracy for each in gains]):+.1f}",
            f"{sum(each.offered for each in gains)} of {len(gains)}",
        )
    return table


def _played(
    community: Community, half: NDArray[np.bool_], odds: NDArray[np.float64] | None, failed: float, seed: int
) -> Gains:
    """Return what 300 labels gain. half: faces that may be sent, the others are for measuring. odds: of each emotion to
    be asked for; None for faces as they come. failed: share of attempts that show another emotion than asked for.
    """
    random = np.random.default_rng((seed, 2))
    senders = np.flatnonzero(half)
    if odds is None:
        rows, asked = random.choice(senders, 300, replace=False), None
    else:
        asked = random.choice(len(EMOTIONS), 300, p=odds)
        shown = np.where(random.random(300) < failed, (asked + random.integers(1, 7, 300)) % 7, asked)
        rows = np.array([random.choice(senders[community.labels[senders] == emotion]) for emotion in shown])
    faces = told(community, rows, Said(), seed)
    if asked is not None:
        faces = [_asked(face, EMOTIONS[emotion]) for face, emotion in zip(faces, asked, strict=True)]
    made = candidate(Depth.ADAPT, SHIPPED, faces, MAP, data=None, tried=0, progress=Progress())
    rest = np.flatnonzero(~half)
    truth = community.labels[rest]
    after = made.adaptation.apply(community.shown[rest], community.embeddings[rest]).argmax(axis=1)
    before = community.shown[rest].argmax(axis=1)
    recalls = [
        100 * ((after == each)[truth == each].mean() - (before == each)[truth == each].mean()) for each in range(7)
    ]
    accuracy = 100 * float((after == truth).mean() - (before == truth).mean())
    return Gains(np.array(recalls), accuracy, made.judgement.offered)


def _asked(face: KeptFace, emotion: str) -> KeptFace:
    """Return the same face as an attempt to show an emotion."""
    [answer] = face.answers
    return replace(face, answers=(replace(answer, source=Source.PLAY, verdict=emotion),))


def _named(name: str, community: Community) -> str:
    return f"{name} ({(community.shown.argmax(axis=1) == community.labels).mean():.1%} before)"


def _summed(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield mean and range of the gains, mean and minimum of the guard, and how many versions were offered."""
    gains, guards = [each.gain for each in outcomes], [each.guard for each in outcomes]
    yield f"{np.mean(gains):+.1f} ({min(gains):+.1f} to {max(gains):+.1f})"
    yield f"{np.mean(guards):+.2f} (worst {min(guards):+.2f})"
    yield f"{sum(each.judgement.offered for each in outcomes)} of {len(outcomes)}"


def main() -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.bench.feedback")
    parser.add_argument("--split", choices=("test", "valid"), default="test", help="valid to choose by (default test)")
    parser.add_argument("--full", action="store_true", help="also the deep depth: minutes each")
    parser.add_argument("--runs", type=int, default=40, help="of each kind with nothing to learn (default 40)")
    parser.add_argument("--only", choices=("curve", "liars", "nothing", "play", "load"), help="one of the tables")
    options = parser.parse_args()
    if not default_folder().exists():
        print("No FER2013 data here (FER2013_DIR): there is nobody to simulate.")
        return 0
    configure_logs("error", "console")
    cv2.setNumThreads(1)
    console, started = Console(width=130), time.monotonic()
    trunk = Trunk.of(SHIPPED)
    faces: Faces = load(default_folder())[options.split]
    shifted = {
        name: Community.of(drawn(faces.pixels, look, seed=7), faces.labels, trunk) for name, look in COMMUNITIES.items()
    }
    first = next(iter(shifted.values()))
    wanted = {options.only} if options.only else {"curve", "liars", "nothing", "play", "load"}
    if "curve" in wanted:
        console.print(curve_table(shifted, full=options.full))
    if "liars" in wanted:
        console.print(liars_table(first))
    if "nothing" in wanted:
        plain = Community.of(faces.pixels, faces.labels, trunk)
        console.print(nothing_table(plain, first, options.runs))
    if "play" in wanted:
        console.print(play_table(first))
    if "load" in wanted:
        console.print(load_table(faces))
    console.print(f"{time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
