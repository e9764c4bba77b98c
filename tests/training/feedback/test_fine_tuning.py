from pathlib import Path

import numpy as np
import pytest

import training.feedback.fine_tuning
from db import Part
from recognizer.classification import MODEL_FOLDER
from recognizer.packing import pack_folder, unpack
from tests.training.faces import easy_faces, in_turns, write_sheets
from training.data import load
from training.feedback.candidates import Trunk
from training.feedback.fine_tuning import tuned_trunk
from training.feedback.lessons import Book


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_sheets(tmp_path, easy_faces(200), in_turns(200))


@pytest.fixture
def book() -> Book:
    faces = easy_faces(70, seed=1)
    rows = np.arange(70)
    labels = np.eye(7)[faces.labels]
    return Book(Part.LEARN, rows, faces.pixels, labels, np.ones(70), rows, np.ones(70, dtype=bool))


def likelihood(trunk: Trunk, book: Book) -> float:
    """Return the mean log-likelihood of the lessons' labels under the network, in nats."""
    shown, _ = trunk.classifier().embed(book.crops)
    return float(np.log(np.clip((shown * book.labels).sum(axis=1), 1e-9, 1)).mean())


def test_a_trunk_is_tuned_towards_its_lessons_and_comes_with_all_that_is_served(data: Path, book: Book) -> None:
    told: list[tuple[str, float]] = []
    trunk = tuned_trunk(book, data, lambda step, share: told.append((step, share)))
    shipped = Trunk.of(unpack(pack_folder(MODEL_FOLDER)))
    assert likelihood(trunk, book) > likelihood(shipped, book) + 0.1
    assert trunk.guard.labels.tolist() == load(data)["valid"].labels.tolist()
    assert [share for _, share in told] == sorted(share for _, share in told)
    count = len(training.feedback.fine_tuning._recipes(MODEL_FOLDER))
    steps = [f"Fine-tuning network {number} of {count}" for number in range(1, count + 1)]
    assert list(dict.fromkeys(step for step, _ in told)) == [*steps, "Measuring the new network"]
    assert likelihood(Trunk.of(unpack(trunk.packed("tuned", None))), book) == pytest.approx(likelihood(trunk, book))


def test_no_way_towards_the_tuned_weights_is_the_shipped_network(
    data: Path, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = training.feedback.fine_tuning._recipes(MODEL_FOLDER)
    monkeypatch.setattr(training.feedback.fine_tuning, "_recipes", lambda _: [first])
    monkeypatch.setattr(training.feedback.fine_tuning, "WAY", 0.0)
    _, after = tuned_trunk(book, data, lambda *_: None).classifier().embed(book.crops)
    _, before = Trunk.of(unpack(pack_folder(MODEL_FOLDER))).classifier().embed(book.crops)
    np.testing.assert_allclose(after, before[:, : after.shape[1]], atol=0.02 * float(before.max()))
