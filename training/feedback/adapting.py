"""The shallow depth of retraining: fit a gated correction on the network's embeddings, in seconds and without Keras.

There are three defences against bad labels. The loss of a face is bounded, because any label may be wrong: a share
`NOISE` of uniform labels is mixed into the prediction (the noise model of Natarajan et al. 2013 with equal rates).
People whose labels fit neither the network nor what others teach lose their weight (`training.feedback.trust`). And one
person's share of all weight is limited.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from recognizer.adaptation import Adaptation
from training.feedback.played import moved_by
from training.feedback.trust import NOISE, Floats, capped, trust
from training.guard import Anchors

Told = Callable[[float], None]

WEIGHT_PENALTY = 1.0
ANCHOR_WEIGHT = 0.1
GATE_PENALTY = 0.01
"""Chosen on halves of `valid` with the four image shifts of `tests/bench/communities.py`."""
RARITY_POWER = 0.75
"""Power of an emotion's share of the labels by which each of its labels weighs less: half of what people send is happy,
and a correction fitted to that as it is unlearns the rest. Chosen on `valid`, as above, among 0, 0.25, 0.5, 0.75 and 1;
the table is in `docs/results.md`.
"""
_LEAST_SHARE = 0.01
"""Share of the labels that an emotion is taken to have at least."""
FOLDS = 5
_ROUNDS = 2
_STEPS = 50
"""Iterations of L-BFGS; 150 took twice as long and was no more accurate on held-out faces."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """Labelled faces as outputs of a network.

    embeddings: float32 `(n, d)`. probabilities: float32 `(n, 7)`, as shown without a correction. labels: float64
    `(n, 7)`, soft, rows summing to 1. weights: float64 `(n,)`, above 0. people: int64 `(n,)`, the person behind each
    label. vouched: bool `(n,)`, whether the label is trusted regardless of the person. offsets: float64 `(n, 7)`, what
    is added to the logits of faces that did not come as faces usually do; see `training.feedback.played`.
    """

    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    labels: Floats
    weights: Floats
    people: NDArray[np.int64]
    vouched: NDArray[np.bool_]
    offsets: Floats

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Lessons":
        columns = (getattr(self, field.name)[rows] for field in fields(self))
        return Lessons(*columns)


@dataclass(frozen=True, eq=False)
class Adapted:
    """The correction that was fitted, and what the fit says of its lessons.

    trust: float64 `(n,)`, from 0 to 1, equal for all lessons of a person. cross_validated: float64 `(n, 7)`, what
    corrections say that were fitted without the person in question, offsets included; rows sum to 1.
    """

    adaptation: Adaptation
    trust: Floats
    cross_validated: Floats


def adapt(lessons: Lessons, anchors: Anchors, told: Told = lambda _: None) -> Adapted:
    """Fit a correction.

    lessons: at least one. told: a callback that receives the progress from 0 to 1; it may raise to stop the work.
    """
    believed, said = np.ones(len(lessons)), moved_by(lessons.probabilities, lessons.offsets)
    gate = _gate_of(lessons, anchors)  # it does not depend on labels, so one gate serves every fit
    for number in range(_ROUNDS):
        told(number / _ROUNDS)
        said = _cross_validated(_weighed(lessons, believed), anchors, gate)
        believed = trust(lessons.labels, lessons.people, lessons.vouched, said)
    return Adapted(_fitted(_weighed(lessons, believed), anchors, gate), believed, said)


def _weighed(lessons: Lessons, believed: Floats) -> Lessons:
    """Return the lessons weighted by the trust in each person and by how rare their emotions are, with each person's
    share limited.
    """
    weights = lessons.weights * believed
    return replace(lessons, weights=capped(weights * _rarity(lessons, weights), lessons.people))


def _rarity(lessons: Lessons, weights: Floats) -> Floats:
    """Return by how much more each lesson weighs because its emotion is rare, `(n,)`, so that their sum is unchanged.

    In games, what comes up is decided by the game, and the offsets make up for it: their lessons keep their weight.
    """
    usual = ~lessons.offsets.any(axis=1)
    rarity, total = np.ones(len(lessons)), float(weights[usual].sum())
    if total > 0:
        shares = np.maximum(weights[usual] @ lessons.labels[usual] / total, _LEAST_SHARE)
        rarity[usual] = lessons.labels[usual] @ shares**-RARITY_POWER
        rarity[usual] *= total / float(weights[usual] @ rarity[usual])
    return rarity


def _cross_validated(lessons: Lessons, anchors: Anchors, gate: Floats) -> Floats:
    """Return cross-validated predictions, `(n, 7)`: each person's faces by a correction fitted without that person."""
    said = moved_by(lessons.probabilities, lessons.offsets)
    _, people = np.unique(lessons.people, return_inverse=True)
    fold = np.random.default_rng(0).permutation(people.max() + 1)[people] % FOLDS
    for number in range(FOLDS):
        left_out = fold == number
        if left_out.any() and not left_out.all():
            held = lessons[left_out]
            fitted = _fitted(lessons[~left_out], anchors, gate)
            said[left_out] = moved_by(fitted.apply(held.probabilities, held.embeddings), held.offsets)
    return said


def _fitted(lessons: Lessons, anchors: Anchors, gate: Floats) -> Adaptation:
    centre, scale = _standard(anchors)
    faces, others = _standardised(lessons.embeddings, anchors), _standardised(anchors.embeddings, anchors)
    opened, opened_others = (expit(rows @ gate[:-1] + gate[-1])[:, None] for rows in (faces, others))
    weights, bias = _correction(
        (faces * opened, opened, _logs(lessons.probabilities) + lessons.offsets, lessons.labels, _shares(lessons)),
        (others * opened_others, opened_others, _logs(anchors.probabilities)),
    )
    return Adaptation(
        (weights / scale[:, None]).astype(np.float32),
        (bias - (centre / scale) @ weights).astype(np.float32),
        (gate[:-1] / scale).astype(np.float32),
        float(gate[-1] - (centre / scale) @ gate[:-1]),
    )


def _gate_of(lessons: Lessons, anchors: Anchors) -> Floats:
    faces, others = _standardised(lessons.embeddings, anchors), _standardised(anchors.embeddings, anchors)
    return _gate(faces, _shares(lessons), others)


def _standard(anchors: Anchors) -> tuple[Floats, Floats]:
    """Return the anchors' mean and standard deviation in each of the `d` dimensions."""
    embeddings = anchors.embeddings.astype(np.float64)
    return embeddings.mean(axis=0), embeddings.std(axis=0) + 1e-3


def _standardised(embeddings: NDArray[np.float32], anchors: Anchors) -> Floats:
    centre, scale = _standard(anchors)
    rows: Floats = (embeddings - centre) / scale
    return rows


def _shares(lessons: Lessons) -> Floats:
    shares: Floats = lessons.weights / max(float(lessons.weights.sum()), 1e-9)
    return shares


def _gate(faces: Floats, shares: Floats, others: Floats) -> Floats:
    """Fit a logistic regression of "is from the feedback", both classes with equal weight: `(d + 1,)`, the bias
    last.
    """
    rows = np.vstack([faces, others])
    is_feedback = np.r_[np.ones(len(faces)), np.zeros(len(others))]
    weights = np.r_[shares / 2, np.full(len(others), 0.5 / len(others))]

    def loss(values: Floats) -> tuple[float, Floats]:
        logits = rows @ values[:-1] + values[-1]
        error = weights * (expit(logits) - is_feedback)
        value = weights @ (np.logaddexp(0, logits) - is_feedback * logits) + GATE_PENALTY * values[:-1] @ values[:-1]
        return float(value), np.r_[rows.T @ error + 2 * GATE_PENALTY * values[:-1], error.sum()]

    gate: Floats = minimize(
        loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
    ).x
    return gate


def _correction(
    lessons: tuple[Floats, Floats, Floats, Floats, Floats], anchors: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats]:
    """Fit weights `(d, 7)` and bias `(7,)` to the labels, with penalties on changes of the anchors and on large
    weights.
    """
    faces, opened, logs, labels, shares = lessons
    others, opened_others, logs_others = anchors
    wide = faces.shape[1] * 7
    wanted = np.exp(logs_others)

    def loss(values: Floats) -> tuple[float, Floats]:
        weights, bias = values[:wide].reshape(-1, 7), values[wide:]
        said = _softmax(logs + faces @ weights + opened * bias)
        mixed = (1 - NOISE) * said + NOISE / 7
        pull = -labels * (1 - NOISE) * said / mixed
        error = shares[:, None] * (pull - said * pull.sum(axis=1, keepdims=True))
        kept = _softmax(logs_others + others @ weights + opened_others * bias)
        drift = ANCHOR_WEIGHT / len(others) * (kept - wanted)
        value = (
            -shares @ (labels * np.log(mixed)).sum(axis=1)
            - ANCHOR_WEIGHT * (wanted * np.log(kept)).sum(axis=1).mean()
            + WEIGHT_PENALTY * float((weights**2).sum())
        )
        slope = faces.T @ error + others.T @ drift + 2 * WEIGHT_PENALTY * weights
        return float(value), np.r_[slope.ravel(), (opened * error).sum(axis=0) + (opened_others * drift).sum(axis=0)]

    found = minimize(loss, np.zeros(wide + 7), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return found[:wide].reshape(-1, 7), found[wide:]


def _logs(probabilities: NDArray[np.float32]) -> Floats:
    logs = np.log(np.clip(probabilities.astype(np.float64), 1e-9, 1))
    normal: Floats = logs - logsumexp(logs, axis=1, keepdims=True)
    return normal


def _softmax(logits: Floats) -> Floats:
    soft: Floats = np.maximum(np.exp(logits - logsumexp(logits, axis=1, keepdims=True)), 1e-12)
    return soft
