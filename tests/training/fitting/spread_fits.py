"""Fit on one device and on two, and print what was seen: `python -m tests.training.fitting.spread_fits FOLDER`.

KERAS_BACKEND=jax and XLA_FLAGS=--xla_force_host_platform_device_count=2 must be set: how many devices JAX makes of a
processor is settled once a process, so `test_accelerators` runs this in one of its own.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jax
import keras
import numpy as np

from recognizer.runtime import TfliteModel
from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting import accelerators
from training.fitting.fit import fit, history_of, load_fitted
from training.fitting.recipe import Convolutional, Recipe
from training.fitting.tflite import to_tflite

TRAIN, ODD, VALID = easy_faces(32), easy_faces(15), easy_faces(13, seed=1)
"""Two batches, and less than one of a number that two does not divide: every other size of a batch is compiled anew."""


def recipes() -> tuple[Recipe, Recipe]:
    """Return a teacher's recipe, and a pupil's with averaged weights, at whose every step the teacher looks.

    The teacher has dropout, whose random state an export must leave out and a resume does not restore.
    """
    network = Convolutional(kind="convolutional", stages=((4,),))
    dropping = network.model_copy(update={"dropout": 0.2})
    teacher = tiny_recipe(name="teacher").model_copy(update={"network": dropping})
    schedule = teacher.schedule.model_copy(update={"average": 0.9})
    how = {"teachers": ("teacher",), "teaching": 0.5, "teaching_on": "pictures"}
    loss = teacher.loss.model_copy(update=how)
    changes = {"name": "pupil", "network": network, "schedule": schedule, "loss": loss}
    return teacher, teacher.model_copy(update=changes)


@contextmanager
def watched_steps() -> Iterator[list[list[int]]]:
    """Yield a list that receives, for each step that is compiled, how many faces of the batch each device has in it."""
    step, shares = keras.Model.train_step, []

    def watched(model: keras.Model, state: Any, data: Any) -> Any:
        shape = data[0].shape

        def note(sharding: jax.sharding.Sharding) -> None:
            shares.append([sharding.shard_shape(shape)[0]] * len(sharding.device_set))

        jax.debug.inspect_array_sharding(data[0], callback=note)
        return step(model, state, data)

    with patch.object(keras.Model, "train_step", watched):
        yield shares


def largest_difference(run: Path) -> float:
    """Return how far the exported network's probabilities are from those of the fitted one."""
    network = load_fitted(run)
    faces = VALID.pixels.astype(np.float32)
    served, fitted = TfliteModel(to_tflite(network)).run(faces), network.predict(faces, verbose=0)
    return max(float(np.abs(served[head] - fitted[head]).max()) for head in fitted)


def main(folder: Path) -> None:
    """Fit in subfolders of the folder."""
    teacher, pupil = recipes()
    first = accelerators._accelerators()[:1]
    alone = patch.object(accelerators, "_accelerators", lambda: first)
    with watched_steps() as odd:
        fit(teacher, ODD, VALID, folder / "teacher", until=1)
        with alone:
            fit(teacher, ODD, VALID, folder / "teacher")
    with watched_steps() as one, alone:
        fit(pupil, TRAIN, VALID, folder / "one")
    with watched_steps() as two:
        fit(pupil, TRAIN, VALID, folder / "two", until=1)
        fit(pupil, TRAIN, VALID, folder / "two")
    seen = {
        "shares": {"odd": odd, "one": one, "two": two},
        "history": {name: history_of(folder / name) for name in ("teacher", "one", "two")},
        "exported": largest_difference(folder / "teacher"),
    }
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
