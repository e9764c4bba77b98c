"""The training window's folder: what is uploaded is bounded, and every name is checked."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from bots.learning import training_folder
from bots.learning.training_folder import BASE_DATA, MOST_RECIPE_BYTES, MOST_UPLOAD_BYTES, TrainingFolder
from bots.learning.training_job import TrainingRefusedError


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "data" / "training")


def everything_in(folder: TrainingFolder) -> list[str]:
    return sorted(str(each.relative_to(folder.path)) for each in folder.path.rglob("*") if each.is_file())


def test_an_upload_in_pieces_is_put_together_and_is_the_operators_only(folder: TrainingFolder) -> None:
    assert folder.add_piece("My Faces.ZIP", 0, 9, b"abcd") == 4
    assert folder.add_piece("My Faces.ZIP", 4, 9, b"efgh") == 8
    with pytest.raises(TrainingRefusedError, match="not there any more"):
        folder.upload("My Faces.ZIP")
    assert folder.add_piece("My Faces.ZIP", 8, 9, b"i") == 9
    upload = folder.upload("My Faces.ZIP")
    assert (upload.name, upload.read_bytes()) == ("my-faces.zip", b"abcdefghi")
    assert upload.stat().st_mode & 0o777 == 0o600
    for place in (folder.path, upload.parent):
        assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "file",
    [
        "../evil.zip",
        "/etc/passwd.zip",
        "..zip",
        ".zip",
        "a\0b.zip",
        "a/b.csv",
        "a\\b.csv",
        "faces.tar.gz",
        "faces",
        "",
        "base-data.zip",
        "x" * 200 + ".zip",
        "-rf.zip",
        "ü.zip",
    ],
)
def test_names_that_may_lead_elsewhere_are_refused(folder: TrainingFolder, file: str) -> None:
    with pytest.raises(TrainingRefusedError):
        folder.add_piece(file, 0, 4, b"abcd")
    assert everything_in(folder) == []


def test_what_is_too_large_is_refused_before_it_comes(folder: TrainingFolder) -> None:
    for file, size in (("a.zip", MOST_UPLOAD_BYTES + 1), ("a.yaml", MOST_RECIPE_BYTES + 1), ("a.zip", 0)):
        with pytest.raises(TrainingRefusedError, match="too large"):
            folder.add_piece(file, 0, size, b"abcd")
    assert everything_in(folder) == []


@pytest.mark.parametrize(("offset", "piece"), [(0, b"abcdefgh"), (2, b"c"), (6, b"g"), (4, b""), (4, b"too long")])
def test_a_piece_that_does_not_fit_is_refused(folder: TrainingFolder, offset: int, piece: bytes) -> None:
    folder.add_piece("a.zip", 0, 6, b"abcd")
    with pytest.raises(TrainingRefusedError, match="interrupted"):
        folder.add_piece("a.zip", offset, 6, piece)


def test_an_upload_that_is_begun_again_begins_anew(folder: TrainingFolder) -> None:
    folder.add_piece("a.csv", 0, 6, b"abcd")
    assert folder.add_piece("a.csv", 0, 2, b"xy") == 2
    assert folder.upload("a.csv").read_bytes() == b"xy"


def test_what_was_abandoned_is_deleted(folder: TrainingFolder) -> None:
    folder.add_piece("a.zip", 0, 6, b"abcd")
    [part] = (folder.path / "uploads").iterdir()
    os.utime(part, (time.time() - 2 * 86400,) * 2)
    folder.add_piece("b.zip", 0, 6, b"abcd")
    assert everything_in(folder) == ["uploads/b.zip.part"]


def test_the_disk_keeps_room(folder: TrainingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))(10**12, 10**12 - 10**9, 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(TrainingRefusedError, match="disk is too full"):
        folder.add_piece("a.zip", 0, 6, b"abcd")


def test_there_are_not_more_data_sets_than_anybody_needs(
    folder: TrainingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_folder, "_MOST_DATA_SETS", 2)
    for name in ("a", "b"):
        folder.new_data(name).mkdir()
    with pytest.raises(TrainingRefusedError, match="There are 2 data sets already"):
        folder.add_piece("c.zip", 0, 4, b"abcd")
    with pytest.raises(TrainingRefusedError, match="There is a data set a already"):
        folder.new_data("a")


def run_of(folder: TrainingFolder, data: str, recipe: str) -> Path:
    run = folder.runs_of(data) / recipe
    run.mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"name": recipe, "epochs": 4}))
    (run / "look.json").write_text("{}")
    return run


def test_with_a_data_set_every_picture_of_it_is_deleted_and_its_runs_stay(folder: TrainingFolder) -> None:
    folder.new_data("a").mkdir()
    for data in ("a", "ab"):
        run_of(folder, data, "tiny")
        folder.samples_file(data, "tiny").write_text("{}")
        for kept in ("registered-0.npz", "variants-0-1-2.npz"):
            (folder.runs_of(data) / kept).touch()
    folder.delete_data("a")
    of_another = ["ab/registered-0.npz", "ab/tiny/look.json", "ab/tiny/recipe.json", "ab/variants-0-1-2.npz"]
    left = ["runs/a/tiny/recipe.json", *(f"runs/{name}" for name in of_another), "samples/ab--tiny.json"]
    assert everything_in(folder) == left


def test_with_the_last_run_what_the_runs_shared_is_deleted(folder: TrainingFolder) -> None:
    for recipe in ("tiny", "small"):
        run_of(folder, "a", recipe)
    shared = folder.runs_of("a") / "registered-0.npz"
    shared.touch()
    folder.delete_run("a/tiny")
    assert shared.exists()
    folder.delete_run("a/small")
    assert everything_in(folder) == []


def test_a_new_data_set_does_not_inherit_the_runs_of_a_deleted_one(folder: TrainingFolder) -> None:
    folder.new_data("a").mkdir()
    run_of(folder, "a", "tiny")
    folder.delete_data("a")
    with pytest.raises(TrainingRefusedError, match="runs on an earlier data set a; delete them first"):
        folder.add_piece("a.zip", 0, 4, b"abcd")
    folder.delete_run("a/tiny")
    assert folder.add_piece("a.zip", 0, 4, b"abcd") == 4


def test_kaggles_own_file_may_keep_its_name(folder: TrainingFolder) -> None:
    folder.add_piece("fer2013.csv", 0, 4, b"abcd")
    assert folder.upload("fer2013.csv").stem == folder.new_data("fer2013").name


def test_a_recipe_goes_among_the_recipes(folder: TrainingFolder) -> None:
    folder.add_piece("mine.yaml", 0, 4, b"a: 1")
    assert everything_in(folder) == ["recipes/mine.yaml"]


@pytest.mark.parametrize("name", ["..", "../data/a", ".", "", "nothing", "/etc"])
def test_what_is_no_data_set_is_neither_used_nor_deleted(folder: TrainingFolder, name: str) -> None:
    folder.new_data("a").mkdir()
    for act in (folder.data, folder.delete_data):
        with pytest.raises(TrainingRefusedError):
            act(name)
    assert folder.data_sets() == ("a",)


def test_the_base_data_is_not_deleted(folder: TrainingFolder) -> None:
    with pytest.raises(TrainingRefusedError, match="it stays"):
        folder.delete_data(BASE_DATA)


def test_what_is_no_run_is_not_deleted(folder: TrainingFolder) -> None:
    run = folder.runs_of("a") / "tiny"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"name": "tiny", "epochs": 4}))
    (folder.runs_of("a") / "half").mkdir()
    (folder.runs_of("a") / "half" / "recipe.json").write_text('{"name": "another", "epochs": 4}')
    assert [each.name for each in folder.runs()] == ["a/tiny"]
    for name in ("a/half", "../a", "a", "a/../a/tiny", ""):
        with pytest.raises(TrainingRefusedError):
            folder.delete_run(name)
    folder.delete_run("a/tiny")
    assert folder.runs() == ()
