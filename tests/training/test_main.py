import json
import subprocess
import sys
from pathlib import Path

import pytest

import training.__main__
import training.fitting.export
from db import Depth
from tests.training.faces import easy_faces, in_turns, write_sheets
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.__main__ import main
from training.feedback.retraining import require


class Call:
    """Runs the command line in this process and captures its output."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> tuple[int, str]:
        """Return the exit status and all output in one line."""
        self._monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
        try:
            status = main()
        except SystemExit as left:
            status = int(left.code or 0)
        said = self._capsys.readouterr()
        return status, " ".join((said.out + said.err).split())


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    return Call(monkeypatch, capsys)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_sheets(tmp_path / "data", easy_faces(300), in_turns(300))


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "training", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "fit" in done.stdout
    assert "tensorflow" not in done.stderr.lower()


@pytest.mark.parametrize("command", ["fit", "export", "evaluate", "framing"])
def test_every_command_has_help(call: Call, command: str) -> None:
    status, said = call(command, "--help")
    assert status == 0
    assert "--data" in said


def test_a_wrong_recipe_name_is_answered_with_the_right_ones(call: Call) -> None:
    status, said = call("fit", "nope")
    assert status == 1
    assert said.startswith("No recipe 'nope'. Name a YAML file or one of: custom_cnn, ")


@pytest.mark.parametrize("arguments", [("--nonsense",), ("fit",), ("fit", "vgg_small", "--nonsense"), ("knit",)])
def test_a_wrong_call_is_told_apart(call: Call, arguments: tuple[str, ...]) -> None:
    status, _ = call(*arguments)
    assert status == 2


def test_missing_data_is_answered_with_what_to_set(call: Call, tmp_path: Path) -> None:
    status, said = call("evaluate", "--data", tmp_path)
    assert status == 1
    assert said.startswith(f"No FER2013 data at {tmp_path}. Set FER2013_DIR")


def test_a_missing_model_is_something_needed(call: Call, tmp_path: Path) -> None:
    status, said = call("evaluate", "--model", tmp_path)
    assert status == 3
    assert "model.json is missing" in said


def test_a_missing_package_is_named_with_how_to_install_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.__main__, "find_spec", lambda name: None if name == "keras" else name)
    status, said = call("fit", "vgg_small")
    assert status == 3
    assert said == "Training needs keras: pip install -e '.[training]'."


def test_a_backend_of_keras_that_is_not_installed_is_something_needed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    assert call("fit", "vgg_small") == (
        3,
        "KERAS_BACKEND=abacus needs the package abacus: install it, or set another backend.",
    )
    with pytest.raises(MissingError, match="abacus"):
        require(Depth.FULL)
    require(Depth.ADAPT)


def test_exporting_before_fitting_says_what_to_do(call: Call, data: Path, tmp_path: Path) -> None:
    status, said = call("export", "vgg_small", "--data", data, "--runs", tmp_path, "--out", tmp_path / "model")
    assert status == 3
    assert said == f"{tmp_path}/vgg_small holds no fitted run; fit its recipe first: python -m training fit vgg_small"


def test_imagenet_weights_that_cannot_be_had_are_something_needed(call: Call, data: Path, tmp_path: Path) -> None:
    status, said = call("fit", "resnet18_transfer", "--data", data, "--runs", tmp_path)
    assert status == 3
    assert "--from-scratch" in said


def test_from_scratch_is_for_recipes_that_ask_for_imagenet_weights(call: Call, data: Path, tmp_path: Path) -> None:
    status, said = call("fit", "small_cnn", "--from-scratch", "--data", data, "--runs", tmp_path)
    assert status == 1
    assert "starts from random weights anyway" in said


def test_a_support_vector_machine_is_not_something_to_serve(call: Call, data: Path, tmp_path: Path) -> None:
    status, said = call("export", "svm_baseline", "--data", data, "--runs", tmp_path)
    assert status == 3
    assert "holds no fitted run" in said


def test_results_are_told_as_a_table(call: Call, tmp_path: Path) -> None:
    status, said = call("results", "--runs", tmp_path)
    assert status == 0
    assert "| `vgg16_mini` |" in said


def test_a_folder_with_another_run_is_bad_input(call: Call, data: Path, tmp_path: Path) -> None:
    (tmp_path / "vgg_small").mkdir()
    (tmp_path / "vgg_small" / "recipe.json").write_text(tiny_recipe().model_dump_json())
    status, said = call("fit", "vgg_small", "--data", data, "--runs", tmp_path)
    assert status == 1
    assert "holds a run of another recipe" in said


def test_fit_export_and_evaluate_follow_each_other(
    call: Call, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.fitting.export, "LEAST_AGREEMENT", 0.8)  # of 30 faces, one is more than 2 %
    recipe, model, figures = tmp_path / "mine.yaml", tmp_path / "model", tmp_path / "figures"
    recipe.write_text(json.dumps(tiny_recipe(epochs=4).model_dump(mode="json")))  # JSON is YAML
    common = ("--data", data)
    assert call("fit", recipe, "--runs", tmp_path, *common)[0] == 0
    status, said = call("export", recipe, "--runs", tmp_path, "--out", model, *common)
    assert status == 0, said
    status, said = call("evaluate", "--split", "test", "--model", model, "--out", figures, *common)
    assert status == 0
    assert "30 faces: accuracy" in said
    scores = json.loads((figures / "scores-test.json").read_text())
    assert scores["version"].startswith("tiny-")
    assert scores["shown"]["n"] == scores["fer2013"]["n"] == 30
    assert scores["majority"]["n"] == 30
    assert "of the 30 faces also lie in train" in said
    assert scores["copies_in_train"]["same_label"] <= scores["copies_in_train"]["n"] <= 30
    assert (figures / "majority-test.png").is_file()


def test_evaluate_scores_the_shipped_model_on_any_data(call: Call, data: Path) -> None:
    status, said = call("evaluate", "--data", data)
    assert status == 0
    assert "calibration error" in said
