import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from recognizer import EMOTIONS
from training.evaluation import calibration_error, draw, reliability, score


def sure_of(guesses: list[int], confidence: float) -> NDArray[np.float32]:
    """Return rows with `confidence` in one class and the rest spread over the others."""
    rows = np.full((len(guesses), 7), (1 - confidence) / 6, np.float32)
    rows[np.arange(len(guesses)), guesses] = confidence
    return rows


def labels_of(*labels: int) -> NDArray[np.int64]:
    return np.array(labels, dtype=np.int64)


def test_three_of_four_right() -> None:
    scores = score(sure_of([0, 0, 1, 1], 0.7), labels_of(0, 0, 0, 1))
    assert scores.n == 4
    assert scores.accuracy == 0.75
    assert scores.precision[:2] == (1.0, 0.5)
    assert scores.recall[:2] == pytest.approx((2 / 3, 1.0))
    assert scores.f1[:2] == pytest.approx((0.8, 2 / 3))
    assert scores.macro_recall == pytest.approx((2 / 3 + 1) / 7)  # classes without a face count as 0
    assert scores.macro_f1 == pytest.approx((0.8 + 2 / 3) / 7)


def test_a_row_of_the_confusion_matrix_is_a_true_class() -> None:
    confusion = np.array(score(sure_of([6, 6, 1], 0.9), labels_of(3, 3, 1)).confusion)
    expected = np.zeros((7, 7), int)
    expected[3, 6], expected[1, 1] = 2, 1
    np.testing.assert_array_equal(confusion, expected)


def test_calibration_error_of_seven_tenths_sure_and_three_quarters_right() -> None:
    assert calibration_error(sure_of([0, 0, 0, 0], 0.7), labels_of(0, 0, 0, 1)) == pytest.approx(0.05, abs=1e-6)


def test_calibration_error_weighs_bins_by_their_faces() -> None:
    probabilities = np.concatenate([sure_of([0, 0, 0], 0.9), sure_of([0], 0.5)])
    # three faces 0.9 sure and all right, one 0.5 sure and wrong
    assert calibration_error(probabilities, labels_of(0, 0, 0, 1)) == pytest.approx(0.75 * 0.1 + 0.25 * 0.5, abs=1e-6)


def test_entirely_sure_and_right_is_perfectly_calibrated() -> None:
    scores = score(sure_of([0, 1, 2], 1.0), labels_of(0, 1, 2))
    assert scores.calibration_error == 0
    assert scores.nll == 0


def test_likelihood_is_in_nats_and_never_infinite() -> None:
    assert score(sure_of([0], 0.5), labels_of(0)).nll == pytest.approx(math.log(2))
    assert score(sure_of([0], 1.0), labels_of(1)).nll == pytest.approx(-math.log(1e-12))


@settings(max_examples=40)
@given(logits=hnp.arrays(np.float32, (30, 7), elements=st.floats(-8, 8, width=32)), seed=st.integers(0, 99))
def test_every_figure_agrees_with_the_confusion_matrix(logits: NDArray[np.float32], seed: int) -> None:
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.random.default_rng(seed).integers(0, 7, 30)
    scores = score(probabilities, labels)
    confusion = np.array(scores.confusion)
    assert confusion.sum() == scores.n == 30
    assert scores.accuracy == pytest.approx(np.trace(confusion) / 30)
    np.testing.assert_array_equal(confusion.sum(axis=1), np.bincount(labels, minlength=7))
    np.testing.assert_allclose(scores.recall, np.diag(confusion) / np.maximum(confusion.sum(axis=1), 1))
    np.testing.assert_allclose(scores.precision, np.diag(confusion) / np.maximum(confusion.sum(axis=0), 1))
    assert 0 <= scores.calibration_error <= 1
    bins = reliability(probabilities, labels)
    assert sum(share for share, _, _ in bins) == pytest.approx(1)
    assert sum(share * right for share, right, _ in bins) == pytest.approx(scores.accuracy)


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw(sure_of([0, 1, 2], 0.8), labels_of(0, 1, 3), EMOTIONS, "three faces", tmp_path / "three.png")
    assert (tmp_path / "three.png").read_bytes().startswith(b"\x89PNG")
