from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.recipes import tiny_recipe
from training.fitting.recipe import Recipe, RecipeError, load_recipe, recipe_names

NETWORK = {"kind": "convolutional", "stages": [[8], [8]]}
FACE_RESIDUAL = {"kind": "face_resnet", "side": 96, "weights": "identities"}


def write(folder: Path, **changes: object) -> str:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(tiny_recipe().model_dump(mode="json") | changes))
    return str(path)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_loads_and_is_named_like_its_file(name: str) -> None:
    assert load_recipe(name).name == name


def test_a_recipe_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path)) == tiny_recipe()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"'nope'.*vgg_small"):
        load_recipe("nope")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": 10**6}, "epochs"),
        ({"precision": "float8"}, "precision"),
        ({"colour": "green"}, "colour"),
        ({"name": "../elsewhere"}, "name"),
        ({"network": NETWORK | {"widths": [8]}}, "network.convolutional.widths"),
        ({"network": NETWORK | {"kind": "transformer"}}, "network: .*resnet18"),
        ({"network": NETWORK | {"stages": [[8] for _ in range(7)]}}, "network.convolutional.stages"),
        ({"network": NETWORK | {"stages": []}}, "network.convolutional.stages"),
        ({"network": NETWORK | {"stages": [[]]}}, "network.convolutional.stages.0"),
        ({"network": NETWORK | {"stages": [[8, 8] for _ in range(6)], "padding": "valid"}}, "no pixel of 48"),
        ({"network": NETWORK | {"dropout": 1.5}}, "network.convolutional.dropout"),
        ({"network": FACE_RESIDUAL | {"inner": [24] * 13}}, "name the wider one as start"),
        ({"network": FACE_RESIDUAL | {"inner": [24] * 12}, "start": "face_d"}, "inner needs 13 widths"),
        ({"data": {"variants": 3}}, "data.variants is for teachers"),
        ({"data": {"variants": 3}, "loss": {"teachers": ["long_b"]}}, "data.variants is for teachers"),
        (
            {
                "data": {"variants": 3},
                "loss": {"teachers": ["long_b"], "teaching_on": "pictures", "teaching": 0.9},
                "augmentation": {"cutmix": 0.5},
            },
            "mixed variants have no label; set teaching: 1",
        ),
        (
            {
                "loss": {"teachers": ["long_b"], "teaching_on": "pictures", "teaching": 0.9},
                "schedule": tiny_recipe().schedule.model_dump(mode="json") | {"sharpness": {"radius": 0.05}},
            },
            "schedule.sharpness with teaching_on: pictures needs data.variants",
        ),
        ({"augmentation": {"sharpen": 1}}, "augmentation.sharpen"),
        ({"schedule": {"kind": "plateau", "learning_rate": 0.1}}, "schedule.plateau.factor"),
        ({"kind": "svm"}, "search_faces: Field required"),
    ],
)
def test_the_key_at_fault_is_named(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    with pytest.raises(RecipeError, match=rf"mine\.yaml: .*{key}"):
        load_recipe(write(tmp_path, **changes))


@pytest.mark.parametrize(
    "content",
    [
        "[" * 3000,
        "name: 2001-99-99",
        "seed: 0x_",
        f"seed: {'9' * 5000}",
        "a: !!int ''",
        "a: !!bool x",
        "a: &b [1]\nc: *b",
    ],
)
def test_what_no_parser_bears_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "junk.yaml").write_text(content)
    with pytest.raises(RecipeError, match=r"junk\.yaml is not readable as YAML: "):
        load_recipe(str(tmp_path / "junk.yaml"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_other_file_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"junk\.yaml"):
        load_recipe(str(path))


def test_a_recipe_survives_being_written_and_read() -> None:
    assert Recipe.model_validate_json(tiny_recipe().model_dump_json()) == tiny_recipe()
