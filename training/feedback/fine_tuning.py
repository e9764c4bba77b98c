"""The deep depth of retraining: fine-tune all weights of the shipped networks on feedback.

Each member of the shipped model continues from its own weights. A share of each batch is feedback; the rest are base
faces with the member's former predictions as targets (learning without forgetting, Li and Hoiem 2016). The result is
interpolated halfway with the former weights (weight-space ensembles, WiSE-FT, Wortsman et al. 2022,
https://arxiv.org/abs/2109.01903). The new network gets its own int8 file, calibration and guard set; the correction of
the shallow depth is then fitted on top.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from recognizer.classification import CARD_FILE, MODEL_FOLDER, Classifier, ModelCard
from recognizer.runtime import TfliteModel
from training import MissingError
from training.data import DataError, Faces, default_folder, load, without_copies
from training.feedback.candidates import Trunk
from training.feedback.lessons import Book
from training.feedback.trust import NOISE
from training.fitting.accelerators import Spread, unspread
from training.fitting.augmentation import augmented
from training.fitting.export import UNCALIBRATED, choose_calibration, temperature_scaling
from training.fitting.networks import build, with_embedding
from training.fitting.recipe import Recipe
from training.fitting.targets import has_ferplus_head
from training.fitting.tflite import to_tflite
from training.fitting.weights import read_weights
from training.guard import Guard

BASE_FACES = 6000
EPOCHS = 2
BATCH_SIZE = 64
FEEDBACK_SHARE = 0.33
LEARNING_RATE = 1e-4
WAY = 0.5
"""Interpolation factor between the shipped and the tuned weights, 0 to 1."""
_SEED = 20261121

Told = Callable[[str, float], None]


def tuned_trunk(learn: Book, data: Path | None, told: Told) -> Trunk:
    """Return the shipped network, fine-tuned on the feedback of `learn` and on base faces.

    data: the location of FER2013; None for the default. told: a callback that receives the current step and the overall
    progress, 0 to 1; it may raise to stop the work. Raise `MissingError` if the base data is missing.
    """
    try:
        splits = load(data or default_folder())
    except DataError as error:
        raise MissingError(f"The full depth needs the base data. {error} Or use the shallow depth.") from error
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    base = train[np.random.default_rng(_SEED).permutation(len(train))[:BASE_FACES]]
    recipes = _recipes(MODEL_FOLDER)
    members = []
    for place, recipe in enumerate(recipes):
        telling = _Telling(told, f"Fine-tuning network {place + 1} of {len(recipes)}", place, len(recipes))
        members.append(_tuned(recipe, learn, base, telling))
    told("Measuring the new network", 0.9)
    return _trunk(members, train, splits["valid"])


def _recipes(folder: Path) -> list[Recipe]:
    """Return the recipes of the shipped model's members."""
    members = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))["members"]
    return [Recipe.model_validate(member["recipe"]) for member in members]


def _tuned(recipe: Recipe, learn: Book, base: Faces, telling: "_Telling") -> keras.Model:
    keras.utils.set_random_seed(_SEED)
    with Spread(BATCH_SIZE).begun():
        model = build(recipe, ferplus=has_ferplus_head(recipe), fetch_weights=False)
        read_weights(model, recipe.name)
        start = model.get_weights()
        with unspread():
            said = model.predict(base.pixels.astype(np.float32), batch_size=256, verbose=0)
        batches = _Batches(recipe, learn, base, said)
        steps = EPOCHS * len(batches)
        schedule = keras.optimizers.schedules.CosineDecay(
            LEARNING_RATE / 10, steps, warmup_target=LEARNING_RATE, warmup_steps=steps // 10
        )
        model.compile(
            keras.optimizers.AdamW(schedule, weight_decay=recipe.schedule.weight_decay),
            loss={head: keras.losses.CategoricalCrossentropy() for head in model.output_names},
        )
        model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[telling.over(steps)])
    plain = build(recipe, ferplus=has_ferplus_head(recipe), dtype="float32", fetch_weights=False)
    plain.set_weights([(1 - WAY) * old + WAY * new for old, new in zip(start, model.get_weights(), strict=True)])
    return plain


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Base faces and feedback, augmented as in the member's recipe; feedback is sampled by its weights."""

    def __init__(self, recipe: Recipe, learn: Book, base: Faces, said: dict[str, NDArray[np.float32]]) -> None:
        super().__init__()
        self._recipe, self._learn, self._base, self._said = recipe, learn, base, said
        self._labels = (1 - NOISE) * learn.labels + NOISE / 7
        self._chances = learn.weights / learn.weights.sum()
        self._feedback = round(BATCH_SIZE * FEEDBACK_SHARE)
        self._epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self._base) / (BATCH_SIZE - self._feedback))

    def on_epoch_end(self) -> None:
        """Move on to the next epoch's samples; called by Keras."""
        self._epoch += 1

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint8], Any, Any]:
        random = np.random.default_rng((_SEED, self._epoch, number))
        rows = random.integers(0, len(self._base), BATCH_SIZE - self._feedback)
        taught = random.choice(len(self._learn), self._feedback, p=self._chances)
        pixels = np.concatenate([self._base.pixels[rows], self._learn.crops[taught]])
        targets, weights = {}, {}
        for head, said in self._said.items():
            own = self._labels[taught] if head == "fer2013" else np.full((len(taught), said.shape[1]), 0.0)
            targets[head] = np.concatenate([said[rows], own]).astype(np.float32)
            weights[head] = np.r_[np.ones(len(rows)), np.full(len(taught), float(head == "fer2013"))]
        return augmented(pixels, self._recipe.augmentation, random), targets, weights


class _Telling(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Reports the progress over all members after each batch, so that the listener can stop the work there."""

    def __init__(self, told: Told, what: str, place: int, members: int) -> None:
        super().__init__()
        self._told, self._what, self._place, self._members = told, what, place, members
        self._done, self._steps = 0, 1

    def over(self, steps: int) -> "_Telling":
        """Set the number of batches of this member and return self."""
        self._steps = steps
        return self

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Report the progress; called by Keras."""
        self._done += 1
        self._told(self._what, 0.9 * (self._place + self._done / self._steps) / self._members)


def _trunk(members: list[keras.Model], train: Faces, valid: Faces) -> Trunk:
    """Convert the networks to one file, newly calibrated on `valid`.

    There is no calibration for the FER+ majority, which only benchmarks use. The guard set is computed with the int8
    file, so it would reveal a bad conversion.
    """
    network = to_tflite(with_embedding(members))
    shipped = ModelCard.load(MODEL_FOLDER / CARD_FILE)
    card = replace(shipped, shown=UNCALIBRATED, fer2013=None, majority=None, adaptation=None)
    plain, _ = Classifier(TfliteModel(network), card).embed(valid.pixels)
    shown = choose_calibration(plain, valid.labels, train.class_counts)
    fer2013 = temperature_scaling(plain, valid.labels)
    card = replace(card, shown=shown, fer2013=fer2013)
    facts = {
        "serving": asdict(card),
        "weights_sha256": hashlib.sha256(network).hexdigest(),
        "members": json.loads((MODEL_FOLDER / CARD_FILE).read_text(encoding="utf-8"))["members"],
    }
    return Trunk(network, facts, Guard.of(Classifier(TfliteModel(network), card), train, valid))
