"""Fitting a recipe: one folder a run, a checkpoint every epoch, resumed where it stopped."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from training import TrainingError
from training.data import FERPLUS, Faces
from training.networks import build
from training.recipe import Recipe

BEST_WEIGHTS = "best.weights.h5"
RECIPE_FILE = "recipe.json"
HISTORY_FILE = "history.csv"
_CHECKPOINT = "checkpoint"
_MONITORED = "val_fer2013_accuracy"


class RunError(TrainingError):
    """The folder of a run cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Targets:
    """What Keras's `fit` takes besides the pixels: a target and a weight for every head and face."""

    targets: dict[str, NDArray[np.float32]]
    weights: dict[str, NDArray[np.float32]]


def targets_of(faces: Faces, recipe: Recipe, class_counts: NDArray[np.int64]) -> Targets:
    """One-hot official labels weighted by class rarity, and FER+ votes as a distribution (weight 0 without votes)."""
    shares = np.maximum(class_counts, 1) / class_counts.sum()
    class_weights = shares**-recipe.loss.class_weight_power
    class_weights /= (class_weights * shares).sum()
    targets = {"fer2013": np.eye(len(class_counts), dtype=np.float32)[faces.labels]}
    weights = {"fer2013": class_weights[faces.labels].astype(np.float32)}
    if _has_ferplus_head(recipe):
        votes = np.zeros((len(faces), len(FERPLUS)), np.float32) if faces.votes is None else faces.votes
        total = votes.sum(axis=1, keepdims=True)
        targets["ferplus"] = votes / np.maximum(total, 1)
        weights["ferplus"] = (total[:, 0] > 0).astype(np.float32)
    return Targets(targets, weights)


def fit(recipe: Recipe, train: Faces, valid: Faces, run: Path) -> Path:
    """Run `recipe` in the folder `run` and return the path of the weights that were best on `valid`.

    A run that was interrupted goes on after its last whole epoch. Writes recipe.json, history.csv (a line an epoch)
    and best.weights.h5 (highest accuracy of the fer2013 head on `valid`). Raises `RunError` where the folder holds a
    run of another recipe.
    """
    _claim(run, recipe)
    keras.utils.set_random_seed(recipe.seed)
    train_targets = targets_of(train, recipe, train.class_counts)
    valid_targets = targets_of(valid, recipe, train.class_counts)
    model = build(recipe, ferplus=_has_ferplus_head(recipe))
    _compile(model, recipe, steps=recipe.epochs * -(-len(train) // recipe.batch_size))
    best = run / BEST_WEIGHTS
    model.fit(
        train.pixels,
        train_targets.targets,
        sample_weight=train_targets.weights,
        validation_data=(valid.pixels, valid_targets.targets, valid_targets.weights),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        callbacks=[
            keras.callbacks.CSVLogger(run / HISTORY_FILE, append=True),
            _best_so_far(run, best),
            keras.callbacks.BackupAndRestore(run / _CHECKPOINT, double_checkpoint=True, delete_checkpoint=False),
        ],
        verbose="auto" if os.isatty(1) else 2,
    )
    return best


def load_fitted(run: Path) -> keras.Model:
    """The fitted network of a run, in float32, with its best weights. Raises `FileNotFoundError`."""
    if not (run / BEST_WEIGHTS).is_file():
        raise FileNotFoundError(f"{run} holds no fitted run; fit its recipe first: python -m training fit {run.name}")
    recipe = Recipe.model_validate_json((run / RECIPE_FILE).read_text(encoding="utf-8"))
    model = build(recipe, ferplus=_has_ferplus_head(recipe), dtype="float32")
    model.load_weights(run / BEST_WEIGHTS)
    return model


def _claim(run: Path, recipe: Recipe) -> None:
    run.mkdir(parents=True, exist_ok=True)
    file = run / RECIPE_FILE
    if not file.exists():
        file.write_text(json.dumps(recipe.model_dump(), indent=2) + "\n", encoding="utf-8")
    elif _claimed_by(file) != recipe:
        raise RunError(f"{run} holds a run of another recipe; name another folder with --runs, or remove it.")


def _claimed_by(file: Path) -> Recipe | None:
    try:
        return Recipe.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError:
        return None


def _has_ferplus_head(recipe: Recipe) -> bool:
    return recipe.loss.ferplus_weight > 0


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    warmup = round(steps * recipe.schedule.warmup)
    learning_rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.schedule.peak_learning_rate / 25,
        warmup_target=recipe.schedule.peak_learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
    )
    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=recipe.schedule.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {
        "fer2013": keras.losses.CategoricalCrossentropy(label_smoothing=recipe.loss.label_smoothing),
        "ferplus": keras.losses.CategoricalCrossentropy(),
    }
    loss_weights = {"fer2013": 1.0, "ferplus": recipe.loss.ferplus_weight}
    heads = model.output_names
    model.compile(
        optimizer,
        loss={head: losses[head] for head in heads},
        loss_weights={head: loss_weights[head] for head in heads},
        metrics={head: ["accuracy"] for head in heads},
    )


def _best_so_far(run: Path, best: Path) -> keras.callbacks.ModelCheckpoint:
    """Keeps the best weights, also across a resume: the history tells what was reached before."""
    history = run / HISTORY_FILE
    reached = None
    if best.exists() and history.exists() and history.stat().st_size:
        table = np.genfromtxt(history, delimiter=",", names=True)
        reached = float(np.max(table[_MONITORED]))
    return keras.callbacks.ModelCheckpoint(
        best,
        monitor=_MONITORED,
        mode="max",
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=reached,
    )
