import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.intervals import MeasuredShare, macro_f1_interval


def test_wilsons_interval_of_eight_in_ten() -> None:
    share = MeasuredShare(8, 10)
    assert share.value == 0.8
    assert (share.low, share.high) == pytest.approx((0.490, 0.943), abs=1e-3)


@given(n=st.integers(1, 5000), part=st.floats(0, 1))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(n: int, part: float) -> None:
    share = MeasuredShare(round(n * part), n)
    assert 0 <= share.low <= share.value + 1e-12
    assert share.value - 1e-12 <= share.high <= 1


def test_no_face_says_nothing() -> None:
    assert (MeasuredShare(0, 0).value, MeasuredShare(0, 0).low, MeasuredShare(0, 0).high) == (0, 0, 1)


def test_macro_f1_of_a_perfect_reading_has_no_doubt() -> None:
    perfect = ((50, 0), (0, 50))
    assert macro_f1_interval(perfect, np.random.default_rng(0)) == (1, 1)


def test_macro_f1_is_surer_with_more_faces() -> None:
    few, many = (((8 * k, 2 * k), (3 * k, 7 * k)) for k in (1, 100))
    (low, high), (lower, higher) = (macro_f1_interval(each, np.random.default_rng(0)) for each in (few, many))
    assert low < lower < 0.7494 < higher < high  # 0.7494 is the macro-F1 of both
