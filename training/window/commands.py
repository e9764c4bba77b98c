"""The commands that the console's training window starts; each writes what it found to a JSON file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recognizer.classification import MODEL_FOLDER
from training.data import default_folder, load
from training.window import facts
from training.window.intake import take_in

window = typer.Typer()

_DataOption = Annotated[
    Path | None, typer.Option("--data", help="Shared sheets, the Kaggle CSV, or train|test/<class>/ folders.")
]
_JsonOption = Annotated[Path, typer.Option("--json", help="The file to write.")]


@window.command("recipes")
def recipes_command(
    json: _JsonOption,
    own: Annotated[Path | None, typer.Option(help="Folder with YAML files of your own.")] = None,
) -> None:
    """Write which recipes there are, and whether the base data is on this machine."""
    listed = [asdict(each) for each in facts.recipes(own)]
    facts.write({"recipes": listed, "base_data_problem": facts.base_data_problem()}, json)


@window.command("take-in")
def take_in_command(
    upload: Annotated[Path, typer.Argument(help="A .zip with folders or a CSV, or a .csv; it is deleted in any case.")],
    folder: Annotated[Path, typer.Argument(help="Where the data set belongs; it must not be there yet.")],
) -> None:
    """Unpack and check an uploaded data set, and delete the upload."""
    try:
        typer.echo(f"{folder.name} has {take_in(upload, folder):,} faces.")
    finally:
        upload.unlink(missing_ok=True)


@window.command()
def examine(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe, or a YAML file.")],
    json: _JsonOption,
    data: _DataOption = None,
) -> None:
    """Write the faces per class of a data set, and samples of it as the recipe augments them."""
    facts.write(facts.data_facts(load(data or default_folder()), facts.network_recipe(recipe)), json)


@window.command()
def look(
    run: Annotated[Path, typer.Argument(help="Folder of a fitted run.")],
    json: _JsonOption,
    data: _DataOption = None,
) -> None:
    """Write how a fitted run reads valid: scores, confusion matrix, and the faces it is surest of, right and wrong."""
    from training.fitting.fit import load_fitted  # noqa: PLC0415  # TensorFlow takes seconds to import

    valid = load(data or default_folder())["valid"]
    said = load_fitted(run).predict(valid.pixels, batch_size=256, verbose=0)
    facts.write(facts.run_facts(said["fer2013"], valid), json)


@window.command("compare-models")
def compare_models(
    model: Annotated[Path, typer.Argument(help="Folder of an exported model.")],
    json: _JsonOption,
    served: Annotated[Path, typer.Option(help="Folder of the model to compare it with.")] = MODEL_FOLDER,
    data: _DataOption = None,
) -> None:
    """Write how an exported model reads valid beside the served one, as the bot would show it."""
    facts.write(facts.comparison_facts(model, served, load(data or default_folder())["valid"]), json)
