"""Measure everything for a model's report and its model card, so that both have the same numbers."""

import platform
import statistics
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from recognizer import EMOTIONS, FACE_SIZE
from recognizer.classification import Classifier
from recognizer.finding.detection import FaceDetector
from training.data import FERPLUS, Faces, Split, ferplus_majority, without_copies
from training.evaluation import Scores, reliability, score
from training.fitting.augmentation import augmented
from training.fitting.recipe import Recipe
from training.reporting.face_sizes import FaceSize, by_face_size
from training.reporting.intervals import MeasuredShare, macro_f1_interval
from training.reporting.model_folders import FoundModel, Member
from training.reporting.slices import Slice, brightness, by_edges, by_fifths, contrast, disagreement, sharpness

EXAMPLES_A_CLASS = 4
_SEED = 20261121
_TIMED_READINGS = 60
_AUGMENTED_FACES, _DRAWS = 6, 7
_DISAGREEMENT_EDGES = (0.01, 0.75, 1.25, 1.75)  # in bits; below the first edge all taggers agree

Bins = list[tuple[float, float, float]]
Measure = Literal["sharpness", "brightness", "contrast", "disagreement"]


@dataclass(frozen=True)
class Head:
    """One head's scores on the split. classes: the order of its figures. bins: see `evaluation.reliability`."""

    classes: tuple[str, ...]
    scores: Scores
    accuracy: MeasuredShare
    macro_f1: tuple[float, float]
    """The 95 % interval; the figure itself is in `scores`."""
    bins: Bins

    @property
    def recalls(self) -> tuple[MeasuredShare, ...]:
        """Return the recall of each class, in the order of `classes`."""
        rows = self.scores.confusion
        return tuple(MeasuredShare(row[number], sum(row)) for number, row in enumerate(rows))

    @property
    def worst(self) -> tuple[str, MeasuredShare]:
        """Return the class with the lowest recall among those with a face."""
        filled = [pair for pair in zip(self.classes, self.recalls, strict=True) if pair[1].n]
        return min(filled, key=lambda pair: pair[1].value)


@dataclass(frozen=True)
class Example:
    """A face `(48, 48)` with its official label, the bot's reading, and its confidence (0 to 1)."""

    pixels: NDArray[np.uint8]
    label: str
    reading: str
    confidence: float


@dataclass(frozen=True)
class Examples:
    """The faces of one class with the highest confidence, the highest first."""

    emotion: str
    right: tuple[Example, ...]
    wrong: tuple[Example, ...]


@dataclass(frozen=True)
class Latency:
    """Median milliseconds for one face on one thread, and the processor it was measured on."""

    ms: float
    processor: str


@dataclass(frozen=True)
class Counts:
    """Faces per class, in the order of `EMOTIONS`."""

    split: Split
    faces: tuple[int, ...]


@dataclass(frozen=True)
class Findings:
    """One model's results on one split.

    benchmark: the head "fer2013". shown: what the bot shows. ferplus: against the majority of the FER+ votes, None
    without votes or head. label_agreement: how often that majority is the official label. copies: faces left out of
    train. augmented: `(faces, 1 + draws, 48, 48)`, a face and then its variants, None if the recipe cannot be read.
    sizes: empty if no face was pasted.
    """

    model: FoundModel
    split: Split
    measured: date
    counts: tuple[Counts, ...]
    copies: int
    benchmark: Head
    shown: Head
    ferplus: Head | None
    label_agreement: MeasuredShare | None
    slices: dict[Measure, tuple[Slice, ...]]
    sizes: tuple[FaceSize, ...]
    examples: tuple[Examples, ...]
    augmented: NDArray[np.uint8] | None
    latency: Latency

    @property
    def has_history(self) -> bool:
        """Check whether any member's model card has its learning curves."""
        return any(member.history for member in self.model.members)


def gather(model: FoundModel, splits: dict[Split, Faces], split: Split, pasted: int, measured: date) -> Findings:
    """Measure the model as it is served, on `split`; `pasted` faces are also read from photos at each size."""
    classifier, faces = Classifier.load(model.folder), splits[split]
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    shown = classifier.classify(faces.pixels, "shown")
    majority = None if faces.votes is None else ferplus_majority(faces.votes)
    return Findings(
        model=model,
        split=split,
        measured=measured,
        counts=(_counts("train", train), _counts("valid", splits["valid"]), _counts("test", splits["test"])),
        copies=len(splits["train"]) - len(train),
        benchmark=_head(classifier.classify(faces.pixels, "fer2013"), faces.labels, EMOTIONS),
        shown=_head(shown, faces.labels, EMOTIONS),
        ferplus=None if majority is None else _ferplus(classifier, faces, majority),
        label_agreement=None if majority is None else _label_agreement(faces, majority),
        slices=_slices(faces, shown.argmax(axis=1) == faces.labels),
        sizes=_sizes(classifier, faces, pasted),
        examples=examples(faces, shown),
        augmented=_augmented(model.members, train),
        latency=_latency(classifier, faces),
    )


def _counts(split: Split, faces: Faces) -> Counts:
    return Counts(split, tuple(faces.class_counts.tolist()))


def _head(probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: tuple[str, ...]) -> Head:
    scores = score(probabilities, labels)
    return Head(
        classes,
        scores,
        MeasuredShare.of(probabilities.argmax(axis=1) == labels),
        macro_f1_interval(scores.confusion, np.random.default_rng(_SEED)),
        reliability(probabilities, labels),
    )


def _ferplus(classifier: Classifier, faces: Faces, majority: NDArray[np.int64]) -> Head | None:
    clear = majority >= 0
    if "majority" not in classifier.heads or not clear.any():
        return None
    probabilities = classifier.classify(faces.pixels[clear], "majority")
    return _head(probabilities, majority[clear], FERPLUS)


def _label_agreement(faces: Faces, majority: NDArray[np.int64]) -> MeasuredShare | None:
    clear = majority >= 0
    same = np.array(FERPLUS)[majority[clear]] == np.array(EMOTIONS)[faces.labels[clear]]
    return MeasuredShare.of(same) if clear.any() else None


def _slices(faces: Faces, right: NDArray[np.bool_]) -> dict[Measure, tuple[Slice, ...]]:
    found: dict[Measure, tuple[Slice, ...]] = {
        "sharpness": by_fifths(sharpness(faces.pixels), right),
        "brightness": by_fifths(brightness(faces.pixels), right),
        "contrast": by_fifths(contrast(faces.pixels), right),
    }
    if faces.votes is not None and (voted := faces.votes.sum(axis=1) > 0).any():
        found["disagreement"] = by_edges(disagreement(faces.votes[voted]), right[voted], _DISAGREEMENT_EDGES)
    return found


def _sizes(classifier: Classifier, faces: Faces, count: int) -> tuple[FaceSize, ...]:
    if not count:
        return ()
    random = np.random.default_rng(_SEED)
    rows = random.choice(len(faces), min(count, len(faces)), replace=False)
    return by_face_size(classifier, FaceDetector.load(), faces[rows], random)


def examples(faces: Faces, shown: NDArray[np.float32]) -> tuple[Examples, ...]:
    """Return for each class the faces that were read with the highest confidence, right and wrong.

    shown: probabilities `(n, 7)`.
    """
    reading, confidence = shown.argmax(axis=1), shown.max(axis=1)
    surest_first = np.argsort(-confidence, kind="stable")

    def surest(rows: NDArray[np.intp]) -> tuple[Example, ...]:
        return tuple(
            Example(faces.pixels[row], EMOTIONS[faces.labels[row]], EMOTIONS[reading[row]], float(confidence[row]))
            for row in rows[:EXAMPLES_A_CLASS]
        )

    found = []
    for number, emotion in enumerate(EMOTIONS):
        rows = surest_first[faces.labels[surest_first] == number]
        is_right = reading[rows] == number
        found.append(Examples(emotion, surest(rows[is_right]), surest(rows[~is_right])))
    return tuple(found)


def _augmented(members: tuple[Member, ...], train: Faces) -> NDArray[np.uint8] | None:
    if not members or not len(train):
        return None
    try:
        recipe = Recipe.model_validate(members[0].recipe)
    except ValidationError:  # a recipe of another version of this project
        return None
    random = np.random.default_rng(_SEED)
    faces = train.pixels[random.choice(len(train), min(_AUGMENTED_FACES, len(train)), False)]
    variants = augmented(np.repeat(faces, _DRAWS, axis=0), recipe.augmentation, random)
    return np.concatenate([faces[:, None], variants.reshape(len(faces), _DRAWS, FACE_SIZE, FACE_SIZE)], axis=1)


def _latency(classifier: Classifier, faces: Faces) -> Latency:
    times_ms = []
    for number in range(_TIMED_READINGS):
        face = faces.pixels[number % len(faces)][None]
        started = time.perf_counter()
        classifier.classify(face)
        times_ms.append(1000 * (time.perf_counter() - started))
    return Latency(statistics.median(times_ms), _processor())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "an unnamed processor"
