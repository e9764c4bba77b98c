from functools import partial, partialmethod
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import training.feedback.fine_tuning
import training.fitting.export
from db import Part
from recognizer.classification import MODEL_FOLDER, WEIGHTS_FILE, Classifier, ModelCard
from recognizer.packing import pack_folder, unpack
from recognizer.runtime import TfliteModel
from tests.training.faces import easy_faces, in_turns, write_sheets
from tests.training.recipes import tiny_recipe
from training.data import Faces, load
from training.feedback.candidates import Trunk
from training.feedback.fine_tuning import tuned_trunk
from training.feedback.lessons import Book
from training.fitting.export import AS_IT_IS, UNCALIBRATED, export
from training.fitting.fit import FITTED_WEIGHTS, RECIPE_FILE
from training.fitting.networks import build, with_embedding
from training.fitting.recipe import Recipe
from training.fitting.targets import has_ferplus_head
from training.fitting.weights import read_weights

SHIPPED = training.feedback.fine_tuning._recipes(MODEL_FOLDER)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sheets(tmp_path_factory.mktemp("data"), easy_faces(200), in_turns(200))


@pytest.fixture(scope="module")
def book() -> Book:
    return book_of(70)


def book_of(count: int) -> Book:
    faces, rows = easy_faces(count, seed=1), np.arange(count)
    labels = np.eye(7)[faces.labels]
    return Book(
        Part.LEARN,
        rows,
        faces.pixels,
        labels,
        np.ones(count),
        rows,
        np.ones(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two tiny networks that have learned nothing yet."""
    runs, folder, splits = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("model"), load(data)
    for seed, recipe in enumerate((tiny_recipe(name="one"), tiny_recipe(name="other", ferplus_weight=0))):
        run = runs / recipe.name
        run.mkdir()
        keras.utils.set_random_seed(seed)
        build(recipe, ferplus=has_ferplus_head(recipe)).save_weights(run / FITTED_WEIGHTS)
        (run / RECIPE_FILE).write_text(recipe.model_dump_json(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.fitting.export, "LEAST_AGREEMENT", 0.0)  # who knows nothing wavers
        export([runs / "one", runs / "other"], splits["train"], splits["valid"], folder)
    return folder


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """No graph is compiled, which takes longer than the few steps that would be run in it."""
    monkeypatch.setattr(keras.Model, "compile", partialmethod(keras.Model.compile, run_eagerly=True))


@pytest.fixture
def shipped(model: Path, monkeypatch: pytest.MonkeyPatch) -> Trunk:
    """The tiny model as the one that is shipped, and bold steps, of which few suffice."""
    monkeypatch.setattr(training.feedback.fine_tuning, "MODEL_FOLDER", model)
    monkeypatch.setattr(training.feedback.fine_tuning, "read_weights", partial(read_weights, folder=model))
    monkeypatch.setattr(training.feedback.fine_tuning, "LEARNING_RATE", 0.02)
    return Trunk.of(unpack(pack_folder(model)))


def shipped_network(recipe: Recipe) -> keras.Model:
    """In float32: with bfloat16 a few steps take minutes where the processor lacks it."""
    network = build(recipe, ferplus=has_ferplus_head(recipe), dtype="float32", fetch_weights=False)
    read_weights(network, recipe.name)
    return network


def likelihood(shown: NDArray[np.float32], book: Book) -> float:
    """The mean of the lessons' labels, in nats, where their faces are shown as `shown`, `(n, 7)`."""
    return float(np.log(np.clip((shown * book.labels).sum(axis=1), 1e-9, 1)).mean())


def shown_by(trunk: Trunk, book: Book) -> NDArray[np.float32]:
    return trunk.classifier().embed(book.crops)[0]


def test_a_trunk_is_tuned_towards_its_lessons_and_comes_with_all_that_is_served(
    data: Path, book: Book, shipped: Trunk
) -> None:
    told: list[tuple[str, float]] = []
    trunk = tuned_trunk(book, data, lambda step, share: told.append((step, share)))
    likely = likelihood(shown_by(trunk, book), book)
    assert likely > likelihood(shown_by(shipped, book), book) + 0.1
    assert trunk.guard.labels.tolist() == load(data)["valid"].labels.tolist()
    assert [share for _, share in told] == sorted(share for _, share in told)
    steps = [f"Fine-tuning network {number} of 2" for number in (1, 2)]
    assert list(dict.fromkeys(step for step, _ in told)) == [*steps, "Measuring the new network"]
    again = Trunk.of(unpack(trunk.packed("tuned", None)))
    assert likelihood(shown_by(again, book), book) == pytest.approx(likely)


def test_no_way_towards_the_tuned_weights_is_the_shipped_network(
    data: Path, book: Book, shipped: Trunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.feedback.fine_tuning, "WAY", 0.0)
    _, after = tuned_trunk(book, data, lambda *_: None).classifier().embed(book.crops)
    _, before = shipped.classifier().embed(book.crops)
    np.testing.assert_allclose(after, before, atol=0.02 * float(before.max()))


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bold steps on small batches of lessons, four of which show a direction."""
    monkeypatch.setattr(training.feedback.fine_tuning, "BATCH_SIZE", 16)
    monkeypatch.setattr(training.feedback.fine_tuning, "FEEDBACK_SHARE", 0.9)
    monkeypatch.setattr(training.feedback.fine_tuning, "LEARNING_RATE", 1e-3)


def tuned(recipe: Recipe, book: Book, base: Faces) -> keras.Model:
    telling = training.feedback.fine_tuning._Telling(lambda *_: None, "", 0, 1)
    return training.feedback.fine_tuning._tuned(recipe, book, base, telling)


@pytest.mark.parametrize("recipe", SHIPPED, ids=lambda recipe: recipe.name)
def test_each_shipped_network_moves_towards_the_lessons(recipe: Recipe, few_steps: None) -> None:
    few, exact = book_of(14), recipe.model_copy(update={"precision": "float32"})
    networks = (shipped_network(recipe), tuned(exact, few, easy_faces(4)))
    before, after = (likelihood(network(few.crops)["fer2013"].numpy(), few) for network in networks)
    assert after > before + 0.1


def test_a_network_is_tuned_in_the_precision_of_the_shipped_ones_and_comes_out_in_float32(
    model: Path, shipped: Trunk, few_steps: None
) -> None:
    recipe = tiny_recipe(name="one").model_copy(update={"precision": SHIPPED[0].precision})
    network = tuned(recipe, book_of(14), easy_faces(2))
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    start = build(recipe, ferplus=has_ferplus_head(recipe), dtype="float32")
    read_weights(start, "one", model)
    weights = zip(network.trainable_weights, start.trainable_weights, strict=True)
    assert all((new.numpy() != old.numpy()).any() for new, old in weights)


def test_the_shipped_networks_are_what_is_served(book: Book) -> None:
    network = with_embedding([shipped_network(recipe) for recipe in SHIPPED])
    served = Classifier(TfliteModel((MODEL_FOLDER / WEIGHTS_FILE).read_bytes()), ModelCard("", AS_IT_IS, UNCALIBRATED))
    shown, embeddings = served.embed(book.crops)
    said = network.predict(book.crops, verbose=0)
    assert np.corrcoef(embeddings.ravel(), said["embedding"].ravel())[0, 1] > 0.99  # int8 kernels differ
    assert (shown.argmax(axis=1) == said["fer2013"].argmax(axis=1)).mean() > 0.9
