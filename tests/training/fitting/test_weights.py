import pytest

from training.fitting.networks import build
from training.fitting.recipe import Recipe, load_recipe
from training.fitting.targets import has_ferplus_head
from training.fitting.weights import read_weights


@pytest.mark.parametrize("name", ["face_d", "long_b", "lean_b", "mobile_a"])
def test_the_weights_that_other_recipes_start_from_or_are_taught_by_are_those_of_their_recipe(name: str) -> None:
    recipe = load_recipe(name)
    assert isinstance(recipe, Recipe)
    network = build(recipe, ferplus=has_ferplus_head(recipe), dtype="float32", fetch_weights=False)
    before = [weight.numpy().copy() for weight in network.weights]
    read_weights(network, name)
    assert all((new.numpy() != old).any() for old, new in zip(before, network.weights, strict=True))
