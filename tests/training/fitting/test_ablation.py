from pathlib import Path

import pytest
import yaml

import training.fitting.ablation
from training.fitting.ablation import load_ablation
from training.fitting.recipe import RecipeError


def test_each_recipe_differs_from_the_base_in_its_change_alone() -> None:
    ablation = load_ablation("champion")
    base, *changed = ablation.recipes()
    assert [recipe.name for recipe in changed] == list(ablation.changes)
    for recipe in changed:
        one, other = base.model_dump(), recipe.model_dump()
        parts = {part for part in one if one[part] != other[part]} - {"name"}
        assert parts == set(ablation.changes[recipe.name])
    erasing = next(recipe for recipe in changed if recipe.name == "erasing")
    assert erasing.augmentation.erase == 0.3
    assert erasing.augmentation.shift == base.augmentation.shift


def test_an_unknown_ablation_is_answered_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"'nope'.*champion"):
        load_ablation("nope")


@pytest.mark.parametrize("change", [{"epochs": 0}, {"loss": {"smoothness": 1}}])
def test_a_change_that_makes_no_recipe_is_named(
    change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load((training.fitting.ablation._FOLDER / "champion.yaml").read_text())
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content | {"changes": {"odd": change}}))
    monkeypatch.setattr(training.fitting.ablation, "_FOLDER", tmp_path)
    with pytest.raises(RecipeError, match="The change odd"):
        list(load_ablation("mine").recipes())


def test_a_file_that_is_no_ablation_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text("base: 3")
    monkeypatch.setattr(training.fitting.ablation, "_FOLDER", tmp_path)
    with pytest.raises(RecipeError, match=r"mine\.yaml is not an ablation"):
        load_ablation("mine")
