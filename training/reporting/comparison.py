"""Compare fitted runs on `valid`, alone or as the mean of several: `python -m training compare`.

The recipes and members of the shipped model are chosen by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.classification import View, calibrate, seen
from training.data import Faces, ferplus_majority
from training.evaluation import score
from training.fitting.export import temperature_scaling
from training.fitting.fit import REGISTERED_SEED, load_fitted, require_fitted
from training.fitting.registered import registered
from training.fitting.targets import Rows

ZOOMS = (0.9, 1.0, 1.1)
_AS_IT_IS = (View(1.0, mirrored=False),)
_BOTH_SIDES = (*_AS_IT_IS, View(1.0, mirrored=True))
_SIX = tuple(View(zoom, mirrored) for zoom in ZOOMS for mirrored in (False, True))

_Views = dict[View, Rows]


@dataclass(frozen=True)
class Compared:
    """Figures of one run, or of several averaged, on `valid`. Shares are from 0 to 1.

    one, both, six: accuracy with one view, with its mirror image, and with three zooms and their mirror images. nll:
    with six views after temperature scaling, in nats. registered, raw: accuracy with both sides on the faces that were
    detected in a scene, as registered crops and as original frames; NaN if none was. ferplus: accuracy with both sides
    against the taggers' majority, 8 classes; NaN without that head.
    """

    name: str
    one: float
    both: float
    six: float
    macro_f1: float
    worst_recall: float
    nll: float
    registered: float
    raw: float
    ferplus: float


def compare(groups: Sequence[Sequence[Path]], valid: Faces, kept: Path) -> list[Compared]:
    """Evaluate each group of runs as one. kept: the folder that caches registered crops. Raise `MissingError`."""
    names = dict.fromkeys(run for group in groups for run in group)
    for run in names:  # registering and predicting takes minutes
        require_fitted(run)
    crops = registered(valid, kept, REGISTERED_SEED)
    raw = {run: _predicted(run, valid.pixels, _SIX) for run in names}
    back = {run: _predicted(run, crops.pixels, _BOTH_SIDES) for run in names}
    return [
        _judged(
            "+".join(run.name for run in group),
            [raw[run] for run in group],
            [back[run] for run in group],
            valid,
            crops.found,
        )
        for group in groups
    ]


def table(compared: Sequence[Compared]) -> str:
    """Format the figures as a Markdown table."""
    lines = [
        "| | one view | with its mirror image | six views | macro-F1, six | worst recall, six | NLL, six "
        "| registered, raw (with mirror image) | FER+ |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in compared:
        shares = (each.one, each.both, each.six, each.macro_f1, each.worst_recall)
        lines.append(
            f"| `{each.name}` | {' | '.join(f'{100 * share:.1f}' for share in shares)} | {each.nll:.3f} "
            f"| {100 * each.registered:.1f}, {100 * each.raw:.1f} | {100 * each.ferplus:.1f} |"
        )
    return "\n".join(lines)


def _predicted(run: Path, pixels: NDArray[np.uint8], views: Sequence[View]) -> _Views:
    model = load_fitted(run)
    return {view: model.predict(seen(pixels, view).astype(np.float32), batch_size=256, verbose=0) for view in views}


def _judged(
    name: str, raw: Sequence[_Views], back: Sequence[_Views], valid: Faces, found: NDArray[np.bool_]
) -> Compared:
    six = _mean(raw, _SIX, "fer2013")
    scores = score(six, valid.labels)
    both = _mean(raw, _BOTH_SIDES, "fer2013")
    return Compared(
        name=name,
        one=_accuracy(_mean(raw, _AS_IT_IS, "fer2013"), valid.labels),
        both=_accuracy(both, valid.labels),
        six=scores.accuracy,
        macro_f1=scores.macro_f1,
        worst_recall=min(scores.recall),
        nll=_scaled_nll(six, valid.labels),
        registered=_accuracy(_mean(back, _BOTH_SIDES, "fer2013")[found], valid.labels[found]),
        raw=_accuracy(both[found], valid.labels[found]),
        ferplus=_ferplus(raw, valid),
    )


def _mean(members: Sequence[_Views], views: Sequence[View], head: str) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.mean([member[view][head] for member in members for view in views], axis=0)
    return mean


def _accuracy(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean()) if len(labels) else float("nan")


def _scaled_nll(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the negative log-likelihood at the best temperature."""
    return score(calibrate(probabilities, temperature_scaling(probabilities, labels)), labels).nll


def _ferplus(members: Sequence[_Views], valid: Faces) -> float:
    if valid.votes is None or any("ferplus" not in member[_AS_IT_IS[0]] for member in members):
        return float("nan")
    majority = ferplus_majority(valid.votes)
    right = _mean(members, _BOTH_SIDES, "ferplus").argmax(axis=1) == majority
    return float(right[majority >= 0].mean())
