import numpy as np
import pytest

from recognizer.classification import MODEL_FOLDER, Classifier
from training.data import Faces
from training.guard import GUARD_FILE, Guard, GuardError

SHIPPED = (MODEL_FOLDER / GUARD_FILE).read_bytes()


def test_the_shipped_guard_is_of_the_shipped_model(faces: Faces) -> None:
    guard = Guard.read(SHIPPED)
    shown = Classifier.load().classify(faces.pixels)
    assert guard.labels.tolist() == faces.labels.tolist()
    assert np.abs(guard.probabilities - shown).max() < 1e-3
    assert guard.accuracy(None) == pytest.approx((shown.argmax(axis=1) == faces.labels).mean(), abs=1e-3)


def test_a_guard_comes_back_as_it_was() -> None:
    guard = Guard.read(SHIPPED)
    again = Guard.read(guard.to_bytes())
    assert np.abs(again.embeddings - guard.embeddings).max() < 0.01
    assert again.accuracy(None) == guard.accuracy(None)


@pytest.mark.parametrize("content", [None, b"", b"PK", SHIPPED[:5000]])
def test_a_damaged_guard_is_refused(content: bytes | None) -> None:
    with pytest.raises(GuardError, match="guard"):
        Guard.read(content)
