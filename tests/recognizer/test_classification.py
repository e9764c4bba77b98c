"""The shipped classifier, and damaged model files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from recognizer import EMOTIONS, ModelError, Recognizer
from recognizer.checksums import SUMS_FILE
from recognizer.classification import CARD_FILE, MODEL_FOLDER, WEIGHTS_FILE, Classifier
from tests.conftest import OTHER_KERNELS
from training.data import Faces


def test_probabilities_sum_to_one_for_both_heads(recognizer: Recognizer) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (20, 48, 48)).astype(np.uint8)
    for shown in (recognizer.classify(faces), recognizer.classify(faces, head="fer2013")):
        assert shown.shape == (20, len(EMOTIONS))
        assert np.allclose(shown.sum(axis=1), 1, atol=1e-5)


def test_no_faces_give_no_rows(recognizer: Recognizer) -> None:
    assert recognizer.classify(np.empty((0, 48, 48), np.uint8)).shape == (0, 7)
    assert recognizer.classifier.classify_framings(np.empty((0, 2, 48, 48), np.uint8)).shape == (0, 7)


def test_looks_at_a_face_are_averaged(recognizer: Recognizer) -> None:
    framings = np.random.default_rng(2).integers(0, 256, (5, 2, 48, 48)).astype(np.uint8)
    one, other = (recognizer.classify(np.ascontiguousarray(framings[:, place])) for place in range(2))
    assert np.allclose(recognizer.classifier.classify_framings(framings), (one + other) / 2, atol=OTHER_KERNELS)


def test_a_face_is_read_alike_alone_and_in_company(recognizer: Recognizer) -> None:
    faces = np.random.default_rng(1).integers(0, 256, (33, 48, 48)).astype(np.uint8)
    alone = np.concatenate([recognizer.classify(face[None]) for face in faces])
    assert np.allclose(recognizer.classify(faces), alone, atol=OTHER_KERNELS)


def test_a_mirrored_face_is_read_alike(recognizer: Recognizer, faces: Faces) -> None:
    some = faces.pixels[:200]
    as_is, mirrored = recognizer.classify(some), recognizer.classify(some[:, :, ::-1])
    assert (as_is.argmax(axis=1) == mirrored.argmax(axis=1)).mean() > 0.9
    assert np.abs(as_is - mirrored).mean() < 0.03


@pytest.mark.parametrize("shape", [(48, 48), (1, 47, 48), (1, 48, 48, 1)])
def test_other_shapes_are_refused(recognizer: Recognizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="faces must be uint8"):
        recognizer.classify(np.zeros(shape, np.uint8))


def test_most_valid_faces_get_their_label(recognizer: Recognizer, faces: Faces) -> None:
    guesses = recognizer.classify(faces.pixels[:600], head="fer2013").argmax(axis=1)
    assert (guesses == faces.labels[:600]).mean() > 0.65


@pytest.mark.parametrize("damage", ["no card", "no weights", "broken weights", "odd temperature"])
def test_a_damaged_model_folder_says_so(tmp_path: Path, damage: str) -> None:
    shutil.copytree(MODEL_FOLDER, tmp_path / "model", ignore=shutil.ignore_patterns(SUMS_FILE))
    card, weights = tmp_path / "model" / CARD_FILE, tmp_path / "model" / WEIGHTS_FILE
    if damage == "no card":
        card.unlink()
    elif damage == "no weights":
        weights.unlink()
    elif damage == "broken weights":
        weights.write_bytes(b"no model")
    else:
        facts = json.loads(card.read_text())
        facts["serving"]["shown"]["temperature"] = 0
        card.write_text(json.dumps(facts))
    with pytest.raises(ModelError, match="restore the model folder"):
        Classifier.load(tmp_path / "model")
