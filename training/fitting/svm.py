"""The oldest predecessor of this project's system: a support vector machine on raw pixels."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from training.data import Faces
from training.evaluation import score
from training.fitting.recipe import SvmRecipe


def fit_svm(recipe: SvmRecipe, train: Faces, valid: Faces, run: Path) -> None:
    """Search a grid on some training faces, fit the best setting on more of them, and write metrics.json.

    Pixels are scaled to 0 to 1. SVC decides one against one (Chang and Lin 2011).
    """
    rows = np.random.default_rng(recipe.seed).permutation(len(train))
    pixels = train.pixels.reshape(len(train), -1) / np.float32(255)
    some = rows[: recipe.search_faces]
    grid = {"degree": recipe.degrees, "C": recipe.costs, "gamma": recipe.gammas}
    search = GridSearchCV(SVC(kernel="poly", cache_size=1000), grid, cv=3, n_jobs=-1, refit=False, verbose=1)
    search.fit(pixels[some], train.labels[some])
    machine = SVC(kernel="poly", cache_size=1000, **search.best_params_)
    machine.fit(pixels[rows[: recipe.faces]], train.labels[rows[: recipe.faces]])
    guesses = machine.predict(valid.pixels.reshape(len(valid), -1) / np.float32(255))
    certain = np.eye(len(train.class_counts), dtype=np.float32)[guesses]
    metrics = {
        "finished": True,
        "faces": min(recipe.faces, len(train)),
        "chosen": search.best_params_,
        "search_accuracy": float(search.best_score_),
        "valid": asdict(score(certain, valid.labels)),
    }
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.json").write_text(json.dumps(recipe.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
    (run / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
