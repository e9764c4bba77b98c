"""A recipe: everything that decides a training run, as data one can read (see `training/recipes/`)."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training import TrainingError

Fraction = Annotated[float, Field(ge=0, le=1)]

_MOST_STAGES = 6  # five max-pools leave one pixel of 48


class RecipeError(TrainingError):
    """The recipe cannot be used; the message names the key at fault."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(_Part):
    """A VGG-style stack: each stage is some 3x3 convolutions of one width, then a 2x2 max-pool."""

    widths: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1, max_length=_MOST_STAGES)]
    convolutions: tuple[Annotated[int, Field(gt=0)], ...]
    dropout: Fraction

    @model_validator(mode="after")
    def _a_number_of_convolutions_for_each_width(self) -> Self:
        if len(self.widths) != len(self.convolutions):
            raise ValueError(f"{len(self.widths)} widths and {len(self.convolutions)} convolutions; give one a stage")
        return self


class Augmentation(_Part):
    """Largest change of each kind, drawn uniformly; shift, zoom and stretch as a fraction of the face."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180)]
    shift: Fraction
    zoom: Fraction
    stretch: Fraction
    flip: bool
    brightness: Fraction
    contrast: Fraction
    erase: Fraction = Field(description="probability that a rectangle of the face is covered")


class Loss(_Part):
    """Cross-entropy on the official label, plus `ferplus_weight` times the one on the FER+ votes.

    class_weight_power: a face of a class with share p weighs p ** -power (rescaled to a mean of 1); 0 is unweighted.
    """

    label_smoothing: Fraction
    ferplus_weight: Annotated[float, Field(ge=0)]
    class_weight_power: Fraction


class Schedule(_Part):
    """AdamW with one cosine cycle: linear warm-up to the peak, then down to zero."""

    peak_learning_rate: Annotated[float, Field(gt=0)]
    warmup: Fraction
    weight_decay: Annotated[float, Field(ge=0)]


class Recipe(_Part):
    """A whole run. name: also names its folder and its exported model."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    seed: int
    precision: Literal["float32", "mixed_bfloat16"]
    epochs: Annotated[int, Field(gt=0)]
    batch_size: Annotated[int, Field(gt=0)]
    network: Network
    augmentation: Augmentation
    loss: Loss
    schedule: Schedule


def recipe_names() -> list[str]:
    """The recipes that come with the project."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe by the name of a shipped one, or from a YAML file. Raises `RecipeError`."""
    shipped = _FOLDER / f"{name_or_path}.yaml"
    path = shipped if shipped.is_file() else Path(name_or_path)
    if not path.is_file():
        raise RecipeError(f"No recipe {name_or_path!r}. Name a YAML file or one of: {', '.join(recipe_names())}.")
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not readable as YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"{path}: {faults}") from error


_FOLDER = Path(__file__).parent / "recipes"
