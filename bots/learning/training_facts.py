"""What `python -m training` writes for the console's training window, read from its files."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

_MOST_BYTES = 4 * 1024**2
_MOST_EPOCHS = 5_000
_Facts = TypeVar("_Facts")


@dataclass(frozen=True)
class RecipeFacts:
    """A recipe to choose; see `training.window.facts.RecipeFacts`."""

    name: str
    argument: str
    is_own: bool
    network: str
    epochs: int
    starts_from: str | None
    teachers: tuple[str, ...]
    weights: str
    published: float | None
    problem: str
    digest: str


@dataclass(frozen=True)
class Offered:
    """What can be trained here. base_data_problem: why FER2013 cannot be used, empty if it can."""

    recipes: tuple[RecipeFacts, ...]
    base_data_problem: str


@dataclass(frozen=True)
class Sample:
    """A face and what augmentation makes of it, as PNG in base64."""

    emotion: str
    original: str
    variants: tuple[str, ...]


@dataclass(frozen=True)
class DataFacts:
    """Faces of each class by split, how many of train are left out as copies, and samples. recipe: the digest of the
    recipe that augments them. mixes: faces are also mixed with others, which the samples do not show.
    """

    recipe: str
    counts: dict[str, tuple[int, ...]]
    left_out: int
    mixes: bool
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Example:
    """A face as PNG in base64, its label, how it was read, and how surely (0 to 1)."""

    pixels: str
    label: str
    reading: str
    confidence: float


@dataclass(frozen=True)
class Examples:
    """The faces of one class that were read with the highest confidence."""

    emotion: str
    right: tuple[Example, ...]
    wrong: tuple[Example, ...]


@dataclass(frozen=True)
class Figures:
    """Figures on `valid`; shares are from 0 to 1, nll in nats."""

    faces: int
    accuracy: float
    macro_f1: float
    worst_recall: float
    worst_emotion: str
    nll: float


@dataclass(frozen=True)
class RunFacts(Figures):
    """How a fitted run reads `valid`. confusion: one row for each true class."""

    confusion: tuple[tuple[int, ...], ...]
    examples: tuple[Examples, ...]


@dataclass(frozen=True)
class ModelFigures(Figures):
    """The same of an exported model, with its version and the size of its network."""

    version: str
    bytes: int


@dataclass(frozen=True)
class ComparisonFacts:
    """An exported model and the served one, in this order. gain: points of accuracy more; low, high: its interval."""

    models: tuple[ModelFigures, ModelFigures]
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Epoch:
    """One line of history.csv: loss and accuracy (0 to 1) on train and on valid. number: from 1 on."""

    number: int
    loss: float
    valid_loss: float
    accuracy: float
    valid_accuracy: float


@dataclass(frozen=True)
class Metrics:
    """What a run says of itself when it ends by itself."""

    finished: bool
    epochs: int


@dataclass(frozen=True)
class RunRecipe:
    """What is needed of a run's recipe.json."""

    name: str
    epochs: int


def read(kind: type[_Facts], file: Path) -> _Facts | None:
    """Return the facts in a JSON file; None if there is none, or none of this kind."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            return None
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def history(file: Path) -> tuple[Epoch, ...]:
    """Return the epochs of a history.csv. A line that is being written is left out; of an epoch that was repeated after
    an interruption, the last line counts.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            return ()
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    whole, _, _ = text.rpartition("\n")
    found = (_epoch(row) for row in csv.DictReader(whole.splitlines()))
    epochs = {each.number: each for each in found if each is not None}
    return tuple(epochs[number] for number in sorted(epochs))[:_MOST_EPOCHS]


def best(epochs: Sequence[Epoch]) -> Epoch | None:
    """Return the epoch with the highest accuracy on valid."""
    return max(epochs, key=lambda each: each.valid_accuracy, default=None)


def _epoch(row: dict[str, str]) -> Epoch | None:
    try:
        number = int(float(row["epoch"])) + 1
        columns = ("loss", "val_loss", "fer2013_accuracy", "val_fer2013_accuracy")
        figures = [float(row[column]) for column in columns]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return Epoch(number, *figures) if all(map(math.isfinite, figures[2:])) else None
