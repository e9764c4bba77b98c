import numpy as np
import pytest

from recognizer.classification import MODEL_FOLDER, Classifier
from training.data import Faces
from training.guard import GUARD_FILE, Guard, GuardError

SHIPPED = (MODEL_FOLDER / GUARD_FILE).read_bytes()
SOME = slice(None, None, 7)
"""Every seventh face; all 3,589 take minutes on a slow processor."""
LIKENESS = 0.0015
"""Mean difference of probabilities. With the int8 kernels of another processor it is 0.0002, and the largest 0.004; it
would be 0.00125 if each of them moved by anything up to 0.004.
"""


def test_the_shipped_guard_is_of_the_shipped_model(faces: Faces) -> None:
    guard, shown = Guard.read(SHIPPED), Classifier.load().classify(faces.pixels[SOME])
    assert guard.labels.tolist() == faces.labels.tolist()
    assert guard.probabilities.shape == (len(faces), 7)
    held = guard.probabilities[SOME]
    assert (held.argmax(axis=1) == shown.argmax(axis=1)).mean() > 0.98  # other kernels decide near ties otherwise
    assert np.abs(held - shown).mean() < LIKENESS
    right = (shown.argmax(axis=1) == faces.labels[SOME]).mean()
    assert (held.argmax(axis=1) == faces.labels[SOME]).mean() == pytest.approx(right, abs=0.01)


def test_the_guard_of_the_same_network_with_another_calibration_would_be_noticed(faces: Faces) -> None:
    few = slice(None, None, 49)
    other = Classifier.load().classify(faces.pixels[few], "fer2013")
    assert np.abs(Guard.read(SHIPPED).probabilities[few] - other).mean() > 2 * LIKENESS


def test_a_guard_comes_back_as_it_was() -> None:
    guard = Guard.read(SHIPPED)
    again = Guard.read(guard.to_bytes())
    assert np.abs(again.embeddings - guard.embeddings).max() < 0.01
    assert again.accuracy(None) == guard.accuracy(None)


@pytest.mark.parametrize("content", [None, b"", b"PK", SHIPPED[:5000]])
def test_a_damaged_guard_is_refused(content: bytes | None) -> None:
    with pytest.raises(GuardError, match="guard"):
        Guard.read(content)
