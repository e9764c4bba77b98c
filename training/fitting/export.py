"""Export fitted runs as the files that `recognizer` serves: int8 weights, and a model card with the calibration."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from recognizer import EMOTIONS
from recognizer.checksums import write_sums
from recognizer.classification import (
    CARD_FILE,
    WEIGHTS_FILE,
    Calibration,
    Classifier,
    Head,
    ModelCard,
    View,
    calibrate,
)
from recognizer.runtime import TfliteModel
from training import TrainingError
from training.data import Faces, ferplus_majority
from training.evaluation import score
from training.fitting.fit import RECIPE_FILE, history_of, load_fitted
from training.fitting.networks import multiply_adds, with_embedding
from training.fitting.tflite import to_tflite
from training.fitting.weights import write_weights
from training.guard import GUARD_FILE, Guard

PRIOR_POWERS = (0.0, 0.25)
"""Powers of the class shares that are tried as the prior correction. Recipes already learn with class weights of power
0.25; together with 0.25 here that is the square root of the shares, which did best on faces from outside FER2013.
Higher powers cost accuracy on `valid`.
"""
AS_IT_IS = (View(1.0, mirrored=False),)
VIEWS = (
    AS_IT_IS,
    (View(1.0, mirrored=False), View(1.0, mirrored=True)),
    (View(0.9, mirrored=False), View(1.0, mirrored=True)),
    (View(0.9, mirrored=True), View(1.0, mirrored=False)),
    (View(0.9, mirrored=True), View(1.05, mirrored=False)),
    (View(0.85, mirrored=True), View(0.95, mirrored=False), View(1.05, mirrored=True)),
    tuple(View(zoom, mirrored) for zoom in (0.9, 1.05) for mirrored in (False, True)),
)
"""The sets of views for test-time augmentation that are tried."""
MOST_MULTIPLY_ADDS = 1_000_000_000
"""Budget over all views of a face: 2.5 ms on one core for a VGG-style network (one pass of `vgg_small` is 160 million
and 0.4 ms), up to twice that for a residual one (`face_a`: 95 million and 0.5 ms).
"""
UNCALIBRATED = Calibration(1.0, (0.0,) * len(EMOTIONS))
_BIAS_PENALTY = 0.001
LEAST_AGREEMENT = 0.98
"""Minimum share of faces on which the int8 file and the float network must have the same label."""


class ExportError(TrainingError):
    """The exported file is not good enough to be served; the message has the figures."""


@dataclass(frozen=True)
class QuantizationAgreement:
    """Agreement of the int8 file with the float network on the same faces, from one view: shares from 0 to 1."""

    same_label: float
    largest_difference: float
    float_accuracy: float
    int8_accuracy: float


def export(runs: list[Path], train: Faces, valid: Faces, folder: Path, name: str | None = None) -> ModelCard:
    """Write `expression.tflite`, `model.json`, `guard.npz` and `weights.npz` into `folder`, with all choices made on
    `valid`.

    Several runs become one network that outputs the mean of their probabilities. The version is `name`, or the first
    run's name, followed by the start of the file's digest. Raise `ExportError` if int8 and float disagree on more than
    2 % of the labels, `MissingError` if a run has no weights.
    """
    members = {run.name: load_fitted(run) for run in runs}
    network = with_embedding(list(members.values()))
    content = to_tflite(network)
    served = TfliteModel(content)
    single = _probabilities(served, valid, AS_IT_IS)
    agreement = _agreement(network, single, valid)
    if agreement.same_label < LEAST_AGREEMENT:
        raise ExportError(f"int8 and float agree on {agreement.same_label:.1%} of labels; nothing was written.")
    version = f"{name or runs[0].name}-{hashlib.sha256(content).hexdigest()[:8]}"
    a_view = sum(map(multiply_adds, members.values()))
    affordable = [views for views in VIEWS if len(views) * a_view <= MOST_MULTIPLY_ADDS] or [AS_IT_IS]
    seen = {views: _probabilities(served, valid, views) for views in affordable}
    judged = {views: score(given, valid.labels) for views, given in seen.items()}
    views = max(judged, key=lambda views: judged[views].accuracy)
    chosen = seen[views]
    shown = choose_calibration(chosen, valid.labels, train.class_counts)
    fer2013 = temperature_scaling(chosen, valid.labels)
    card = ModelCard(version, views, shown, fer2013, _majority_calibration(served, valid, views))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(content)
    (folder / GUARD_FILE).write_bytes(Guard.of(Classifier(served, card), train, valid).to_bytes())
    write_weights(members, folder)
    facts = {
        "serving": asdict(card),
        "weights_sha256": hashlib.sha256(content).hexdigest(),
        "members": [_told(run) for run in runs],
        "int8_against_float_on_valid": asdict(agreement),
        "valid_by_views": [
            {"views": [asdict(view) for view in views], "accuracy": scores.accuracy, "nll": scores.nll}
            for views, scores in judged.items()
        ],
        "valid": {
            "fer2013": asdict(score(calibrate(chosen, fer2013), valid.labels)),
            "shown": asdict(score(calibrate(chosen, shown), valid.labels)),
        },
    }
    (folder / CARD_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    write_sums(folder)
    return card


def _told(run: Path) -> dict[str, Any]:
    """Return the model card's entry about one run."""
    return {"recipe": json.loads((run / RECIPE_FILE).read_text(encoding="utf-8")), "history": history_of(run)}


def choose_calibration(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], class_counts: NDArray[np.int64]
) -> Calibration:
    """Choose the prior correction and the temperature on held-out faces.

    The correction maximises the mean of accuracy and macro recall, because the frequency of expressions among the bot's
    users is unknown: it may be FER2013's, or uniform. The temperature maximises the likelihood.
    """
    log_shares = np.log(np.maximum(class_counts, 1) / class_counts.sum())

    def prior(power: float) -> tuple[float, ...]:
        return tuple(round(power * float(share), 4) + 0.0 for share in log_shares - log_shares.mean())

    def worth(power: float) -> float:
        scores = score(calibrate(probabilities, Calibration(1.0, prior(power))), labels)
        return (scores.accuracy + scores.macro_recall) / 2

    return temperature_scaling(probabilities, labels, prior(max(PRIOR_POWERS, key=worth)))


def temperature_scaling(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], log_prior: tuple[float, ...] | None = None
) -> Calibration:
    """Fit the temperature that maximises the likelihood of labels `(n,)` under probabilities `(n, k)` of held-out
    faces.

    log_prior: `(k,)`, subtracted first. Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599.
    """
    log_prior = log_prior or (0.0,) * probabilities.shape[1]
    fitted = minimize_scalar(
        lambda t: score(calibrate(probabilities, Calibration(float(t), log_prior)), labels).nll,
        bounds=(0.2, 5),
        method="bounded",
    )
    return Calibration(round(float(fitted.x), 4), log_prior)


def vector_scaling(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Calibration:
    """Fit one temperature and a bias for each class, by the likelihood of labels `(n,)` under probabilities `(n, k)`.

    The biases are regularised towards 0. Source: Guo et al. 2017, as above.
    """
    logits, faces = np.log(np.clip(probabilities, 1e-9, 1)), np.arange(len(labels))

    def loss(values: NDArray[np.float64]) -> float:
        scaled = logits * np.exp(values[0]) + values[1:]
        likelihood = scaled[faces, labels] - logsumexp(scaled, axis=1)
        return float(_BIAS_PENALTY * (values[1:] ** 2).sum() - likelihood.mean())

    sharpness, *biases = minimize(loss, np.zeros(1 + probabilities.shape[1]), method="L-BFGS-B").x
    temperature = float(np.exp(-sharpness))
    return Calibration(round(temperature, 4), tuple(round(-temperature * float(bias), 4) for bias in biases))


def _majority_calibration(network: TfliteModel, valid: Faces, views: tuple[View, ...]) -> Calibration | None:
    if "ferplus" not in network.output_widths or valid.votes is None:
        return None
    majority = ferplus_majority(valid.votes)
    clear = majority >= 0
    if not clear.any():
        return None
    return vector_scaling(_probabilities(network, valid[clear], views, "ferplus"), majority[clear])


def _probabilities(
    network: TfliteModel, faces: Faces, views: tuple[View, ...], head: Head = "fer2013"
) -> NDArray[np.float32]:
    return Classifier(network, ModelCard("", views, UNCALIBRATED)).classify(faces.pixels, head)


def _agreement(network: keras.Model, int8: NDArray[np.float32], valid: Faces) -> QuantizationAgreement:
    floats = network.predict(valid.pixels.astype(np.float32), batch_size=256, verbose=0)["fer2013"]
    return QuantizationAgreement(
        same_label=float((floats.argmax(axis=1) == int8.argmax(axis=1)).mean()),
        largest_difference=float(np.abs(floats - int8).max()),
        float_accuracy=score(floats, valid.labels).accuracy,
        int8_accuracy=score(int8, valid.labels).accuracy,
    )
