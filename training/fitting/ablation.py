"""Measure what single changes to a recipe gain or cost on `valid`: `python -m training ablate`, for docs/results.md."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.fitting.recipe import Name, Recipe, RecipeError

_FOLDER = Path(str(files("training") / "ablations"))


class Ablation(BaseModel):
    """A recipe and named changes to it; each change is the part of the recipe that it replaces."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: Recipe
    changes: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]

    def recipes(self) -> Iterator[Recipe]:
        """Yield the base, then the recipe of each change, named like it. Raise `RecipeError` if one is invalid."""
        yield self.base
        for name, change in self.changes.items():
            try:
                yield Recipe.model_validate(_changed(self.base.model_dump(), change | {"name": name}))
            except ValidationError as error:
                raise RecipeError(f"The change {name} does not make a recipe: {error}") from error


def load_ablation(name: str) -> Ablation:
    """Read a shipped ablation. Raise `RecipeError`."""
    path = _FOLDER / f"{name}.yaml"
    try:
        return Ablation.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(sorted(each.stem for each in _FOLDER.glob("*.yaml")))
        raise RecipeError(f"No ablation {name!r}. There are: {known}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        raise RecipeError(f"{path} is not an ablation: {error}") from error


def _changed(whole: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    changed = dict(whole)
    for key, value in change.items():
        old = whole.get(key)
        changed[key] = _changed(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return changed
