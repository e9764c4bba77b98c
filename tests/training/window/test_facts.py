"""What the training window is told, and the files it comes in."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recognizer import EMOTIONS
from recognizer.classification import MODEL_FOLDER
from tests.training.faces import easy_faces, in_turns, write_kaggle_csv, write_sheets
from tests.training.recipes import LIVELY, tiny_recipe
from training.__main__ import main
from training.data import DataError, load
from training.fitting import recipe
from training.window import facts

COUNT = 300


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sheets(tmp_path_factory.mktemp("data"), easy_faces(COUNT), in_turns(COUNT))


def pixels(png: str) -> Any:
    return cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_GRAYSCALE)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    try:
        return main()
    except SystemExit as left:
        return int(left.code or 0)


def test_recipes_of_networks_are_listed_with_ones_own_and_their_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(json.dumps(tiny_recipe(name="mine", epochs=7).model_dump(mode="json")))
    (tmp_path / "wrong.yaml").write_text("name: wrong\nepochs: many\n")
    (tmp_path / "no.yaml").write_bytes(b"\xff\xfe: [")
    (tmp_path / "deep.yaml").write_text("[" * 3000)
    (tmp_path / "endless.yaml").write_text(f"epochs: 0x{'f' * 5000}")
    (tmp_path / "wide.yaml").write_text("\n".join(f"'\\ud800{number}': 1" for number in range(1000)))
    (tmp_path / "svm.yaml").write_text((Path(recipe.__file__).parents[1] / "recipes" / "svm_baseline.yaml").read_text())
    out = tmp_path / "out" / "recipes.json"
    monkeypatch.setenv("FER2013_DIR", str(tmp_path / "nowhere"))
    assert call(monkeypatch, "recipes", "--own", tmp_path, "--json", out) == 0
    told = json.loads(out.read_text())
    found = {each["name"]: each for each in told["recipes"]}
    assert found["mine"] | {"argument": str(tmp_path / "mine.yaml"), "is_own": True, "epochs": 7} == found["mine"]
    assert found["small_cnn"]["argument"] == "small_cnn"
    assert found["lean_c"]["teachers"]
    assert "svm_baseline" not in found
    assert "epochs" in found["wrong"]["problem"]
    assert "not readable" in found["no"]["problem"]
    for name in ("deep", "endless", "wide"):
        assert 0 < len(found[name]["problem"]) <= 300
    assert "is not a network" in found["svm"]["problem"]
    assert str(tmp_path) not in found["wrong"]["problem"]
    assert told["base_data_problem"].startswith("No FER2013 data at")


@pytest.mark.parametrize("content", [b"no zip", None])
def test_an_upload_is_deleted_whether_it_is_taken_in_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    upload = tmp_path / ("mine.csv" if content is None else "mine.zip")
    if content is None:
        write_kaggle_csv(upload, easy_faces(70), in_turns(70))
    else:
        upload.write_bytes(content)
    assert call(monkeypatch, "take-in", upload, tmp_path / "data" / "mine") == (content is not None)
    assert not upload.exists()
    assert (tmp_path / "data" / "mine").exists() == (content is None)


def test_faces_are_counted_without_copies_and_shown_beside_their_variants(data: Path) -> None:
    splits = load(data)
    copied = splits["valid"][slice(0, 3)]
    train = splits["train"]
    both = (np.concatenate([train.pixels, copied.pixels]), np.concatenate([train.labels, copied.labels]))
    recipe = tiny_recipe().model_copy(update={"augmentation": LIVELY})
    told = facts.data_facts({**splits, "train": type(train)(*both, None)}, recipe)
    assert told["left_out"] == 3
    assert told["counts"]["train"] == train.class_counts.tolist()
    assert told["mixes"] is True
    assert [each["emotion"] for each in told["samples"]] == list(EMOTIONS)
    for sample in told["samples"]:
        original = pixels(sample["original"])
        assert any((face == original).all() for face in train.pixels)
        assert len(sample["variants"]) == facts.VARIANTS
        assert not any((pixels(variant) == original).all() for variant in sample["variants"])


def test_samples_name_the_recipe_as_it_was_by_the_digest_that_it_is_listed_with(data: Path, tmp_path: Path) -> None:
    def listed() -> str:
        [own] = [each for each in facts.recipes(tmp_path) if each.is_own]
        return own.digest

    recipe = tiny_recipe(name="mine")
    (tmp_path / "mine.yaml").write_text(json.dumps(recipe.model_dump(mode="json")))
    before = listed()
    assert facts.data_facts(load(data), recipe)["recipe"] == before
    changed = recipe.model_copy(update={"augmentation": LIVELY})
    (tmp_path / "mine.yaml").write_text(json.dumps(changed.model_dump(mode="json")))
    assert facts.data_facts(load(data), changed)["recipe"] == listed() != before


def test_a_recipe_that_changes_nothing_shows_the_faces_as_they_are(data: Path) -> None:
    told = facts.data_facts(load(data), tiny_recipe())
    assert told["mixes"] is False
    assert all(set(each["variants"]) == {each["original"]} for each in told["samples"])


def test_a_run_is_told_with_its_surest_readings_right_and_wrong(data: Path) -> None:
    valid = load(data)["valid"]
    said = np.full((len(valid), 7), 0.1, np.float32)
    said[np.arange(len(valid)), valid.labels] = 0.4
    wrong = int(np.flatnonzero(valid.labels == 2)[0])
    said[wrong] = [0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02]
    told = facts.run_facts(said, valid)
    assert told["faces"] == len(valid)
    assert told["accuracy"] == pytest.approx(1 - 1 / len(valid))
    assert told["worst_emotion"] == "fear"
    assert told["confusion"][2][3] == 1
    examples = {each["emotion"]: each for each in told["examples"]}
    [mistake] = examples["fear"]["wrong"]
    assert (mistake["label"], mistake["reading"]) == ("fear", "happy")
    assert mistake["confidence"] == pytest.approx(0.88)
    assert (pixels(mistake["pixels"]) == valid.pixels[wrong]).all()
    assert examples["sad"]["wrong"] == []


def test_a_model_beside_itself_gains_nothing(data: Path) -> None:
    told = facts.comparison_facts(MODEL_FOLDER, MODEL_FOLDER, load(data)["valid"])
    assert (told["gain"], told["low"], told["high"]) == (0, 0, 0)
    ours, theirs = told["models"]
    assert ours == theirs
    assert ours["bytes"] == (MODEL_FOLDER / "expression.tflite").stat().st_size


def test_nothing_to_judge_by_is_told(data: Path) -> None:
    with pytest.raises(DataError, match="no faces to judge by"):
        facts.run_facts(np.zeros((0, 7), np.float32), load(data)["valid"][slice(0, 0)])


def test_a_file_that_cannot_be_written_is_one_sentence(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").mkdir()
    assert call(monkeypatch, "recipes", "--json", tmp_path / "taken") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_what_is_no_network_cannot_be_examined(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "examine", "svm_baseline", "--data", data, "--json", tmp_path / "x.json") == 1
    assert "is not a network" in capsys.readouterr().err
