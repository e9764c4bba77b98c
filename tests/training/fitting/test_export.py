import json
from pathlib import Path

import numpy as np
import pytest

import training.fitting.export
from recognizer.classification import CARD_FILE, WEIGHTS_FILE, Classifier, ModelCard, calibrate
from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.fitting.export import AS_IT_IS, UNCALIBRATED, ExportError, choose_calibration, export, vector_scaling
from training.fitting.fit import fit, load_fitted
from training.fitting.networks import build
from training.fitting.weights import KEPT_FILE, read_weights

MOST_LABELS = 0.9
"""Share that two kinds of kernels give alike: a network that has learned for seconds wavers more than one to serve."""
TRAIN, VALID = easy_faces(210), easy_faces(70, seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    fit(tiny_recipe(epochs=5), TRAIN, VALID, folder)
    return folder


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.fitting.export, "LEAST_AGREEMENT", MOST_LABELS)
        export([run], TRAIN, VALID, folder)
    return folder


def test_int8_returns_the_labels_that_keras_returns(run: Path, model: Path) -> None:
    unseen = easy_faces(70, seed=2)
    floats = load_fitted(run).predict(unseen.pixels, verbose=0)["fer2013"]
    served = Classifier.load(model)
    single = Classifier(served._network, ModelCard("", AS_IT_IS, UNCALIBRATED))
    int8 = single.classify(unseen.pixels, "fer2013")
    assert (int8.argmax(axis=1) == floats.argmax(axis=1)).mean() >= MOST_LABELS
    np.testing.assert_allclose(int8, floats, atol=0.1)


def test_the_exported_model_reads_easy_faces_as_it_is_served(model: Path) -> None:
    shown = Classifier.load(model).classify(VALID.pixels)
    np.testing.assert_allclose(shown.sum(axis=1), 1, atol=1e-5)
    assert (shown.argmax(axis=1) == VALID.labels).mean() > 0.6


def test_the_card_names_the_recipe_and_the_weights(model: Path) -> None:
    facts = json.loads((model / CARD_FILE).read_text())
    version = Classifier.load(model).card.version
    assert version == f"tiny-{facts['weights_sha256'][:8]}"
    assert facts["members"][0]["recipe"]["epochs"] == 5
    assert facts["members"][0]["history"]["epoch"] == [0, 1, 2, 3, 4]
    assert facts["int8_against_float_on_valid"]["same_label"] >= MOST_LABELS


def test_weights_that_disagree_with_the_float_network_are_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.fitting.export, "LEAST_AGREEMENT", 1.01)
    with pytest.raises(ExportError, match="nothing was written"):
        export([run], TRAIN, VALID, tmp_path / "new")
    assert not (tmp_path / "new" / WEIGHTS_FILE).exists()


def test_a_run_without_weights_is_answered_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no fitted run"):
        export([tmp_path], TRAIN, VALID, tmp_path / "new")


def test_a_network_that_is_too_sure_is_cooled_down() -> None:
    labels = np.arange(700, dtype=np.int64) % 7
    guesses = np.where(np.arange(700) % 4 == 0, (labels + 1) % 7, labels)  # three of four right, all 0.99 confident
    probabilities = np.full((700, 7), 0.01 / 6, np.float32)
    probabilities[np.arange(700), guesses] = 0.99
    calibration = choose_calibration(probabilities, labels, np.full(7, 100))
    assert calibration.temperature > 1.3
    assert calibration.log_prior == (0.0,) * 7


def test_a_class_without_faces_has_a_finite_prior() -> None:
    labels = np.arange(70, dtype=np.int64) % 7
    counts = np.array([10, 0, 10, 10, 10, 10, 10])
    calibration = choose_calibration(np.eye(7, dtype=np.float32)[labels], labels, counts)
    assert np.isfinite(calibration.log_prior).all()


def test_votes_that_lean_to_the_neutral_face_are_brought_to_the_majority() -> None:
    random = np.random.default_rng(5)
    majority = random.integers(8, size=4000)
    said = np.eye(8)[majority] + random.normal(0, 0.35, (4000, 8))
    leaning = np.exp(said + 0.8 * np.eye(8)[0])
    votes = (leaning / leaning.sum(axis=1, keepdims=True)).astype(np.float32)
    fitted, unseen = slice(0, 2000), slice(2000, None)
    scaled = calibrate(votes[unseen], vector_scaling(votes[fitted], majority[fitted]))
    right = (scaled.argmax(axis=1) == majority[unseen]).mean()
    assert right > (votes[unseen].argmax(axis=1) == majority[unseen]).mean() + 0.05
    assert abs(right - scaled.max(axis=1).mean()) < 0.03  # confidence equals accuracy


def test_two_runs_are_served_as_the_mean_of_both(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.fitting.export, "LEAST_AGREEMENT", MOST_LABELS)
    other = tmp_path / "other"
    fit(tiny_recipe(name="other", epochs=2), TRAIN, VALID, other)
    card = export([run, other], TRAIN, VALID, tmp_path / "both")
    facts = json.loads((tmp_path / "both" / CARD_FILE).read_text())
    assert [member["recipe"]["name"] for member in facts["members"]] == ["tiny", "other"]
    members = [load_fitted(each).predict(VALID.pixels, verbose=0) for each in (run, other)]
    served = Classifier.load(tmp_path / "both")
    plain = Classifier(served._network, ModelCard(card.version, AS_IT_IS, UNCALIBRATED))
    for head in ("fer2013", "ferplus"):
        mean = (members[0][head] + members[1][head]) / 2
        np.testing.assert_allclose(plain.classify(VALID.pixels, head), mean, atol=0.1)


def test_a_later_fit_can_start_from_what_was_kept_with_the_model(run: Path, model: Path) -> None:
    network = build(tiny_recipe(), ferplus=True, dtype="float32")
    read_weights(network, "tiny", model)
    for kept, fitted in zip(network.weights, load_fitted(run).weights, strict=True):
        np.testing.assert_allclose(kept.numpy(), fitted.numpy(), rtol=1e-3, atol=1e-6)
    with pytest.raises(MissingError, match="fit it first"):
        read_weights(network, "nobody", model)
    (model / KEPT_FILE).write_bytes((model / KEPT_FILE).read_bytes()[:300])
    with pytest.raises(MissingError, match="damaged"):
        read_weights(network, "tiny", model)
