"""Compare every run with the published result of the same system: `python -m training results`, for docs/results.md."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.fitting.recipe import AnyRecipe, SvmRecipe, load_recipe, recipe_names


@dataclass(frozen=True)
class Result:
    """A recipe and the content of its run's metrics.json (None if it was not run)."""

    recipe: AnyRecipe
    metrics: dict[str, Any] | None


def results(runs: Path) -> list[Result]:
    """Return a result for each shipped recipe, ordered by name."""
    return [_result(load_recipe(name), runs / name / "metrics.json") for name in recipe_names()]


def table(found: list[Result]) -> str:
    """Format the results as a Markdown table."""
    lines = [
        "| recipe | parameters | trained | accuracy on valid | macro-F1 on valid | published |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(result) for result in found)])


def _result(recipe: AnyRecipe, file: Path) -> Result:
    return Result(recipe, json.loads(file.read_text(encoding="utf-8")) if file.exists() else None)


def _line(result: Result) -> str:
    recipe, metrics = result.recipe, result.metrics
    published = recipe.published
    said = "" if published is None else f"{published.accuracy:.0%} {published.split} {published.note}".strip()
    if metrics is None:
        return f"| `{recipe.name}` | | not yet | | | {said} |"
    parameters = f"{metrics['parameters'] / 1e6:.1f} M" if "parameters" in metrics else ""
    valid = metrics["valid"]
    figures = f"{valid['accuracy']:.1%} | {valid['macro_f1']:.1%}"
    return f"| `{recipe.name}` | {parameters} | {_effort(recipe, metrics)} | {figures} | {said} |"


def _effort(recipe: AnyRecipe, metrics: dict[str, Any]) -> str:
    if isinstance(recipe, SvmRecipe):
        return f"on {metrics['faces']} faces"
    early = ", stopped early" if metrics["finished"] and metrics["epochs"] < recipe.epochs else ""
    weights = {
        "imagenet": ", from ImageNet weights",
        "identities": ", from weights that tell people apart",
        "none": ", from random weights",
    }.get(metrics.get("weights", ""), "")
    return f"{metrics['epochs']} of {recipe.epochs} epochs{early}{weights}"
