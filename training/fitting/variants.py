"""Changed pictures of the training faces that are made once, with what teachers say of each.

Teachers that look at every step at the picture in front of the network cost more than its learning. What they say of
some changed pictures of each face can be kept instead: epochs show these pictures in turn, plain or mirrored. Pictures
are mixed before the teachers see them, so that they speak of what they never learned from. The teachers run as they are
served, with int8 weights, which on a processor with VNNI takes half of their time in bfloat16
and has the same label on 99.4 % of `valid`.
"""

import hashlib
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from recognizer.runtime import TfliteModel
from training.data import Faces
from training.fitting.augmentation import augmented, cut_in, mixed_up
from training.fitting.recipe import Recipe
from training.fitting.registered import Registered, half_registered
from training.fitting.targets import Rows
from training.fitting.tflite import to_tflite
from training.fitting.variant import Variant

_FACES_A_RUN = 16


def variants(
    faces: Faces, crops: Registered | None, recipe: Recipe, teacher: keras.Model, folder: Path
) -> list[Variant]:
    """Return as many variants of the faces as the recipe says, changed and mixed within its augmentation.

    crops: registered crops of the first faces, shown half of the time. Each variant is cached in `folder` and read from
    there the next time.
    """
    digest = hashlib.sha256(faces.pixels.tobytes() + recipe.augmentation.model_dump_json().encode())
    for array in (*([crops.pixels, crops.found] if crops else []), *teacher.get_weights()):
        digest.update(np.ascontiguousarray(array).tobytes())
    start = folder / f"variants-{digest.hexdigest()[:16]}-{recipe.seed}"
    network = TfliteModel(to_tflite(teacher))
    return [
        _variant(faces, crops, recipe, network, start.with_name(f"{start.name}-{number}.npz"), number)
        for number in range(recipe.data.variants or 0)
    ]


def _variant(  # noqa: PLR0913, PLR0917  # what a variant is made of, and where it is kept
    faces: Faces, crops: Registered | None, recipe: Recipe, teacher: TfliteModel, file: Path, number: int
) -> Variant:
    try:
        with np.load(file) as kept:
            return Variant(kept["pixels"], {head: kept[head] for head in kept.files if head != "pixels"})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not made yet, or truncated
        random = np.random.default_rng((recipe.seed, number))
    limits, rows = recipe.augmentation, np.arange(len(faces))
    changed = augmented(half_registered(faces.pixels, rows, crops, random), limits, random)
    (mixed,) = cut_in(mixed_up([changed.astype(np.float32)], limits.mixup, random), limits.cutmix, random)
    pixels = np.rint(mixed).astype(np.uint8)
    made = Variant(pixels, _said(teacher, pixels, f"Variant {number + 1}"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        np.savez(target, allow_pickle=False, pixels=made.pixels, **made.said)
    return made


def _said(teacher: TfliteModel, pixels: NDArray[np.uint8], title: str) -> Rows:
    """Return what the teacher says of the pictures, as a mean with what it says of their mirror images."""

    def looked_at(some: NDArray[np.uint8]) -> Rows:
        said = teacher.run(np.concatenate([some, some[:, :, ::-1]]).astype(np.float32))
        return {head: rows.reshape(2, len(some), -1).mean(axis=0) for head, rows in said.items()}

    parts = [pixels[start : start + _FACES_A_RUN] for start in range(0, len(pixels), _FACES_A_RUN)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(track(pool.map(looked_at, parts), title, total=len(parts), disable=len(parts) < _FACES_A_RUN))
    return {head: np.concatenate([each[head] for each in said]) for head in said[0]}
