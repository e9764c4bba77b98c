"""Comparing runs: alone, and as the mean of several."""

import math
from pathlib import Path

import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.fitting.fit import fit
from training.reporting.comparison import Compared, compare, table

VALID = easy_faces(70, seed=1)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    fit(tiny_recipe(epochs=5), easy_faces(210), VALID, folder / "tiny")
    fit(tiny_recipe(name="blank", epochs=1, ferplus_weight=0), easy_faces(210), VALID, folder / "blank")
    return folder


@pytest.fixture(scope="module")
def compared(runs: Path) -> list[Compared]:
    return compare([[runs / "tiny"], [runs / "blank"], [runs / "tiny", runs / "blank"]], VALID, runs)


def test_runs_are_judged_alone_and_together(compared: list[Compared]) -> None:
    tiny, blank, both = compared
    assert [each.name for each in compared] == ["tiny", "blank", "tiny+blank"]
    assert tiny.one > 0.6
    assert tiny.nll < both.nll < blank.nll
    assert all(0 <= share <= 1 for share in (tiny.both, tiny.six, tiny.macro_f1, tiny.worst_recall, tiny.ferplus))


def test_a_head_that_one_of_them_lacks_is_left_out(compared: list[Compared]) -> None:
    assert [math.isnan(each.ferplus) for each in compared] == [False, True, True]


def test_the_table_has_a_line_for_each(compared: list[Compared]) -> None:
    assert [line.split("`")[1] for line in table(compared).splitlines()[2:]] == ["tiny", "blank", "tiny+blank"]


def test_a_run_that_is_not_there_is_named_before_anything_is_evaluated(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("registered", "load_fitted"):
        monkeypatch.setattr(f"training.reporting.comparison.{name}", lambda *_: pytest.fail("it went to work"))
    with pytest.raises(MissingError, match="none"):
        compare([[runs / "tiny"], [runs / "blank", runs / "none"]], VALID, runs)
