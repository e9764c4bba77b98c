"""Draw the pictures of a report as PNG bytes. Measuring is left to `training.reporting.findings`."""

import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recognizer import EMOTIONS
from training.evaluation import draw_confusion, draw_reliability, gap_of
from training.reporting.face_sizes import FaceSize
from training.reporting.findings import Bins, Counts, Head
from training.reporting.intervals import MeasuredShare
from training.reporting.model_folders import Member
from training.reporting.slices import Slice

_WIDTH = 5.4  # inches; narrow, so that the text is readable on a phone
_DPI = 150
_COLOURS = ("#3b6ea5", "#d98032", "#7a9a4f")
_EDGE = 1  # white pixels around each face of a sheet


def class_counts(counts: Sequence[Counts]) -> bytes:
    """Draw the share of each class in each split."""
    figure, axes = _one(3.2)
    shares = [np.array(each.faces) / max(1, sum(each.faces)) for each in counts]
    _grouped_bars(axes, EMOTIONS, shares, [each.split for each in counts])
    axes.set_ylabel("share of the split")
    return _png(figure)


def learning_curves(members: Sequence[Member]) -> bytes:
    """Draw loss and accuracy of each epoch: dashed on train, solid on valid, one colour for each member."""
    figure = Figure(figsize=(_WIDTH, 6), layout="constrained")
    loss, accuracy = figure.subplots(2, 1, sharex=True)
    for number, member in enumerate(members):
        colour = f"C{number % 10}"
        for axes, column in ((loss, "loss"), (accuracy, "fer2013_accuracy")):
            _curve(axes, member, column, color=colour, linestyle="--", linewidth=1)
            _curve(axes, member, f"val_{column}", color=colour, linewidth=1.8, label=_plain(member.name))
    loss.set(ylabel="loss")
    accuracy.set(ylabel="accuracy on the official label", xlabel="epoch")
    for axes in (loss, accuracy):
        _quiet(axes)
    if accuracy.get_legend_handles_labels()[0]:
        accuracy.legend(fontsize=9, frameon=False)
    return _png(figure)


def confusion(head: Head) -> bytes:
    """Draw the confusion matrix of a head, as shares of each labelled class."""
    figure, axes = _one(4.9)
    draw_confusion(axes, head.scores, head.classes)
    return _png(figure)


def per_class(head: Head) -> bytes:
    """Draw precision, recall and F1 of each class."""
    figure, axes = _one(3.2)
    scores = head.scores
    columns = [np.array(column) for column in (scores.precision, scores.recall, scores.f1)]
    _grouped_bars(axes, head.classes, columns, ("precision", "recall", "F1"))
    axes.set_ylim(0, 1)
    return _png(figure)


def calibration(before: Bins, after: Bins) -> bytes:
    """Draw two reliability diagrams side by side."""
    figure = Figure(figsize=(_WIDTH, 3.0), layout="constrained")
    for axes, bins, name in zip(figure.subplots(1, 2), (before, after), ("before", "after"), strict=True):
        draw_reliability(axes, bins)
        axes.set_title(f"{name}: off by {gap_of(bins):.1%}", fontsize=11)
        axes.set_aspect("equal")
    return _png(figure)


def accuracy_by(slices: Sequence[Slice], measure: str) -> bytes:
    """Draw the accuracy on each slice with its 95 % interval."""
    figure, axes = _one(3.0)
    _share_bars(
        axes, np.arange(len(slices), dtype=float), [each.right for each in slices], width=0.6, color=_COLOURS[0]
    )
    axes.set_xticks(range(len(slices)), [each.name for each in slices], fontsize=9)
    axes.set(xlabel=measure, ylabel="accuracy", ylim=(0, 1))
    return _png(figure)


def accuracy_by_face_size(sizes: Sequence[FaceSize]) -> bytes:
    """Draw the accuracy in a photo against that on the same faces' own crops, and how many faces were found."""
    figure, axes = _one(3.2)
    places = np.arange(len(sizes), dtype=float)
    columns = (
        ("found", [size.found for size in sizes]),
        ("right, out of the photo", [size.in_photo for size in sizes]),
        ("right, own crop", [size.as_given for size in sizes]),
    )
    for number, (name, shares) in enumerate(columns):
        _share_bars(axes, places + 0.27 * (number - 1), shares, width=0.25, color=_COLOURS[number], label=name)
    axes.set_xticks(places, [f"{size.side} px" for size in sizes])
    axes.set(xlabel="width of the pasted face", ylim=(0, 1))
    _legend_above(axes)
    return _png(figure)


def sheet(faces: NDArray[np.uint8]) -> bytes:
    """Draw faces `(rows, columns, 48, 48)` as a contact sheet, enlarged twice, with a white line between them."""
    edges = ((0, 0), (0, 0), (_EDGE, _EDGE), (_EDGE, _EDGE))
    tiles = np.pad(faces, edges, constant_values=255)
    rows, columns, height, width = tiles.shape
    plain = tiles.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return portrait(cv2.resize(plain, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False))


def portrait(face: NDArray[np.uint8]) -> bytes:
    """Encode a grey picture `(height, width)` unchanged."""
    return cv2.imencode(".png", face)[1].tobytes()


def _one(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    return figure, axes


def _curve(axes: Axes, member: Member, column: str, **style: Any) -> None:
    values = [np.nan if value is None else value for value in member.history.get(column, [])]
    if values:
        axes.plot(range(1, len(values) + 1), values, **style)


def _grouped_bars(
    axes: Axes, groups: Sequence[str], columns: Sequence[NDArray[np.floating]], names: Sequence[str]
) -> None:
    places, width = np.arange(len(groups)), 0.8 / len(columns)
    for number, (column, name) in enumerate(zip(columns, names, strict=True)):
        shift = (number - (len(columns) - 1) / 2) * width
        axes.bar(places + shift, column, width * 0.92, label=name, color=_COLOURS[number])
    axes.set_xticks(places, groups, fontsize=9)
    _legend_above(axes)
    _quiet(axes)
    axes.yaxis.set_major_formatter(_percent)


def _share_bars(axes: Axes, places: NDArray[np.floating], shares: Sequence[MeasuredShare], **style: Any) -> None:
    values = np.array([share.value for share in shares])
    reach = [[share.value - share.low for share in shares], [share.high - share.value for share in shares]]
    error = {"ecolor": "#333333", "capsize": 2, "elinewidth": 1}
    axes.bar(places, values, yerr=np.maximum(reach, 0), error_kw=error, **style)
    axes.yaxis.set_major_formatter(_percent)
    _quiet(axes)


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=9, frameon=False)


def _plain(name: str) -> str:
    """Escape a name, because Matplotlib parses text between dollar signs as a formula."""
    return name.replace("$", r"\$")


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _percent(value: float, _position: float) -> str:
    return f"{value:.0%}"


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI)
    return content.getvalue()
