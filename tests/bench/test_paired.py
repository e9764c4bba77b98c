import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.bench.paired import difference

_PAIRS = hnp.arrays(bool, hnp.array_shapes(min_dims=1, max_dims=1, min_side=1, max_side=50).map(lambda s: (2, *s)))


def test_ten_gained_and_five_lost_of_a_hundred() -> None:
    one, other = np.zeros(100, bool), np.zeros(100, bool)
    one[:10], other[10:15] = True, True
    found = difference(one, other)
    assert found.points == pytest.approx(5)
    assert (found.low, found.high) == pytest.approx((-2.96, 12.77), abs=0.01)  # by hand: 4.90 -+ 1.96 * 4.013
    assert str(found) == "+5.0 (-3.0 to +12.8)"


@given(_PAIRS)
def test_the_other_way_round_is_the_opposite(pair: NDArray[np.bool_]) -> None:
    there, back = difference(pair[0], pair[1]), difference(pair[1], pair[0])
    assert (there.points, there.low, there.high) == pytest.approx((-back.points, -back.high, -back.low))
