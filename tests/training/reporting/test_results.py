import json
from pathlib import Path

import numpy as np

from tests.training.faces import easy_faces
from training.fitting.recipe import SvmRecipe, recipe_names
from training.fitting.svm import fit_svm
from training.reporting.results import results, table


def test_every_recipe_has_a_line_with_what_it_reached_or_that_it_was_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "small_cnn"
    folder.mkdir()
    valid = {"accuracy": 0.5432, "macro_f1": 0.4321}
    metrics = {"finished": False, "epochs": 10, "parameters": 2_345_607, "valid": valid}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    lines = table(results(tmp_path)).splitlines()[2:]
    assert len(lines) == len(recipe_names())
    (line,) = (line for line in lines if "`small_cnn`" in line)
    assert line == ("| `small_cnn` | 2.3 M | 10 of 50 epochs | 54.3% | 43.2% | 55% valid after 10 epochs |")
    assert sum("not yet" in line for line in lines) == len(lines) - 1


def test_the_support_vector_machine_chooses_by_its_grid_and_tells_its_figures(tmp_path: Path) -> None:
    recipe = SvmRecipe(
        kind="svm", name="tiny", seed=1, search_faces=70, faces=140, degrees=(1, 2), costs=(1.0,), gammas=(0.001, 0.01)
    )
    fit_svm(recipe, easy_faces(210), easy_faces(70, seed=1), tmp_path / "tiny")
    metrics = json.loads((tmp_path / "tiny" / "metrics.json").read_text())
    assert metrics["faces"] == 140
    assert metrics["chosen"]["degree"] in (1, 2)
    assert metrics["valid"]["accuracy"] > 0.6
    assert np.sum(metrics["valid"]["confusion"]) == 70
