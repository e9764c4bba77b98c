"""`python -m training` as the console starts it: watched, stopped, resumed, killed, found again after a restart."""

import asyncio
import errno
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.learning import training_window
from bots.learning.training_facts import RecipeFacts
from bots.learning.training_folder import BASE_DATA, Run
from bots.learning.training_job import Job, JobSlot, TrainingRefusedError
from bots.learning.training_window import SECRETS, TrainingWindow
from bots.settings import Settings
from db import Store
from recognizer.classification import MODEL_FOLDER, WEIGHTS_FILE
from recognizer.packing import pack_folder
from tests.processes import children, has_ended
from tests.training.faces import easy_faces, write_class_folders
from tests.training.recipes import tiny_recipe
from tests.waiting import TRAINING_PATIENCE_S, until

EPOCHS = 400
"""More than anybody waits for."""
WAITS = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.05)"
RECIPE = RecipeFacts("tiny", "tiny", True, "convolutional", 4, None, (), "none", None, "", "abc")


Scripted = Callable[..., TrainingWindow]


@pytest.fixture
async def windows() -> AsyncIterator[list[TrainingWindow]]:
    """Windows whose processes end with the test."""
    windows: list[TrainingWindow] = []
    yield windows
    for window in windows:
        for slot in (window.training, window.other):
            slot.stop("the tests", at_once=True)
        await window.finished()


@pytest.fixture
def window(store: Store, tmp_path: Path, windows: list[TrainingWindow]) -> TrainingWindow:
    windows.append(TrainingWindow(store, tmp_path / "training"))
    return windows[-1]


@pytest.fixture
def scripted(store: Store, tmp_path: Path, windows: list[TrainingWindow]) -> Scripted:
    """Make windows whose commands are all a script."""

    def make(script: str, **environment: str) -> TrainingWindow:
        windows.append(TrainingWindow(store, tmp_path / "training", environment, (sys.executable, "-c", script)))
        return windows[-1]

    return make


def prepared(window: TrainingWindow, epochs: int) -> RecipeFacts:
    """Return a recipe of so many short epochs, after its data set was put in place."""
    faces = easy_faces(280)
    write_class_folders(window.folder.new_data("mine"), faces[slice(0, 210)], faces[slice(210, 280)])
    path = window.folder.recipes / "tiny.yaml"
    path.write_text(json.dumps(tiny_recipe(epochs=epochs).model_dump(mode="json")))
    return replace(RECIPE, argument=str(path), epochs=epochs)


def the_run(window: TrainingWindow) -> Run | None:
    return next(iter(window.folder.runs()), None)


def epochs(window: TrainingWindow) -> int:
    run = the_run(window)
    return len(run.epochs) if run else 0


async def ended(window: TrainingWindow) -> None:
    await until(lambda: window.training.running() is None, TRAINING_PATIENCE_S)


async def test_a_training_is_stopped_gone_on_with_killed_from_outside_and_finished(
    store: Store, window: TrainingWindow, tmp_path: Path
) -> None:
    recipe = prepared(window, EPOCHS)
    window.start("mine", recipe, None, "Ada")
    job = window.training.running()
    assert job is not None
    assert (job.what, job.data, job.recipe, job.by) == ("fit", "mine", "tiny", "Ada")
    await until(lambda: epochs(window) >= 2, TRAINING_PATIENCE_S)

    after_a_restart = TrainingWindow(store, tmp_path / "training")
    assert after_a_restart.training.running() == job
    with pytest.raises(TrainingRefusedError, match="running already, started by Ada"):
        after_a_restart.start("mine", recipe, None, "Grace")
    assert after_a_restart.stop("Grace", at_once=False)
    await ended(window)
    stopped = epochs(window)
    assert 2 <= stopped < EPOCHS
    last = window.training.last()
    assert last is not None
    assert last.stopped_by == "Grace"
    assert "Whole epochs are kept" in " ".join(window.training.last_lines())

    run = the_run(window)
    assert run is not None
    assert run.has_weights
    after_a_restart.go_on(run, None, "Grace")
    await until(lambda: epochs(window) >= stopped + 2, TRAINING_PATIENCE_S)
    again = window.training.running()
    assert again is not None
    psutil.Process(again.number).send_signal(signal.SIGKILL)
    await ended(window)
    killed = epochs(window)
    run = the_run(window)
    assert run is not None
    assert not run.is_finished
    assert run.metrics is None

    window.go_on(run, killed + 1, "Ada")
    await ended(window)
    await after_a_restart.finished()
    run = the_run(window)
    assert run is not None
    assert [each.number for each in run.epochs] == list(range(1, killed + 2))
    assert run.metrics is not None
    assert (run.metrics.finished, run.metrics.epochs) == (False, killed + 1)
    assert {path.stat().st_mode & 0o077 for path in run.folder.rglob("*")} == {0}


async def test_what_is_killed_at_once_ends_with_what_it_started(scripted: Scripted) -> None:
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WAITS!r}])"
    window = scripted(child)
    window.start(BASE_DATA, RECIPE, None, "Ada")
    await until(lambda: window.training.last_lines() == ("begun",))
    job = window.training.running()
    assert job is not None
    [started] = psutil.Process(job.number).children()
    assert window.stop("Ada", at_once=True)
    await window.finished()
    await until(lambda: has_ended(started))
    assert window.training.running() is None
    assert not window.stop("Ada", at_once=True)


async def test_what_is_stopped_while_it_registers_faces_leaves_no_process_behind(window: TrainingWindow) -> None:
    faces = easy_faces(2100)
    write_class_folders(window.folder.new_data("mine"), faces, faces[slice(0, 70)])
    path = window.folder.recipes / "tiny.yaml"
    path.write_text(json.dumps(tiny_recipe().model_dump(mode="json") | {"data": {"registered": 1800}}))
    window.start("mine", replace(RECIPE, argument=str(path)), None, "Ada")
    job = window.training.running()
    assert job is not None
    process = psutil.Process(job.number)
    await until(lambda: len(process.children()) >= 2, TRAINING_PATIENCE_S)
    started = process.children()
    assert window.stop("Ada", at_once=False)
    await ended(window)
    await until(lambda: all(map(has_ended, started)))
    assert "Whole epochs are kept" in " ".join(window.training.last_lines())


async def test_on_a_full_disk_nothing_is_started_that_nobody_knows_and_what_runs_can_be_stopped(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = children()
    window = scripted(WAITS)
    window.start(BASE_DATA, RECIPE, None, "Ada")
    job = window.training.running()
    assert job is not None

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(JobSlot, "_keep", full)
    with pytest.raises(TrainingRefusedError, match=r"could not be started .*No space left"):
        window.examine(BASE_DATA, RECIPE, "Grace")
    assert [each.pid for each in children() - others] == [job.number]
    assert window.stop("Ada", at_once=False)
    await ended(window)


async def test_another_process_with_the_number_of_an_old_one_is_left_alone(scripted: Scripted) -> None:
    window = scripted(WAITS)
    window.start(BASE_DATA, RECIPE, None, "Ada")
    job = window.training.running()
    assert job is not None
    window.stop("Ada", at_once=True)
    await window.finished()
    file = window.folder.jobs / "training.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "number": os.getpid()}))
    assert window.training.running() is None
    assert not window.stop("Ada", at_once=True)


async def test_another_command_is_stopped_and_the_training_goes_on(scripted: Scripted) -> None:
    window = scripted(WAITS)
    window.start(BASE_DATA, RECIPE, None, "Ada")
    window.examine(BASE_DATA, RECIPE, "Grace")
    assert window.stop_other("Ada", at_once=False)
    await until(lambda: window.other.running() is None, TRAINING_PATIENCE_S)
    last = window.other.last()
    assert last is not None
    assert last.stopped_by == "Ada"
    assert window.training.running() is not None
    assert not window.stop_other("Ada", at_once=True)


async def test_a_look_may_run_beside_a_training_but_not_beside_another_look(scripted: Scripted) -> None:
    window = scripted(WAITS)
    window.start(BASE_DATA, RECIPE, None, "Ada")
    window.examine(BASE_DATA, RECIPE, "Grace")
    with pytest.raises(TrainingRefusedError, match="A look at a data set is running already, started by Grace"):
        window.examine(BASE_DATA, RECIPE, "Ada")
    for slot in (window.training, window.other):
        assert slot.stop("Ada", at_once=True)
    await window.finished()


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", '{"what": 3}', '{"at": "yesterday", "command": 1}'])
def test_a_file_that_is_damaged_is_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    slot = JobSlot(tmp_path, "x")
    assert slot.last() is None
    assert slot.running() is None
    assert not slot.stop("Ada", at_once=True)


async def test_of_a_log_the_last_lines_are_shown_cut_and_without_what_a_terminal_acts_on(tmp_path: Path) -> None:
    slot = JobSlot(tmp_path, "x")
    script = (
        "print('x' * 100_000)\nfor number in range(50): print(number)\n"
        "print('\\x1b[31mred\\x1b[0m \\x07bell \\u202eturned\\n' + 'y' * 1000)"
    )
    job = Job("fit", "mine", "tiny", "Ada", datetime.now(UTC))
    assert await slot.start(job, (sys.executable, "-c", script), {"PYTHONIOENCODING": "utf-8"}).wait() == 0
    lines = slot.last_lines()
    assert len(lines) == 12
    assert lines[0] == "40"
    assert lines[-2].startswith("red bell ")
    assert lines[-2].isprintable()
    assert lines[-1] == "y" * 300


def test_every_secret_setting_counts_as_one() -> None:
    secret = {name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert {"SECRET", "DATABASE_URL"} < secret
    assert secret - set(SECRETS) == set()


async def test_secrets_do_not_reach_what_opens_uploaded_files(scripted: Scripted) -> None:
    script = "import os\nprint(sorted(os.environ))"
    window = scripted(script, SECRET="x", TELEGRAM_TOKEN="x", FER2013_DIR="/data", PATH="/bin")
    window.examine(BASE_DATA, RECIPE, "Ada")
    await window.finished()
    [line] = window.other.last_lines()
    assert "FER2013_DIR" in line
    assert "SECRET" not in line
    assert "TELEGRAM_TOKEN" not in line


async def test_where_training_is_not_installed_it_is_said_and_asked_again_later(store: Store, tmp_path: Path) -> None:
    now = 0.0
    script = "import sys\nprint('Training needs keras: pip install it.', file=sys.stderr)\nsys.exit(3)"
    program = (sys.executable, "-c", script)
    window = TrainingWindow(store, tmp_path / "training", {}, program, clock=lambda: now)
    assert await window.offered() is None
    assert window.obstacle == "Training needs keras: pip install it."
    offers = {"recipes": [], "base_data_problem": ""}
    window._program = (sys.executable, "-c", f"import sys\nopen(sys.argv[3], 'w').write({json.dumps(offers)!r})")
    assert await window.offered() is None
    now = 60.0
    assert await window.offered() is not None
    assert window.obstacle == ""


async def test_a_program_that_does_not_answer_is_ended_and_told(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = children()
    monkeypatch.setattr(training_window, "_ASKING_TAKES_S", 0.3)
    assert await scripted(WAITS).offered() is None
    window = scripted(WAITS)
    window.folder.add_piece("mine.yaml", 0, 4, b"a: 1")
    with pytest.raises(TrainingRefusedError, match=r"mine\.yaml was not taken: .*did not end in time"):
        await window.added("mine.yaml")
    assert list(window.folder.recipes.iterdir()) == []
    assert children() <= others


async def test_an_uploaded_recipe_is_offered_with_its_fault_and_deleted(window: TrainingWindow) -> None:
    window.folder.add_piece("mine.yaml", 0, 4, b"a: 1")
    added = await window.added("Mine.YAML")
    assert (added.name, added.is_own) == ("mine", True)
    assert "epochs: Field required" in added.problem
    await window.delete_recipe(added, "Ada")
    offered = await window.offered()
    assert offered is not None
    assert not any(each.is_own for each in offered.recipes)
    with pytest.raises(TrainingRefusedError, match="not there any more"):
        await window.delete_recipe(added, "Ada")


async def test_a_program_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    window = TrainingWindow(store, tmp_path / "training", {}, ("/nowhere/python",))
    assert await window.offered() is None
    assert "could not be started" in window.obstacle
    with pytest.raises(TrainingRefusedError, match="could not be started"):
        window.start(BASE_DATA, RECIPE, None, "Ada")


async def test_what_is_in_use_is_not_deleted(scripted: Scripted) -> None:
    window = scripted(WAITS)
    window.folder.new_data("mine").mkdir()
    run = window.folder.runs_of("mine") / "tiny"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text('{"name": "tiny", "epochs": 4}')
    found = the_run(window)
    assert found is not None
    window.go_on(found, None, "Ada")
    with pytest.raises(TrainingRefusedError, match="in use"):
        await window.delete_data("mine", "Ada")
    with pytest.raises(TrainingRefusedError, match="in use"):
        await window.delete_run(found, "Ada")
    window.stop("Ada", at_once=True)
    await window.finished()
    await window.delete_data("mine", "Ada")
    await window.delete_run(found, "Ada")
    assert (window.folder.data_sets(), window.folder.runs()) == ((), ())


async def test_an_upload_is_deleted_once_it_was_looked_at(scripted: Scripted) -> None:
    window = scripted("import sys\nsys.exit('hostile')")
    window.folder.add_piece("mine.zip", 0, 4, b"abcd")
    window.take_in("mine.zip", "Ada")
    await window.finished()
    assert list((window.folder.path / "uploads").iterdir()) == []
    assert window.other.last_lines() == ("hostile",)


async def test_no_upload_is_begun_that_could_not_be_checked_and_none_stays(scripted: Scripted) -> None:
    window = scripted(WAITS)
    window.folder.add_piece("mine.zip", 0, 4, b"abcd")
    window.examine(BASE_DATA, RECIPE, "Grace")
    with pytest.raises(TrainingRefusedError, match="A look at a data set is running already, started by Grace"):
        window.add_piece("other.csv", 0, 8, b"abcd")
    assert window.add_piece("mine.yaml", 0, 4, b"a: 1") == 4
    with pytest.raises(TrainingRefusedError, match="A look at a data set is running already"):
        window.take_in("mine.zip", "Ada")
    assert list((window.folder.path / "uploads").iterdir()) == []


async def test_what_a_killed_check_unpacked_is_deleted(scripted: Scripted) -> None:
    window = scripted(WAITS)
    data = window.folder.new_data("mine").parent
    window.folder.add_piece("mine.zip", 0, 4, b"abcd")
    window.take_in("mine.zip", "Ada")
    (data / ".mine-0123abcd").mkdir()
    assert window.other.stop("Ada", at_once=True)
    await window.finished()
    assert list(data.iterdir()) == []
    assert list((window.folder.path / "uploads").iterdir()) == []


async def test_what_a_bot_of_before_left_is_deleted_once_nothing_uses_it(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_window, "_ASKING_TAKES_S", 0.1)
    window = scripted(WAITS)
    left = [window.folder.new_data("mine").with_name(".mine-0123abcd"), window.folder.served]
    left[0].mkdir()
    window.examine(BASE_DATA, RECIPE, "Ada")
    await window.offered()
    assert all(each.exists() for each in left)
    window.stop_other("Ada", at_once=True)
    await until(lambda: not any(each.exists() for each in left))


async def test_abandoned_uploads_are_deleted_again_and_again_but_not_while_one_is_checked(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_window, "_TIDY_EVERY_S", 0.01)
    window = scripted(WAITS)
    uploads = window.folder.path / "uploads"

    def bring(name: str) -> None:
        window.folder.add_piece(name, 0, 4, b"abcd")
        os.utime(uploads / name, (time.time() - 3600,) * 2)

    tidying = asyncio.create_task(window.keep_tidy())
    for _ in range(2):
        bring("closed.zip")
        await until(lambda: not list(uploads.iterdir()))
    async with window._preparing:  # so that no deletion is at work, in a thread that cannot be cancelled
        tidying.cancel()
        await asyncio.wait({tidying})
        bring("mine.zip")
    window.take_in("mine.zip", "Ada")
    tidying = asyncio.create_task(window.keep_tidy())
    await asyncio.sleep(0.1)
    assert [each.name for each in uploads.iterdir()] == ["mine.zip"]
    tidying.cancel()


async def test_a_folder_that_cannot_be_read_does_not_end_the_deletion_of_uploads(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_window, "_TIDY_EVERY_S", 0.01)
    window = scripted(WAITS)
    window.folder.path.parent.mkdir(exist_ok=True)
    window.folder.path.write_text("no folder")
    with capture_logs() as logs:
        tidying = asyncio.create_task(window.keep_tidy())
        await until(lambda: len(logs) > 1)
    assert {entry["event"] for entry in logs} == {"training_uploads_not_deleted"}
    assert not tidying.done()
    tidying.cancel()
    window.folder.path.unlink()


async def test_samples_are_shown_for_the_recipe_that_they_were_drawn_with_only(scripted: Scripted) -> None:
    drawn = {"recipe": RECIPE.digest, "counts": {}, "left_out": 0, "mixes": False, "samples": []}
    window = scripted(f"import sys\nopen(sys.argv[-1], 'w').write({json.dumps(drawn)!r})")
    window.folder.samples_file(BASE_DATA, RECIPE.name).parent.mkdir()
    assert window.examined(BASE_DATA, RECIPE) is None
    window.examine(BASE_DATA, RECIPE, "Ada")
    await window.finished()
    facts = window.examined(BASE_DATA, RECIPE)
    assert facts is not None
    assert facts.recipe == RECIPE.digest
    assert window.examined(BASE_DATA, replace(RECIPE, digest="another")) is None


async def test_the_served_model_is_written_down_for_a_comparison_only(store: Store, scripted: Scripted) -> None:
    await store.versions.begin_with("v1", pack_folder(MODEL_FOLDER))
    window = scripted(WAITS)
    run = window.folder.runs_of(BASE_DATA) / "tiny"
    (run / "model").mkdir(parents=True)
    (run / "recipe.json").write_text('{"name": "tiny", "epochs": 4}')
    for file in (run / "fitted.weights.h5", run / "model" / "SHA256SUMS"):
        file.touch()
    found = the_run(window)
    assert found is not None
    served = window.folder.path / "served"
    window.examine(BASE_DATA, RECIPE, "Grace")
    with pytest.raises(TrainingRefusedError, match="A look at a data set is running already"):
        await window.compare(found, "Ada")
    assert not served.exists()
    window.stop_other("Ada", at_once=True)
    await window.finished()
    await window.compare(found, "Ada")
    assert (served / WEIGHTS_FILE).read_bytes() == (MODEL_FOLDER / WEIGHTS_FILE).read_bytes()
    window.stop_other("Ada", at_once=True)
    await window.finished()
    assert not served.exists()


async def test_only_what_can_be_done_is_begun(scripted: Scripted) -> None:
    window = scripted(WAITS)
    with pytest.raises(TrainingRefusedError, match="no data set"):
        window.start("nothing", RECIPE, None, "Ada")
    with pytest.raises(TrainingRefusedError, match="cannot be used: epochs"):
        window.start(BASE_DATA, replace(RECIPE, problem="epochs"), None, "Ada")
    with pytest.raises(TrainingRefusedError, match="not there any more"):
        window.take_in("mine.zip", "Ada")
    run = window.folder.runs_of(BASE_DATA) / "tiny"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text('{"name": "tiny", "epochs": 4}')
    (run / "metrics.json").write_text('{"finished": true, "epochs": 4}')
    found = the_run(window)
    assert found is not None
    with pytest.raises(TrainingRefusedError, match="It has finished"):
        window.go_on(found, None, "Ada")
    with pytest.raises(TrainingRefusedError, match="This run has finished; delete it"):
        window.start(BASE_DATA, RECIPE, None, "Ada")
    with pytest.raises(TrainingRefusedError, match="Export it first"):
        await window.compare(found, "Ada")
    assert window.training.last() is None
