"""The training window's folder: what is uploaded is bounded, and every name is checked."""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def age(path: Path, days: float) -> None:
    os.utime(path, (time.time() - days * 86400,) * 2)


def test_what_was_abandoned_is_deleted_when_an_upload_is_begun(folder: TrainingFolder) -> None:
    folder.add_piece("a.zip", 0, 6, b"abcd")
    [part] = (folder.path / "uploads").iterdir()
    age(part, days=2)
    folder.add_piece("b.zip", 0, 6, b"abcd")
    assert everything_in(folder) == ["uploads/b.zip.part"]


@pytest.mark.parametrize("delete", [TrainingFolder.delete_abandoned, TrainingFolder.delete_unfinished])
def test_halves_wait_for_a_day_and_whole_uploads_for_minutes(
    folder: TrainingFolder, delete: Callable[[TrainingFolder], None]
) -> None:
    for name, size in (("half.zip", 6), ("old-half.zip", 6), ("whole.zip", 4), ("old-whole.csv", 4)):
        folder.add_piece(name, 0, size, b"abcd")
    uploads = folder.path / "uploads"
    for name, days in (("half.zip.part", 0.9), ("old-half.zip.part", 1.1), ("old-whole.csv", 0.01)):
        age(uploads / name, days)
    folder.new_data("kept").mkdir()
    (old := folder.new_data("mine").with_name(".mine-0123abcd")).mkdir()
    age(old, days=1.1)
    age(folder.path / "data" / "kept", days=1.1)
    delete(folder)
    assert everything_in(folder) == ["uploads/half.zip.part", "uploads/whole.zip"]
    assert [each.name for each in old.parent.iterdir()] == ["kept"]


def test_where_the_window_was_never_used_nothing_is_made(folder: TrainingFolder) -> None:
    folder.delete_abandoned()
    assert not folder.path.exists()


def test_samples_that_earlier_versions_stored_are_deleted(folder: TrainingFolder) -> None:
    old = folder.samples_file("a", "tiny").parents[1] / "a--tiny.json"
    old.touch()
    folder.delete_unfinished()
    assert not old.exists()


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
    for data in ("a", "a--b"):
        filled(folder, data)
    folder.delete_data("a")
    of_another = ["registered-0.npz", "tiny/.look.json-123", "tiny/look.json", "tiny/recipe.json", "variants-0-1-2.npz"]
    runs = ["runs/a/tiny/recipe.json", *sorted(f"runs/a--b/{name}" for name in of_another)]
    assert everything_in(folder) == sorted(["data/a--b/fer2013.csv", *runs, "samples/a--b/tiny.json"])


def filled(folder: TrainingFolder, data: str) -> None:
    """Put a data set in place with a run, and with all that may be made of its faces."""
    folder.new_data(data).mkdir()
    run = run_of(folder, data, "tiny")
    samples = folder.samples_file(data, "tiny")
    samples.parent.mkdir()
    kept = [folder.runs_of(data) / name for name in ("registered-0.npz", "variants-0-1-2.npz")]
    for each in (samples, run / ".look.json-123", *kept, folder.path / "data" / data / "fer2013.csv"):
        each.touch()


@contextmanager
def undeletable(name: str) -> Iterator[None]:
    """Let no file of this name be deleted."""
    unlink = os.unlink

    def fail(path: str | Path, **more: Any) -> None:
        if Path(path).name == name:
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        yield


@pytest.mark.parametrize("name", ["tiny.json", "registered-0.npz", "look.json", ".look.json-123", "fer2013.csv"])
def test_a_deletion_of_a_data_set_that_failed_half_way_can_be_finished(folder: TrainingFolder, name: str) -> None:
    filled(folder, "a")
    with undeletable(name), pytest.raises(PermissionError):
        folder.delete_data("a")
    assert folder.data_sets() == ("a",)
    folder.delete_data("a")
    assert everything_in(folder) == ["runs/a/tiny/recipe.json"]


@pytest.mark.parametrize("name", ["registered-0.npz", "look.json", "SHA256SUMS", "recipe.json"])
def test_a_deletion_of_a_run_that_failed_half_way_can_be_finished(
    folder: TrainingFolder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: sorted(listed(path), key=lambda each: each.name != "recipe.json"))
    filled(folder, "a")
    folder.delete_data("a")
    run = folder.run("a/tiny")
    run.model.mkdir()
    for each in (run.look_file, run.model / "SHA256SUMS", folder.runs_of("a") / "registered-0.npz"):
        each.touch()
    with undeletable(name), pytest.raises(PermissionError):
        folder.delete_run("a/tiny")
    assert [each.name for each in folder.runs()] == ["a/tiny"]
    folder.delete_run("a/tiny")
    assert everything_in(folder) == []


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
