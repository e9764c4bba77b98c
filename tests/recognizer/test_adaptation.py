import numpy as np
import pytest

from recognizer.adaptation import Adaptation

RANDOM = np.random.default_rng(3)
LEARNED = Adaptation(
    RANDOM.normal(size=(5, 7)).astype(np.float32),
    RANDOM.normal(size=7).astype(np.float32),
    np.array([8, 0, 0, 0, 0], np.float32),
    -4.0,
)
EVEN = np.full((2, 7), 1 / 7, np.float32)
INSIDE, OUTSIDE = np.eye(5, dtype=np.float32)[:1] * 3, -np.eye(5, dtype=np.float32)[:1] * 3


def test_a_face_outside_of_the_gate_is_read_as_before() -> None:
    assert np.allclose(LEARNED.apply(EVEN[:1], OUTSIDE), EVEN[:1], atol=1e-4)


def test_a_face_inside_of_the_gate_is_read_as_was_learned() -> None:
    said = LEARNED.apply(EVEN[:1], INSIDE)
    assert said.sum() == pytest.approx(1, abs=1e-5)
    assert int(said.argmax()) == int((INSIDE @ LEARNED.weights + LEARNED.bias).argmax())


def test_it_comes_back_from_a_card_as_it_was() -> None:
    again = Adaptation.of(LEARNED.to_card())
    seen = RANDOM.normal(size=(2, 5)).astype(np.float32)
    assert np.allclose(again.apply(EVEN, seen), LEARNED.apply(EVEN, seen), atol=1e-4)


@pytest.mark.parametrize(
    "fault", [{"weights": [[1.0] * 7]}, {"bias": [0.0] * 6}, {"gate": [float("nan")] * 5}, {"gate_bias": "open"}]
)
def test_a_damaged_card_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Adaptation.of(LEARNED.to_card() | fault)
