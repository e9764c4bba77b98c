import csv
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.faces import easy_faces, in_turns, write_sheets
from tests.training.recipes import LIVELY, tiny_recipe
from tests.waiting import TRAINING_PATIENCE_S, wait_until
from training import MissingError
from training.data import Faces
from training.fitting.batches import Batches, spare_processes
from training.fitting.epochs import Epochs
from training.fitting.fit import (
    CURVES_FILE,
    FITTED_WEIGHTS,
    HISTORY_FILE,
    METRICS_FILE,
    RunError,
    fit,
    history_of,
    load_fitted,
)
from training.fitting.recipe import Convolutional, Data, Exponential, Plateau, Recipe, RecipeError
from training.fitting.registered import Registered
from training.fitting.targets import targets_of, voted

TRAIN, VALID = easy_faces(210), easy_faces(70, seed=1)


class InterruptedLogger(keras.callbacks.CSVLogger):  # type: ignore[misc]  # Keras has no types
    """Raises Ctrl-C's exception in the second epoch."""

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        if self.model.optimizer.iterations >= 14 + 5:
            raise KeyboardInterrupt


def history(run: Path) -> list[dict[str, str]]:
    with (run / HISTORY_FILE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def optimizer_steps(run: Path) -> int:
    with h5py.File(run / "checkpoint" / "latest.weights.h5") as file:
        return int(file["optimizer/vars/0"][()])


def accuracy(network: keras.Model, faces: Faces) -> float:
    guesses = network.predict(faces.pixels, verbose=0)["fer2013"].argmax(axis=1)
    return float((guesses == faces.labels).mean())


def interrupt_in_second_epoch(recipe: Recipe, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks, "CSVLogger", InterruptedLogger)
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, TRAIN, VALID, run)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole")
    assert fit(tiny_recipe(epochs=3), TRAIN, VALID, run) == run / FITTED_WEIGHTS
    return run


def test_a_fit_learns_and_writes_a_line_an_epoch(whole_run: Path) -> None:
    assert [line["epoch"] for line in history(whole_run)] == ["0", "1", "2"]
    assert accuracy(load_fitted(whole_run), VALID) > 0.6


def test_the_weights_kept_are_those_of_the_best_epoch(whole_run: Path) -> None:
    best = max(float(line["val_fer2013_accuracy"]) for line in history(whole_run))
    assert accuracy(load_fitted(whole_run), VALID) == pytest.approx(best, abs=0.02)


def test_the_last_weights_are_kept_where_the_recipe_says_so(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=3)
    last = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"keep": "last"})})
    fit(last, TRAIN, VALID, tmp_path, until=2)
    lines = (tmp_path / HISTORY_FILE).read_text().replace(history(tmp_path)[0]["val_fer2013_accuracy"], "1.5", 1)
    (tmp_path / HISTORY_FILE).write_text(lines)  # no epoch is better than the first
    fit(last, TRAIN, VALID, tmp_path)
    reached = float(history(tmp_path)[-1]["val_fer2013_accuracy"])
    assert accuracy(load_fitted(tmp_path), VALID) == pytest.approx(reached, abs=0.02)


def test_a_finished_run_is_left_as_it_is(whole_run: Path) -> None:
    before = (whole_run / FITTED_WEIGHTS).read_bytes()
    fit(tiny_recipe(epochs=3), TRAIN, VALID, whole_run)
    assert (whole_run / FITTED_WEIGHTS).read_bytes() == before
    assert len(history(whole_run)) == 3


def test_an_interrupted_run_goes_on_and_ends_with_the_same_weights(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe(epochs=3)
    interrupt_in_second_epoch(recipe, tmp_path, monkeypatch)
    assert [line["epoch"] for line in history(tmp_path)] == ["0"]
    fit(recipe, TRAIN, VALID, tmp_path)
    assert [line["epoch"] for line in history(tmp_path)] == ["0", "1", "2"]
    assert optimizer_steps(tmp_path) == optimizer_steps(whole_run) == 3 * 14
    # bit-identical only without augmentation and dropout, whose random state is not saved
    for resumed, whole in zip(load_fitted(tmp_path).weights, load_fitted(whole_run).weights, strict=True):
        np.testing.assert_allclose(resumed.numpy(), whole.numpy(), atol=1e-4)


def test_a_checkpoint_spoilt_by_a_crash_is_replaced_by_the_one_before(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=3)
    fit(recipe, TRAIN, VALID, tmp_path, until=2)
    checkpoint = tmp_path / "checkpoint" / "latest.weights.h5"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    fit(recipe, TRAIN, VALID, tmp_path)
    assert optimizer_steps(tmp_path) == 3 * 14


@pytest.mark.parametrize(("file", "content"), [("latest.weights.h5", None), ("training_metadata.json", '{"epo')])
def test_a_checkpoint_that_can_be_opened_but_lacks_something_is_replaced_too(
    tmp_path: Path, file: str, content: str | None
) -> None:
    recipe = tiny_recipe(epochs=3)
    fit(recipe, TRAIN, VALID, tmp_path, until=2)
    if content is None:
        h5py.File(tmp_path / "checkpoint" / file, "w").close()
    else:
        (tmp_path / "checkpoint" / file).write_text(content)
    fit(recipe, TRAIN, VALID, tmp_path)
    assert optimizer_steps(tmp_path) == 3 * 14
    assert history_of(tmp_path)["epoch"] == [0, 1, 2]


@pytest.mark.parametrize("kept", [1, 12, -1])
def test_a_line_of_the_history_that_a_kill_left_half_written_is_written_anew(tmp_path: Path, kept: int) -> None:
    recipe, file = tiny_recipe(epochs=3), tmp_path / HISTORY_FILE
    fit(recipe, TRAIN, VALID, tmp_path, until=2)
    whole = history_of(tmp_path)
    last = file.read_bytes().splitlines(keepends=True)[-1]
    file.write_bytes(file.read_bytes() + last.replace(b"1", b"2", 1)[:kept])
    assert history_of(tmp_path) == whole
    fit(recipe, TRAIN, VALID, tmp_path)
    assert [line["epoch"] for line in history(tmp_path)] == ["0", "1", "2"]
    assert history_of(tmp_path)["epoch"] == [0, 1, 2]


def test_a_line_of_the_history_that_another_was_appended_to_is_left_out(tmp_path: Path) -> None:
    (tmp_path / HISTORY_FILE).write_text("epoch,loss\n0,0.5\n1,0.1,0.4\n1,half\n2\n2,0.25\n2,0.2")
    assert history_of(tmp_path) == {"epoch": [0, 2], "loss": [0.5, 0.25]}
    (tmp_path / HISTORY_FILE).write_text("epo")
    assert history_of(tmp_path) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_an_epoch_is_saved_waits_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    recipe, save, before = tiny_recipe(epochs=3), keras.Model.save_weights, signal.getsignal(number)

    def interrupted(self: keras.Model, *place: Any, **how: Any) -> None:
        os.kill(os.getpid(), number)
        save(self, *place, **how)
        monkeypatch.undo()

    monkeypatch.setattr(keras.Model, "save_weights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, TRAIN, VALID, tmp_path)
    assert signal.getsignal(number) is before
    assert history_of(tmp_path)["epoch"] == [0]
    fit(recipe, TRAIN, VALID, tmp_path)
    assert optimizer_steps(tmp_path) == 3 * 14
    assert history_of(tmp_path)["epoch"] == [0, 1, 2]


def test_a_resumed_run_keeps_a_best_that_is_not_reached_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_recipe()
    interrupt_in_second_epoch(recipe, tmp_path, monkeypatch)
    lines = (tmp_path / HISTORY_FILE).read_text().splitlines()
    column = lines[0].split(",").index("val_fer2013_accuracy")
    figures = lines[1].split(",")
    figures[column] = "1.5"  # unreachable
    (tmp_path / HISTORY_FILE).write_text("\n".join([lines[0], ",".join(figures)]) + "\n")
    best = (tmp_path / FITTED_WEIGHTS).read_bytes()
    fit(recipe, TRAIN, VALID, tmp_path)
    assert (tmp_path / FITTED_WEIGHTS).read_bytes() == best


def test_a_fit_stops_where_it_is_told_and_goes_on_from_there(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=3)
    fit(recipe, TRAIN, VALID, tmp_path, until=1)
    assert len(history(tmp_path)) == 1
    assert not json.loads((tmp_path / METRICS_FILE).read_text())["finished"]
    fit(recipe, TRAIN, VALID, tmp_path)
    assert len(history(tmp_path)) == 3
    assert json.loads((tmp_path / METRICS_FILE).read_text())["finished"]


def test_metrics_are_those_of_the_weights_that_are_kept(whole_run: Path) -> None:
    metrics = json.loads((whole_run / METRICS_FILE).read_text())
    assert metrics["epochs"] == 3
    assert metrics["valid"]["accuracy"] == pytest.approx(accuracy(load_fitted(whole_run), VALID))
    assert metrics["parameters"] == load_fitted(whole_run).count_params()
    assert 0 <= metrics["valid_ferplus_accuracy"] <= 1
    assert (whole_run / CURVES_FILE).read_bytes().startswith(b"\x89PNG")


def test_patience_ends_a_fit_early_and_for_good(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=30, patience=1)
    fit(recipe, TRAIN, VALID, tmp_path)
    epochs = len(history(tmp_path))
    assert epochs < 30
    assert json.loads((tmp_path / METRICS_FILE).read_text())["finished"]
    fit(recipe, TRAIN, VALID, tmp_path)
    assert len(history(tmp_path)) == epochs


def test_averaged_weights_are_what_is_judged_and_kept_also_after_a_resume(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=4, average=0.9)
    for folder, stop in (("whole", None), ("resumed", 2)):
        fit(recipe, TRAIN, VALID, tmp_path / folder, until=stop)
    fit(recipe, TRAIN, VALID, tmp_path / "resumed")
    whole, resumed = (load_fitted(tmp_path / folder) for folder in ("whole", "resumed"))
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-3)
    with h5py.File(tmp_path / "whole" / "checkpoint" / "latest.weights.h5") as file:
        trained = file["layers/conv2d/vars/0"][()]
    assert np.abs(trained - whole.weights[0].numpy()).max() > 1e-4


def test_a_fit_starts_from_the_weights_of_another_run(tmp_path: Path) -> None:
    fit(tiny_recipe(name="first", epochs=3), TRAIN, VALID, tmp_path / "first")
    recipe = tiny_recipe(epochs=1).model_copy(update={"start": "first"})
    fit(recipe, TRAIN, VALID, tmp_path / "second")
    assert float(history(tmp_path / "second")[0]["fer2013_accuracy"]) > 0.5
    wider = Convolutional(kind="convolutional", stages=((9,), (12,)))
    other = recipe.model_copy(update={"network": wider})
    with pytest.raises(RunError, match="weights of first do not fit"):
        fit(other, TRAIN, VALID, tmp_path / "third")
    unknown = recipe.model_copy(update={"start": "nobody"})
    with pytest.raises(RecipeError, match="No recipe 'nobody'"):
        fit(unknown, TRAIN, VALID, tmp_path / "fourth")
    never_fitted = recipe.model_copy(update={"start": "small_cnn"})
    with pytest.raises(MissingError, match="no weights of small_cnn"):
        fit(never_fitted, TRAIN, VALID, tmp_path / "fifth")


def test_a_narrower_network_starts_as_the_pruned_one(tmp_path: Path) -> None:
    fit(tiny_recipe(name="first", epochs=3), TRAIN, VALID, tmp_path / "first")
    recipe = tiny_recipe(epochs=1)
    still = recipe.schedule.model_copy(update={"learning_rate": 1e-9})
    narrower = Convolutional(kind="convolutional", stages=((7,), (10,)))
    pruned = recipe.model_copy(update={"start": "first", "schedule": still, "network": narrower})
    fit(pruned, TRAIN, VALID, tmp_path / "second")
    agreed = [load_fitted(tmp_path / name).predict(VALID.pixels, verbose=0)["fer2013"] for name in ("first", "second")]
    assert (agreed[0].argmax(axis=1) == agreed[1].argmax(axis=1)).mean() > 0.8
    one_head = pruned.model_copy(update={"loss": recipe.loss.model_copy(update={"ferplus_weight": 0})})
    with pytest.raises(RunError, match="weights of first do not fit"):
        fit(one_head, TRAIN, VALID, tmp_path / "third")


@pytest.mark.parametrize(("teaching_on", "variants"), [("faces", None), ("pictures", None), ("pictures", 2)])
def test_a_pupil_learns_what_its_teachers_say_rather_than_the_labels(
    tmp_path: Path, teaching_on: str, variants: int | None
) -> None:
    fit(tiny_recipe(name="teacher", epochs=4), TRAIN, VALID, tmp_path / "teacher")
    wrong = Faces(TRAIN.pixels, (TRAIN.labels + 1) % 7, TRAIN.votes)
    recipe = tiny_recipe(epochs=4)
    how = {"teachers": ("teacher",), "teaching": 1.0, "teaching_on": teaching_on}
    pupil = recipe.model_copy(update={"loss": recipe.loss.model_copy(update=how), "data": Data(variants=variants)})
    fit(pupil, wrong, VALID, tmp_path / "pupil")
    assert accuracy(load_fitted(tmp_path / "pupil"), VALID) > 0.6
    missing = pupil.model_copy(update={"loss": pupil.loss.model_copy(update={"teachers": ("small_cnn",)})})
    with pytest.raises(MissingError, match="no weights of small_cnn"):
        fit(missing, TRAIN, VALID, tmp_path / "other")


def test_votes_speak_for_the_label_that_goes_with_them() -> None:
    labels = np.arange(700, dtype=np.int64) % 7
    votes = np.zeros((700, 10), np.float32)
    votes[np.arange(700), (labels + 1) % 7] = 10  # FER+ has another order of columns
    votes[:7] = 0  # not tagged
    wrong = np.arange(700) % 10 == 9  # official labels that contradict the votes
    labels[wrong] = (labels[wrong] + 3) % 7
    faces = Faces(np.zeros((700, 48, 48), np.uint8), labels, votes)
    recipe = tiny_recipe()
    wanted = targets_of(faces, recipe, faces.class_counts)
    official = voted(wanted, faces, 0.5).targets["fer2013"]
    np.testing.assert_allclose(official.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(official[:7], wanted.targets["fer2013"][:7])
    tagged = np.arange(700) >= 7
    assert (official[np.arange(700), labels][tagged & ~wrong] > 0.9).all()
    assert (official[np.arange(700), labels][wrong & tagged] < 0.6).all()


@pytest.mark.parametrize(
    "schedule",
    [
        Exponential(kind="exponential", learning_rate=0.01, decay=0.5),
        Plateau(kind="plateau", learning_rate=0.01, factor=0.1, wait=1),
    ],
)
def test_every_schedule_learns(tmp_path: Path, schedule: Exponential | Plateau) -> None:
    recipe = tiny_recipe().model_copy(update={"schedule": schedule})
    fit(recipe, TRAIN, VALID, tmp_path)
    losses = [float(line["loss"]) for line in history(tmp_path)]
    assert losses[-1] < losses[0]


def test_a_full_disk_is_told_and_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=3)
    fit(recipe, TRAIN, VALID, tmp_path, until=1)
    best, size = (tmp_path / FITTED_WEIGHTS).read_bytes(), (tmp_path / FITTED_WEIGHTS).stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, before[1]))  # writing fails, as it does on a full disk
    try:
        with pytest.raises(RunError, match=r"disk full.*Whole epochs are kept"):
            fit(recipe, TRAIN, VALID, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / FITTED_WEIGHTS).read_bytes() == best
    fit(recipe, TRAIN, VALID, tmp_path)
    assert optimizer_steps(tmp_path) == 3 * 14


@pytest.mark.parametrize("content", [None, "{", '{"name": "tiny"}'])
def test_the_folder_of_another_recipe_is_refused(tmp_path: Path, content: str | None) -> None:
    other = json.dumps(tiny_recipe(epochs=9).model_dump()) if content is None else content
    (tmp_path / "recipe.json").write_text(other)
    with pytest.raises(RunError, match=f"{tmp_path} holds a run of another recipe"):
        fit(tiny_recipe(), TRAIN, VALID, tmp_path)


def test_a_run_that_was_never_fitted_is_answered_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="python -m training fit"):
        load_fitted(tmp_path / "tiny")


def test_faces_without_votes_fit_the_same_recipe(tmp_path: Path) -> None:
    without_votes = Faces(TRAIN.pixels[:70], TRAIN.labels[:70], None)
    fit(tiny_recipe(epochs=1), without_votes, VALID, tmp_path)
    assert set(load_fitted(tmp_path).output_names) == {"fer2013", "ferplus"}
    assert np.isfinite([float(figure) for figure in history(tmp_path)[0].values()]).all()


def test_rare_classes_weigh_more_and_weights_average_one() -> None:
    faces = Faces(TRAIN.pixels[:8], np.array([0, 0, 0, 0, 0, 0, 0, 1]), None)
    weights = targets_of(faces, tiny_recipe(), faces.class_counts).weights["fer2013"]
    assert weights[7] / weights[0] == pytest.approx(7**0.25)
    assert weights.mean() == pytest.approx(1)


def test_votes_become_shares_and_faces_without_votes_weigh_nothing() -> None:
    votes = np.zeros((2, 10), np.float32)
    votes[0, :3], votes[0, 8], votes[1, 9] = (6, 2, 1), 1, 10
    wanted = targets_of(Faces(TRAIN.pixels[:2], TRAIN.labels[:2], votes), tiny_recipe(), TRAIN.class_counts)
    assert wanted.targets["ferplus"][0].tolist() == [0.75, 0.25, 0, 0, 0, 0, 0, 0]
    assert wanted.weights["ferplus"].tolist() == [1, 0]


def seen_in_an_epoch(batches: Batches, epoch: int) -> NDArray[np.uint8]:
    batches.shuffle(epoch)
    return np.concatenate([batches[number][0] for number in range(len(batches))])


def test_every_epoch_has_every_face_once_in_an_order_of_its_own() -> None:
    recipe = tiny_recipe()
    batches = Batches(Epochs(TRAIN, targets_of(TRAIN, recipe, TRAIN.class_counts), recipe))
    first, second, first_again = (seen_in_an_epoch(batches, epoch) for epoch in (0, 1, 0))
    np.testing.assert_array_equal(first, first_again)
    assert (first != second).any()
    for seen in (first, second):
        assert sorted(face.tobytes() for face in seen) == sorted(face.tobytes() for face in TRAIN.pixels)


def test_a_balanced_epoch_shows_every_class_as_often() -> None:
    recipe = tiny_recipe().model_copy(update={"data": Data(balanced_to=140)})
    some = TRAIN[np.r_[0:14, 15, 22, 29]]
    batches = Batches(Epochs(some, targets_of(some, recipe, some.class_counts), recipe))
    targets = np.concatenate([batches[number][1]["fer2013"] for number in range(len(batches))])
    assert targets.sum(axis=0).tolist() == [20] * 7


def test_an_epoch_of_several_passes_shows_every_face_as_often() -> None:
    recipe = tiny_recipe().model_copy(update={"data": Data(repeats=3)})
    some = TRAIN[:70]
    seen = seen_in_an_epoch(Batches(Epochs(some, targets_of(some, recipe, some.class_counts), recipe)), 0)
    assert sorted(face.tobytes() for face in seen) == sorted(face.tobytes() for face in some.pixels for _ in range(3))


def test_batches_are_the_same_when_other_processes_make_them() -> None:
    recipe = tiny_recipe().model_copy(update={"augmentation": LIVELY})
    epochs = Epochs(TRAIN[:70], targets_of(TRAIN[:70], recipe, TRAIN.class_counts), recipe)
    here, elsewhere = Batches(epochs), Batches(epochs, processes=2)
    try:
        for epoch in (0, 1):
            np.testing.assert_array_equal(seen_in_an_epoch(here, epoch), seen_in_an_epoch(elsewhere, epoch))
    finally:
        elsewhere.close()


def test_registered_faces_are_seen_in_turn_with_the_raw_ones_where_they_were_found() -> None:
    recipe = tiny_recipe().model_copy(update={"batch_size": 210})
    found = np.arange(100) % 2 == 0
    crops = Registered(np.zeros((100, 48, 48), np.uint8), found, np.zeros((100, 4), np.float32))
    batches = Batches(Epochs(TRAIN, targets_of(TRAIN, recipe, TRAIN.class_counts), recipe, crops))
    for epoch in range(4):
        batches.shuffle(epoch)
        black = batches[0][0].max(axis=(1, 2)) == 0
        assert 10 < black.sum() < 45


def test_keras_sees_another_order_in_every_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    take = Batches.__getitem__

    def watched(self: Batches, number: int) -> tuple[NDArray[np.uint8], object, object]:
        batch = take(self, number)
        if number == len(self) - 1:
            seen.append(batch[0].tobytes())
        return batch

    monkeypatch.setattr(Batches, "__getitem__", watched)
    fit(tiny_recipe(epochs=3), TRAIN[:70], VALID, tmp_path)
    assert len(set(seen)) == 3


def test_ctrl_c_ends_with_one_sentence_and_the_run_can_go_on(tmp_path: Path) -> None:
    write_sheets(tmp_path / "data", easy_faces(300), in_turns(300))
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(json.dumps(tiny_recipe(epochs=9_999).model_dump(mode="json")))  # JSON is YAML
    command = [sys.executable, "-m", "training", "fit", str(recipe)]
    command += ["--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # a background job starts with it ignored
    )
    checkpoint = tmp_path / "runs" / "tiny" / "checkpoint" / "training_metadata.json"
    wait_until(lambda: checkpoint.exists() or process.poll() is not None, patience_s=TRAINING_PATIENCE_S)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=TRAINING_PATIENCE_S)
    assert process.returncode == 130, errors
    assert "Stopped. Whole epochs are kept" in output
    assert "Traceback" not in errors
    assert optimizer_steps(tmp_path / "runs" / "tiny") % 15 == 0


def test_other_processes_make_batches_only_where_there_are_many_and_cores_to_spare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert [spare_processes(batches) for batches in (14, 219, 2000)] == [0, 10, 14]
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert spare_processes(2000) == 0
