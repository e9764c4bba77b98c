"""Evaluate a classifier: scores, and plots of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

ECE_BINS = 15


@dataclass(frozen=True)
class Scores:
    """Scores over `n` faces in `k` classes. Shares are from 0 to 1; per-class figures are in the order of the head's
    classes.

    confusion: `(k, k)` counts, one row for each true class. calibration_error: expected calibration error over 15
    equal-width bins (Guo et al. 2017, https://arxiv.org/abs/1706.04599). nll: mean negative log-likelihood in nats.
    """

    n: int
    accuracy: float
    macro_f1: float
    macro_recall: float
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float
    nll: float


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """Score probabilities `(n, k)` against true labels `(n,)`."""
    guesses, classes = probabilities.argmax(axis=1), np.arange(probabilities.shape[1])
    precision, recall, f1, _ = precision_recall_fscore_support(labels, guesses, labels=classes, zero_division=0)
    matrix = confusion_matrix(labels, guesses, labels=classes)
    return Scores(
        n=len(labels),
        accuracy=float((guesses == labels).mean()),
        macro_f1=float(f1.mean()),
        macro_recall=float(recall.mean()),
        precision=tuple(map(float, precision)),
        recall=tuple(map(float, recall)),
        f1=tuple(map(float, f1)),
        confusion=tuple(tuple(map(int, row)) for row in matrix),
        calibration_error=calibration_error(probabilities, labels),
        nll=float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-12, 1)).mean()),
    )


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean distance between confidence and accuracy over 15 equal-width bins, weighted by their faces."""
    return gap_of(reliability(probabilities, labels))


def gap_of(bins: Sequence[tuple[float, float, float]]) -> float:
    """Return the mean distance between accuracy and confidence of the bins of `reliability`, weighted by their
    shares.
    """
    return float(sum(share * abs(right - sure) for share, right, sure in bins))


def reliability(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> list[tuple[float, float, float]]:
    """Return for each non-empty confidence bin its share of the faces, their accuracy, and their mean confidence."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    filled = [bins == number for number in range(ECE_BINS) if (bins == number).any()]
    return [(float(inside.mean()), float(right[inside].mean()), float(confidence[inside].mean())) for inside in filled]


def draw(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str], title: str, path: Path
) -> None:
    """Write a PNG with the confusion matrix (shares of each true class) and the reliability diagram."""
    scores = score(probabilities, labels)
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    matrix, diagram = figure.subplots(1, 2, width_ratios=(1.2, 1))
    draw_confusion(matrix, scores, classes)
    matrix.set_title(f"{title}: {scores.accuracy:.1%} of {scores.n} right")
    draw_reliability(diagram, reliability(probabilities, labels))
    diagram.set_title(f"calibration error {scores.calibration_error:.1%}")
    figure.savefig(path, dpi=110)


def draw_confusion(matrix: Axes, scores: Scores, classes: Sequence[str]) -> None:
    """Draw the confusion matrix as shares of each true class, one row for each true class."""
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    matrix.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        ink = "white" if shares[row, column] > 0.5 else "black"
        matrix.text(column, row, f"{shares[row, column]:.0%}", ha="center", va="center", color=ink, fontsize=9)
    matrix.set_xticks(range(len(classes)), classes, rotation=30)
    matrix.set_yticks(range(len(classes)), classes)
    matrix.set(xlabel="read as", ylabel="labelled")


def draw_reliability(diagram: Axes, bins: Sequence[tuple[float, float, float]]) -> None:
    """Draw a bar for each bin of `reliability`: accuracy against confidence."""
    diagram.plot([0, 1], [0, 1], color="grey", linestyle=":")
    colour = mpl.colors.to_rgba("C0", 0.8)
    diagram.bar([sure for _, _, sure in bins], [right for _, right, _ in bins], width=0.05, color=colour)
    diagram.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="right")
