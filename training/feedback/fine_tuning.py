"""The deep depth of retraining: every weight of the shipped networks moves a little, towards the feedback.

Each member of the shipped model learns on from its own weights, from batches of which a share is feedback and the rest
base faces with what the member said of them before (learning without forgetting, Li and Hoiem 2016), and goes half of
that way (weight-space ensembles, WiSE-FT, Wortsman et al. 2022, https://arxiv.org/abs/2109.01903). The new trunk gets
its own int8 file, calibration and guard; the correction of the shallow depth is then fitted on top of it.
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
from training.fitting.augmentation import augmented
from training.fitting.batches import has_ferplus_head
from training.fitting.export import UNCALIBRATED, choose_calibration, temperature_scaling, to_tflite
from training.fitting.networks import build, with_embedding
from training.fitting.recipe import Recipe
from training.fitting.weights import read_weights
from training.guard import Guard

BASE_FACES = 6000
EPOCHS = 2
BATCH_SIZE = 64
FEEDBACK_SHARE = 0.33
LEARNING_RATE = 1e-4
WAY = 0.5
"""How much of the way from the shipped to the tuned weights is gone, 0 to 1."""
_SEED = 20261121

Told = Callable[[str, float], None]


def tuned_trunk(learn: Book, data: Path | None, told: Told) -> Trunk:
    """The shipped trunk, fine-tuned on the feedback of `learn` and on base faces.

    data: where FER2013 is, the default place if None. told: is told what is done and how far all is, 0 to 1; may raise
    to stop. Raises `MissingError` where the base data is not there.
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
    """Of the members of the shipped model."""
    members = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))["members"]
    return [Recipe.model_validate(member["recipe"]) for member in members]


def _tuned(recipe: Recipe, learn: Book, base: Faces, telling: "_Telling") -> keras.Model:
    keras.utils.set_random_seed(_SEED)
    model = build(recipe, ferplus=has_ferplus_head(recipe), fetch_weights=False)
    read_weights(model, recipe.name)
    start = model.get_weights()
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
    """Base faces and feedback, augmented as the member's recipe says; feedback is drawn by its weights."""

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
        """Keras calls this."""
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
    """Tells after each batch how far all members are, so that whoever listens can stop it there."""

    def __init__(self, told: Told, what: str, place: int, members: int) -> None:
        super().__init__()
        self._told, self._what, self._place, self._members = told, what, place, members
        self._done, self._steps = 0, 1

    def over(self, steps: int) -> "_Telling":
        """The same over this many batches."""
        self._steps = steps
        return self

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Keras calls this."""
        self._done += 1
        self._told(self._what, 0.9 * (self._place + self._done / self._steps) / self._members)


def _trunk(members: list[keras.Model], train: Faces, valid: Faces) -> Trunk:
    """The networks as one file, calibrated anew on `valid`. There is no calibration for the FER+ majority, which only
    benchmarks ask for; the guard, read through the int8 file, tells if that is not what was fitted."""
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
