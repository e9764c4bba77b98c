"""Fitting a recipe: one folder a run, a checkpoint every epoch, resumed where it stopped."""

import json
import math
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


_Rows = dict[str, NDArray[np.float32]]


class RunError(TrainingError):
    """The folder of a run cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Targets:
    """What Keras's `fit` takes besides the pixels: a target and a weight for every head and face."""

    targets: _Rows
    weights: _Rows


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The training faces in batches, in an order that seed and epoch decide.

    Keras's own shuffling gives every epoch the same order once a seed is set (seen with Keras 3.15 on TensorFlow).
    """

    def __init__(self, faces: Faces, wanted: Targets, recipe: Recipe) -> None:
        super().__init__()
        self._faces, self._wanted = faces, wanted
        self._batch_size, self._seed = recipe.batch_size, recipe.seed
        self.shuffle(epoch=0)

    def shuffle(self, epoch: int) -> None:
        """Take up the order of `epoch`."""
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._faces))

    def __len__(self) -> int:
        return math.ceil(len(self._faces) / self._batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint8], _Rows, _Rows]:
        rows = self._order[number * self._batch_size :][: self._batch_size]
        targets = {head: each[rows] for head, each in self._wanted.targets.items()}
        weights = {head: each[rows] for head, each in self._wanted.weights.items()}
        return self._faces.pixels[rows], targets, weights


def targets_of(faces: Faces, recipe: Recipe, class_counts: NDArray[np.int64]) -> Targets:
    """One-hot official labels weighted by class rarity, and FER+ votes as a distribution (weight 0 without votes)."""
    shares = class_counts / class_counts.sum()
    class_weights = np.where(shares > 0, shares, 1) ** -recipe.loss.class_weight_power
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
    batches = Batches(train, targets_of(train, recipe, train.class_counts), recipe)
    valid_targets = targets_of(valid, recipe, train.class_counts)
    model = build(recipe, ferplus=_has_ferplus_head(recipe))
    _compile(model, recipe, steps=recipe.epochs * len(batches))
    best = run / BEST_WEIGHTS
    model.fit(
        batches,
        validation_data=(valid.pixels, valid_targets.targets, valid_targets.weights),
        validation_batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        shuffle=False,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: batches.shuffle(epoch)),
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
