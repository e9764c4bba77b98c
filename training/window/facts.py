"""Facts for the console's training window, which shows them: recipes, data sets, fitted runs, exported models.

Everything is judged on `valid`, never on `test`. Pictures travel as PNG in base64.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer import EMOTIONS
from recognizer.classification import WEIGHTS_FILE, Classifier
from training import TrainingError
from training.data import DataError, Faces, Split, default_folder, require, without_copies
from training.evaluation import Scores, score
from training.fitting.augmentation import augmented
from training.fitting.recipe import AnyRecipe, Recipe, RecipeError, load_recipe, recipe_names
from training.reporting.figures import portrait
from training.reporting.findings import Example, examples

VARIANTS = 5
"""Augmented pictures of each sample."""
_SEED = 20261121
_MOST_SAID = 300
"""Characters of what is wrong with a recipe."""


@dataclass(frozen=True)
class RecipeFacts:
    """A recipe to choose.

    argument: what names it to `fit`. network: the kind. starts_from: the recipe whose weights it begins with, None for
    none. weights: the published ones that it begins with, "none" for random ones. published: the accuracy of the same
    system elsewhere, 0 to 1. problem: why it cannot be used; what else is known then is its name. digest: SHA-256 of
    all that it says.
    """

    name: str
    argument: str
    is_own: bool
    network: str = ""
    epochs: int = 0
    starts_from: str | None = None
    teachers: tuple[str, ...] = ()
    weights: str = "none"
    published: float | None = None
    problem: str = ""
    digest: str = ""


def recipes(folder: Path | None) -> list[RecipeFacts]:
    """Return the shipped recipes of networks, then the YAML files of `folder`, by name."""
    shipped = [_recipe_facts(load_recipe(name), name, is_own=False) for name in recipe_names()]
    files = sorted(folder.glob("*.yaml")) if folder is not None else []
    return [*(each for each in shipped if each.network), *map(_own_recipe, files)]


def base_data_problem() -> str:
    """Return why the base data cannot be used on this machine; empty if it can."""
    try:
        require(default_folder())
    except DataError as error:
        return str(error)
    return ""


def network_recipe(name_or_path: str) -> Recipe:
    """Return the recipe of a network. Raise `RecipeError`, also for another kind of recipe."""
    recipe = load_recipe(name_or_path)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"{recipe.name} is not a network; use `python -m training fit` for it.")
    return recipe


def data_facts(splits: dict[Split, Faces], recipe: Recipe) -> dict[str, Any]:
    """Return the faces per class of each split, how many of train are left out, and samples as the recipe, which is
    named by its digest, augments them.

    Left out are blank faces and copies of those held out. A sample is the first face of its class that is learned from,
    at random: its original, and `VARIANTS` augmented ones. Mixing with other faces is not drawn.
    """
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    random = np.random.default_rng(_SEED)
    shuffled = train[random.permutation(len(train))]
    samples = []
    for label, emotion in enumerate(EMOTIONS):
        rows = np.flatnonzero(shuffled.labels == label)[:1]
        for face in shuffled.pixels[rows]:
            variants = augmented(np.repeat(face[None], VARIANTS, axis=0), recipe.augmentation, random)
            samples.append(
                {"emotion": emotion, "original": _picture(face), "variants": [_picture(each) for each in variants]}
            )
    counts = {"train": train, "valid": splits["valid"], "test": splits["test"]}
    return {
        "recipe": _digest(recipe),
        "counts": {name: faces.class_counts.tolist() for name, faces in counts.items()},
        "left_out": len(splits["train"]) - len(train),
        "mixes": bool(recipe.augmentation.mixup or recipe.augmentation.cutmix),
        "samples": samples,
    }


def run_facts(probabilities: NDArray[np.float32], valid: Faces) -> dict[str, Any]:
    """Return how a fitted run reads `valid`: scores, confusion, and for each class the faces it is surest of.

    probabilities: `(n, 7)`. Raise `DataError` if there is no face.
    """
    scores = _scored(probabilities, valid)
    return {
        **_figures(scores),
        "confusion": scores.confusion,
        "examples": [
            {"emotion": each.emotion, "right": _told(each.right), "wrong": _told(each.wrong)}
            for each in examples(valid, probabilities)
        ],
    }


def comparison_facts(model: Path, served: Path, valid: Faces) -> dict[str, Any]:
    """Return how two exported models read `valid` as the bot would show it, and their difference.

    gain: points of accuracy that `model` has more than `served`; low, high: its 95 % interval, from the pairs of
    readings of each face. Raise `ModelError`, or `DataError` if there is no face.
    """
    told, right = [], []
    for folder in (model, served):
        classifier = Classifier.load(folder)
        probabilities = classifier.classify(valid.pixels)
        size = (folder / WEIGHTS_FILE).stat().st_size
        told.append({"version": classifier.card.version, "bytes": size, **_figures(_scored(probabilities, valid))})
        right.append((probabilities.argmax(axis=1) == valid.labels).astype(np.float64))
    difference = 100 * (right[0] - right[1])
    gain, reach = float(difference.mean()), 1.96 * float(difference.std()) / np.sqrt(len(difference))
    return {"models": told, "gain": gain, "low": gain - reach, "high": gain + reach}


def write(facts: object, file: Path) -> None:
    """Write facts as JSON, completely or not at all. Raise `TrainingError` if the file cannot be written."""
    fresh = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(facts), encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise TrainingError(f"{file} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)


def _own_recipe(path: Path) -> RecipeFacts:
    try:
        return _recipe_facts(network_recipe(str(path)), str(path), is_own=True)
    except (RecipeError, OSError) as error:
        problem = str(error).replace(str(path), path.name)[:_MOST_SAID].encode(errors="replace").decode()
        return RecipeFacts(path.stem, str(path), is_own=True, problem=problem)


def _recipe_facts(recipe: AnyRecipe, argument: str, *, is_own: bool) -> RecipeFacts:
    if not isinstance(recipe, Recipe):
        return RecipeFacts(recipe.name, argument, is_own)
    return RecipeFacts(
        recipe.name,
        argument,
        is_own,
        network=recipe.network.kind,
        epochs=recipe.epochs,
        starts_from=recipe.start,
        teachers=recipe.loss.teachers,
        weights=getattr(recipe.network, "weights", "none"),
        published=recipe.published.accuracy if recipe.published else None,
        digest=_digest(recipe),
    )


def _digest(recipe: Recipe) -> str:
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()


def _scored(probabilities: NDArray[np.float32], valid: Faces) -> Scores:
    if not len(valid):
        raise DataError("The data set has no faces to judge by.")
    return score(probabilities, valid.labels)


def _figures(scores: Scores) -> dict[str, Any]:
    """Return the figures that runs and models are compared by. The worst recall is that of a class with faces."""
    filled = [label for label, row in enumerate(scores.confusion) if sum(row)]
    worst = min(filled, key=lambda label: scores.recall[label])
    return {
        "faces": scores.n,
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "worst_recall": scores.recall[worst],
        "worst_emotion": EMOTIONS[worst],
        "nll": scores.nll,
    }


def _told(found: Sequence[Example]) -> list[dict[str, Any]]:
    return [{**asdict(each), "pixels": _picture(each.pixels)} for each in found]


def _picture(face: NDArray[np.uint8]) -> str:
    return base64.b64encode(portrait(face)).decode()
