"""What a network is to say about each training face: official labels, FER+ votes, and teachers' predictions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.data import FERPLUS, Faces, without_outliers
from training.fitting.recipe import Recipe

Rows = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Targets:
    """What Keras's `fit` needs besides the pixels: a target and a weight for each head and face."""

    targets: Rows
    weights: Rows


def targets_of(faces: Faces, recipe: Recipe, class_counts: NDArray[np.int64]) -> Targets:
    """Return one-hot official labels weighted by class rarity, and FER+ votes as distributions (weight 0 without
    votes).
    """
    shares = class_counts / class_counts.sum()
    class_weights = np.where(shares > 0, shares, 1) ** -recipe.loss.class_weight_power
    class_weights /= (class_weights * shares).sum()
    targets = {"fer2013": np.eye(len(class_counts), dtype=np.float32)[faces.labels]}
    weights = {"fer2013": class_weights[faces.labels].astype(np.float32)}
    if has_ferplus_head(recipe):
        votes = np.zeros((len(faces), len(FERPLUS)), np.float32)
        if faces.votes is not None:
            votes = without_outliers(faces.votes)[:, : len(FERPLUS)]
        total = votes.sum(axis=1, keepdims=True)
        targets["ferplus"] = votes / np.maximum(total, 1)
        weights["ferplus"] = (total[:, 0] > 0).astype(np.float32)
    return Targets(targets, weights)


def taught(wanted: Targets, teacher: Rows, share: float) -> Targets:
    """Return the targets with `share` of them replaced by a teacher's predictions for the same faces; weights stay."""
    blended = {head: (1 - share) * rows + share * teacher[head] for head, rows in wanted.targets.items()}
    return Targets(blended, wanted.weights)


def voted(wanted: Targets, faces: Faces, share: float) -> Targets:
    """Return the targets with `share` of each official label replaced by label probabilities given the face's FER+
    votes.

    A logistic regression on the square roots of the vote shares is fitted to these faces; it is too small to memorise
    them. Faces without votes keep their target.
    """
    if faces.votes is None or not (has_votes := faces.votes.sum(axis=1) > 0).any():
        return wanted
    votes = np.sqrt(faces.votes[has_votes] / faces.votes[has_votes].sum(axis=1, keepdims=True))
    regression = LogisticRegression(C=10, max_iter=1000).fit(votes, faces.labels[has_votes])
    official = wanted.targets["fer2013"].copy()
    official[has_votes] *= 1 - share
    official[np.ix_(has_votes, regression.classes_)] += share * regression.predict_proba(votes)
    return Targets(wanted.targets | {"fer2013": official.astype(np.float32)}, wanted.weights)


def has_ferplus_head(recipe: Recipe) -> bool:
    """Check whether the recipe's network has the second head."""
    return recipe.loss.ferplus_weight > 0
