"""Fit a recipe: one folder for each run, a checkpoint every epoch, and resuming after an interruption."""

import csv
import json
import os
import shutil
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from matplotlib.figure import Figure
from pydantic import ValidationError

from training import MissingError, TrainingError
from training.data import Faces, ferplus_majority
from training.evaluation import score
from training.fitting.accelerators import Spread, UnspreadValidation, unspread
from training.fitting.batches import Batches, spare_processes
from training.fitting.epochs import Epochs
from training.fitting.networks import averaged, build, start_from_published
from training.fitting.pruning import can_prune, prune
from training.fitting.recipe import Pretrained, Recipe, load_recipe
from training.fitting.registered import Registered, registered
from training.fitting.schedule import learning_rate, schedule_callbacks
from training.fitting.stopping import Stopping
from training.fitting.targets import Rows, has_ferplus_head, targets_of, taught, voted
from training.fitting.teaching import Taught
from training.fitting.variants import variants
from training.fitting.weights import read_weights

FITTED_WEIGHTS = "fitted.weights.h5"
RECIPE_FILE = "recipe.json"
HISTORY_FILE = "history.csv"
METRICS_FILE = "metrics.json"
CURVES_FILE = "curves.png"
_CHECKPOINT = "checkpoint"
REGISTERED_SEED = 20261121  # the same faces for all recipes, because making them takes minutes
_CALIBRATED_ON = 512
"""Number of faces used to initialise the normalisation of a network with published weights."""
_PRUNED_ON = 1024
"""Number of faces on which a wider network is looked at when it is pruned."""
_MONITORED = "val_fer2013_accuracy"


class RunError(TrainingError):
    """A run's folder cannot be used; the message says what to do."""


def fit(recipe: Recipe, train: Faces, valid: Faces, run: Path, *, until: int | None = None) -> Path:
    """Fit `recipe` in the folder `run` and return the path of the weights it keeps.

    An interrupted run resumes after its last complete epoch; Ctrl-C and SIGTERM interrupt it after the batch in hand,
    by `KeyboardInterrupt`. `until` stops it after that many epochs in total; another call resumes. Writes recipe.json,
    history.csv (one line for each epoch), fitted.weights.h5 (those with the highest accuracy of the fer2013 head on
    `valid`, or the last ones if the recipe says so), metrics.json and curves.png. Raise `RunError` if the folder holds
    a run of another recipe or cannot be written, `MissingError` if weights to start from are missing.
    """
    try:
        _claim(run, recipe)
        if not _metrics(run).get("finished"):
            _fit(recipe, train, valid, run, until or recipe.epochs)
    except OSError as error:
        raise RunError(
            f"{run} cannot be written to; is the disk full? Whole epochs are kept; make room and call again. ({error})"
        ) from error
    return run / FITTED_WEIGHTS


def require_fitted(run: Path) -> None:
    """Raise `MissingError` if a run was not fitted."""
    if not (run / FITTED_WEIGHTS).is_file():
        raise MissingError(f"{run} holds no fitted run; fit its recipe first: python -m training fit {run.name}")


def load_fitted(run: Path, dtype: str = "float32") -> keras.Model:
    """Return the fitted network of a run, with the weights it keeps; dtype: as in `build`. Raise `MissingError`."""
    require_fitted(run)
    recipe = Recipe.model_validate_json((run / RECIPE_FILE).read_text(encoding="utf-8"))
    model = build(recipe, ferplus=has_ferplus_head(recipe), dtype=dtype, fetch_weights=False)
    model.load_weights(run / FITTED_WEIGHTS)
    return model


def history_of(run: Path) -> dict[str, list[float]]:
    """Return the columns of a run's history.csv, one entry for each epoch; empty if there is none. Of an epoch that was
    repeated after an interruption, the last line counts; a line that is not whole is left out.
    """
    try:
        content = (run / HISTORY_FILE).read_bytes()
    except FileNotFoundError:
        return {}
    whole, _, _ = content.rpartition(b"\n")
    names, *lines = list(csv.reader(whole.decode(errors="replace").splitlines())) or [[]]
    epochs: dict[float, dict[str, float]] = {}
    for line in lines:
        with suppress(KeyError, ValueError):
            figures = dict(zip(names, map(float, line), strict=True))
            epochs[figures["epoch"]] = figures
    return {name: [round(epochs[number][name], 5) for number in sorted(epochs)] for name in names}


def _cut_half_line(file: Path) -> None:
    """Cut off a last line that was being written when a run was killed: the next one would be appended to it."""
    if file.exists():
        content = file.read_bytes()
        os.truncate(file, content.rfind(b"\n") + 1)


def _fit(recipe: Recipe, train: Faces, valid: Faces, run: Path, until: int) -> None:
    keras.utils.set_random_seed(recipe.seed)
    train = train[np.random.default_rng(REGISTERED_SEED).permutation(len(train))]
    some = recipe.data.registered
    crops = registered(train[:some], run.parent, REGISTERED_SEED) if some else None  # forks: before the backend starts
    spread = Spread(recipe.batch_size)
    is_watched = recipe.loss.teaching_on == "pictures" and not recipe.data.variants
    teaching_dtype = "float32" if recipe.data.variants else recipe.precision  # variants need teachers to be exported
    with spread.begun() if is_watched else nullcontext():
        teachers = [_fitted(name, run.parent, teaching_dtype) for name in recipe.loss.teachers]
    shown = _shown(recipe, train, crops, teachers, run.parent, spread.shares)
    valid_targets = targets_of(valid, recipe, train.class_counts)
    clock, stopping = _Clock(), Stopping()
    _cut_half_line(run / HISTORY_FILE)
    batches = Batches(shown, 0 if shown.variants else spare_processes(shown.batches))  # variants take memory, not work
    try:
        with spread.begun():
            network = _started(recipe, train, run.parent)
            is_taught = teachers and is_watched
            model = Taught(network, teachers, recipe.loss.teaching) if is_taught else _sharpness_aware(network, recipe)
            _compile(model, network.output_names, recipe, len(batches))
            with stopping.listening():
                model.fit(
                    batches,
                    validation_data=(valid.pixels, valid_targets.targets, valid_targets.weights),
                    validation_batch_size=recipe.batch_size,
                    epochs=min(until, recipe.epochs),
                    shuffle=False,
                    callbacks=[
                        keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: batches.shuffle(epoch)),
                        UnspreadValidation(),
                        clock,
                        keras.callbacks.CSVLogger(run / HISTORY_FILE, append=True),
                        _Checkpoint(run / _CHECKPOINT, double_checkpoint=True, delete_checkpoint=False),
                        *schedule_callbacks(recipe.schedule, _MONITORED),
                        _Keeper(network, run, recipe.schedule.keep),
                        stopping,
                    ],
                    verbose="auto" if os.isatty(1) else 2,
                )
    finally:
        batches.close()
    _sum_up(recipe, valid, run, clock, stopped_early=model.stop_training)


def _shown(  # noqa: PLR0913, PLR0917  # what a fit has of faces
    recipe: Recipe, train: Faces, crops: Registered | None, teachers: list[keras.Model], runs: Path, shares: int
) -> Epochs:
    """Return the faces that the network is shown, with what the teachers say of them beforehand. crops and shares: see
    `Epochs`.
    """
    wanted = targets_of(train, recipe, train.class_counts)
    if recipe.loss.voting:
        wanted = voted(wanted, train, recipe.loss.voting)
    if teachers and recipe.loss.teaching_on == "faces":
        wanted = taught(wanted, _said_by(averaged(teachers), train), recipe.loss.teaching)
    made = variants(train, crops, recipe, averaged(teachers), runs) if recipe.data.variants else []
    return Epochs(train, wanted, recipe, crops, made, shares)


def _started(recipe: Recipe, train: Faces, runs: Path) -> keras.Model:
    """Return the recipe's network with the weights that the fit starts from."""
    network = build(recipe, ferplus=has_ferplus_head(recipe))
    with unspread():
        if recipe.start is not None:
            _start_from(network, recipe, runs, train)
        else:
            start_from_published(network, recipe, train.pixels[:_CALIBRATED_ON])
    return network


def _recipe_of(name: str, runs: Path) -> Recipe:
    """Return the recipe of the run `name` or, if there is none, the shipped one."""
    fitted = (runs / name / FITTED_WEIGHTS).is_file()
    recipe = _claimed_by(runs / name / RECIPE_FILE) if fitted else load_recipe(name)
    if not isinstance(recipe, Recipe):
        raise RunError(f"{name} is not a network; start from one, or name one as teacher.")
    return recipe


def _fitted(name: str, runs: Path, dtype: str) -> keras.Model:
    """Return the network of the run `name` or, if there is none, the shipped one with the weights stored beside it."""
    if (runs / name / FITTED_WEIGHTS).is_file():
        return load_fitted(runs / name, dtype)
    recipe = _recipe_of(name, runs)
    model = build(recipe, ferplus=has_ferplus_head(recipe), dtype=dtype, fetch_weights=False)
    read_weights(model, name)
    return model


def _said_by(teacher: keras.Model, faces: Faces) -> Rows:
    """Return the heads' mean probabilities over the faces and their mirror images."""
    sides = [teacher.predict(pixels, batch_size=256, verbose=0) for pixels in (faces.pixels, faces.pixels[:, :, ::-1])]
    return {head: np.mean([side[head] for side in sides], axis=0) for head in sides[0]}


def _sum_up(recipe: Recipe, valid: Faces, run: Path, clock: "_Clock", *, stopped_early: bool) -> None:
    history = history_of(run)
    epochs = len(history["epoch"])
    model = load_fitted(run)
    heads = model.predict(valid.pixels, batch_size=256, verbose=0)
    metrics: dict[str, Any] = {
        "finished": stopped_early or epochs >= recipe.epochs,
        "epochs": epochs,
        "parameters": model.count_params(),
        "seconds_an_epoch": clock.seconds_an_epoch or _metrics(run).get("seconds_an_epoch"),
        "valid": asdict(score(heads["fer2013"], valid.labels)),
    }
    if isinstance(recipe.network, Pretrained):
        metrics["weights"] = recipe.network.weights
    if "ferplus" in heads and valid.votes is not None:
        majority = ferplus_majority(valid.votes)
        right = heads["ferplus"].argmax(axis=1) == majority
        metrics["valid_ferplus_accuracy"] = float(right[majority >= 0].mean())
    _draw_curves(history, run / CURVES_FILE)
    (run / METRICS_FILE).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def _metrics(run: Path) -> dict[str, Any]:
    try:
        metrics: dict[str, Any] = json.loads((run / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return metrics


def _draw_curves(history: dict[str, list[float]], path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, what in zip(figure.subplots(1, 2), ("loss", "fer2013_accuracy"), strict=True):
        epochs = np.array(history["epoch"]) + 1
        axes.plot(epochs, history[what], label="train, augmented")
        axes.plot(epochs, history[f"val_{what}"], label="valid")
        axes.set(xlabel="epoch", title=what.replace("_", " "))
        axes.legend()
    figure.savefig(path, dpi=100)


def _claim(run: Path, recipe: Recipe) -> None:
    run.mkdir(parents=True, exist_ok=True)
    file = run / RECIPE_FILE
    if not file.exists():
        file.write_text(json.dumps(recipe.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
    elif _claimed_by(file) != recipe:
        raise RunError(f"{run} holds a run of another recipe; name another folder with --runs, or remove it.")


def _claimed_by(file: Path) -> Recipe | None:
    try:
        return Recipe.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError:
        return None


def _start_from(model: keras.Model, recipe: Recipe, runs: Path, train: Faces) -> None:
    """Load the weights of the run that the recipe starts from or, if there is none, those stored with the shipped
    model; prune them if this network is narrower.
    """
    start = recipe.start or ""
    wide = _recipe_of(start, runs)
    try:
        if wide.network != recipe.network and can_prune(wide.network, recipe.network):
            narrow = build(recipe, ferplus=has_ferplus_head(recipe), dtype="float32", fetch_weights=False)
            prune(_fitted(start, runs, "float32"), narrow, train.pixels[:_PRUNED_ON], recipe.seed)
            model.set_weights(narrow.get_weights())
        elif (runs / start / FITTED_WEIGHTS).is_file():
            model.load_weights(runs / start / FITTED_WEIGHTS)
        else:
            read_weights(model, start)
    except ValueError as error:
        raise RunError(f"The weights of {start} do not fit this network; start from another recipe.") from error


def _sharpness_aware(network: keras.Model, recipe: Recipe) -> keras.Model:
    """Return the network, or one that learns by sharpness-aware minimisation if the recipe says so."""
    sharpness = recipe.schedule.sharpness
    if sharpness is None:
        return network
    if keras.backend.backend() != "tensorflow":
        raise MissingError("schedule.sharpness needs TensorFlow: set KERAS_BACKEND=tensorflow.")
    from training.fitting.sharpness import SharpnessAware  # noqa: PLC0415  # other backends need none of it

    return SharpnessAware(network, sharpness.radius, adaptive=sharpness.adaptive, ascent=sharpness.ascent)


def _compile(model: keras.Model, heads: list[str], recipe: Recipe, steps_an_epoch: int) -> None:
    schedule = recipe.schedule
    optimizer = keras.optimizers.AdamW(
        learning_rate(recipe, steps_an_epoch),
        weight_decay=schedule.weight_decay,
        use_ema=schedule.average > 0,
        ema_momentum=schedule.average or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {
        "fer2013": keras.losses.CategoricalCrossentropy(label_smoothing=recipe.loss.label_smoothing),
        "ferplus": keras.losses.CategoricalCrossentropy(),
    }
    loss_weights = {"fer2013": 1.0, "ferplus": recipe.loss.ferplus_weight}
    accuracy = (
        "accuracy" if len(heads) > 1 else "fer2013_accuracy"
    )  # Keras prefixes the head's name if there are several
    model.compile(
        optimizer,
        loss={head: losses[head] for head in heads},
        loss_weights={head: loss_weights[head] for head in heads},
        metrics={head: [keras.metrics.CategoricalAccuracy(name=accuracy)] for head in heads},
    )


class _Checkpoint(keras.callbacks.BackupAndRestore):  # type: ignore[misc]  # Keras has no types
    """Takes the copy of before also where what was written last can be opened but lacks something.

    A process that is killed while it writes can leave that; Keras takes the copy only where nothing can be opened.
    """

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Restore the state; called by Keras."""
        try:
            super().on_train_begin(logs)
        except ValueError:
            copies = list(Path(self.backup_dir).glob("*.bkp"))
            if not copies:
                raise
            for copy in copies:
                shutil.copyfile(copy, copy.with_suffix(""))
            super().on_train_begin(logs)


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Saves the best weights, also across a resume: the history says which accuracy was reached before.

    Writes to a fresh file first. Keras's ModelCheckpoint overwrites the last good file, which a full disk could
    truncate.
    """

    def __init__(self, network: keras.Model, run: Path, keep: Literal["best", "last"]) -> None:
        super().__init__()
        self._network = network
        self._file, self._keep = run / FITTED_WEIGHTS, keep
        reached = history_of(run).get(_MONITORED, []) if self._file.exists() else []
        self._reached = max(reached, default=-np.inf)

    def on_epoch_end(self, _epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the weights if they are the best, or the last are wanted; called by Keras with the epoch's figures."""
        now = (logs or {})[_MONITORED]
        if now > self._reached or self._keep == "last":
            fresh = self._file.with_name(f"fresh-{FITTED_WEIGHTS}")
            self._network.save_weights(fresh)
            fresh.replace(self._file)
            self._reached = now


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Measures the duration of epochs, with validation. The first one of a call is left out, because it includes
    compiling.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[float] = []

    def on_epoch_end(self, _epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Record the time; called by Keras."""
        self._ends.append(time.monotonic())

    @property
    def seconds_an_epoch(self) -> float | None:
        """Return the median duration in seconds; None before the second epoch ended."""
        return round(float(np.median(np.diff(self._ends))), 1) if len(self._ends) > 1 else None
