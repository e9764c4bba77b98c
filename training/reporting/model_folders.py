"""Find a model by its version, in the served folder and in the runs."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from recognizer.classification import CARD_FILE
from training import TrainingError
from training.fitting.recipe import load_recipe, recipe_names


class UnknownVersionError(TrainingError):
    """No model has this version; the message lists the existing ones."""


class Member(BaseModel):
    """One trained network of a model, as described by its model card.

    recipe: empty if the card has none. history: a list for each column, one value for each epoch; empty if not stored.
    """

    recipe: dict[str, object] = {}
    history: dict[str, list[float | None]] = {}

    @property
    def name(self) -> str:
        """Return the recipe's name."""
        return str(self.recipe.get("name", "unnamed"))

    @property
    def knew_faces(self) -> tuple[str, ...]:
        """Return the names of the recipes that were initialised from a face recognition network: of its own, and of the
        shipped ones that it started from or was taught by, and so on.
        """
        met, left = {self.name: self.recipe}, [self.recipe]
        while left:
            for name in _origins(left.pop()):
                if name in recipe_names() and name not in met:
                    met[name] = load_recipe(name).model_dump(mode="json")
                    left.append(met[name])
        return tuple(name for name, recipe in met.items() if _part(recipe, "network").get("weights") == "identities")


class _Serving(BaseModel):
    version: str


class _Card(BaseModel):
    serving: _Serving
    members: list[Member] = []
    recipe: dict[str, object] | None = None  # in cards written before a model could have several members


@dataclass(frozen=True)
class FoundModel:
    """A model folder and the training history in its card."""

    folder: Path
    version: str
    members: tuple[Member, ...]

    @property
    def knew_faces(self) -> tuple[str, ...]:
        """Return the names in `Member.knew_faces` of all members, each once."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.knew_faces))

    @property
    def megabytes(self) -> float:
        """Return the size of its networks on disk, in millions of bytes."""
        return sum(path.stat().st_size for path in self.folder.glob("*.tflite")) / 1e6


def _origins(recipe: dict[str, object]) -> list[object]:
    teachers = _part(recipe, "loss").get("teachers")
    return [recipe.get("start"), *(teachers if isinstance(teachers, list) else [])]


def _part(recipe: dict[str, object], name: str) -> dict[str, object]:
    part = recipe.get(name)
    return part if isinstance(part, dict) else {}


def find_model(version: str, served: Path, runs: Path) -> FoundModel:
    """Return the model of this version in the folder `served` or a folder of `runs`. Raise `UnknownVersionError`."""
    folders = [served, *sorted(path.parent for path in runs.glob(f"*/{CARD_FILE}"))]
    models = [model for folder in folders if (model := _read(folder)) is not None]
    for model in models:
        if model.version == version:
            return model
    there = ", ".join(sorted({model.version for model in models})) or "none"
    raise UnknownVersionError(f"No model has the version {version!r} in {served} or {runs}/*. There are: {there}.")


def _read(folder: Path) -> FoundModel | None:
    try:
        card = _Card.model_validate_json((folder / CARD_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    old = [Member(recipe=card.recipe)] if card.recipe is not None else []
    return FoundModel(folder, card.serving.version, tuple(card.members or old))
