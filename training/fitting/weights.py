"""Weights in half precision for runs that start from them: beside the shipped model in `weights.npz`, and, of networks
that are not shipped, in `training/weights`.
"""

import zipfile
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from recognizer.classification import MODEL_FOLDER
from training import MissingError

KEPT_FILE = "weights.npz"
_NOT_SHIPPED = Path(str(files("training") / "weights"))


def write_weights(members: dict[str, keras.Model], folder: Path) -> None:
    """Store the weights of each member under its recipe's name, in float16 (they are far from its limits)."""
    arrays = {
        f"{name}/{number:03}": weight.numpy().astype(np.float16)
        for name, model in members.items()
        for number, weight in enumerate(model.weights)
    }
    np.savez_compressed(folder / KEPT_FILE, allow_pickle=False, **arrays)


def read_weights(model: keras.Model, name: str, folder: Path = MODEL_FOLDER) -> None:
    """Load the weights stored under `name` into `model`: those in `folder` or, if there are none, of a network that is
    not shipped. Raise `MissingError`, and `ValueError` if the shapes differ.
    """
    places = (folder / KEPT_FILE, _NOT_SHIPPED / f"{name}.npz")
    weights = next((found for file in places if file.exists() and (found := _kept(file, name))), None)
    if weights is None:
        raise MissingError(f"There are no weights of {name}; fit it first: python -m training fit {name}")
    model.set_weights(weights)


def _kept(file: Path, name: str) -> list[NDArray[np.float32]]:
    try:
        with np.load(file) as kept:
            keys = sorted(key for key in kept.files if key.rpartition("/")[0] == name)
            return [kept[key].astype(np.float32) for key in keys]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise MissingError(f"{file} is damaged; restore the model folder. ({error})") from error
