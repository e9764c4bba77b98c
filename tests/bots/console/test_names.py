"""Names of the console's admins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console.names import MOST_NAME, NameRefusedError, cleaned, folded, unproven


@given(st.text(max_size=3 * MOST_NAME))
def test_a_name_that_is_taken_stays_as_it_is_and_none_looks_unproven(name: str) -> None:
    try:
        once = cleaned(name)
    except NameRefusedError:
        return
    assert cleaned(once) == once
    assert 0 < len(once) <= MOST_NAME
    with pytest.raises(NameRefusedError):
        cleaned(unproven(once))


@pytest.mark.parametrize("same", ["ZOË", "zoe\u0308", "\uff3aoë"])
def test_names_that_differ_only_in_case_or_form_are_the_same(same: str) -> None:
    assert folded(same) == folded("Zoë")
    assert folded(same) != folded("Zoe")
