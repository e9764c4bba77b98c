"""The commands of `python -m training`. `training.__main__` starts them and turns errors into exit statuses."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from recognizer import EMOTIONS, EmojiMap
from recognizer.classification import MODEL_FOLDER, Classifier, Head
from recognizer.emoji_map import DEFAULT_PATH as MAP_PATH
from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import KEYPOINTS
from recognizer.runtime import FACE_MODELS
from training.data import (
    FERPLUS,
    DataError,
    Faces,
    Split,
    copied,
    default_folder,
    ferplus_majority,
    load,
    without_copies,
)
from training.evaluation import Scores, draw, score
from training.feedback.commands import loop
from training.fitting.ablation import load_ablation
from training.fitting.recipe import (
    AnyRecipe,
    Pretrained,
    Recipe,
    RecipeError,
    SvmRecipe,
    load_recipe,
    recipe_names,
)
from training.fitting.svm import fit_svm
from training.reporting.model_folders import find_model
from training.reporting.results import results as gathered
from training.reporting.results import table
from training.tuning import cue_sheet as cue_sheets
from training.tuning.emoji_agreement import agreement
from training.tuning.emoji_profiles import DEFAULT_PATH as EMOTAG_PATH
from training.tuning.emoji_profiles import differences, emotag_profiles, rewrite
from training.tuning.framing import derive
from training.window.commands import window

app = typer.Typer(
    help="Train, export and judge the expression classifier; retrain it from feedback.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(loop)
app.add_typer(window)
console = Console()

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Shared sheets, the Kaggle CSV, or train|test/<class>/ folders.")
]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of the runs, with one folder for each.")]
_RUNS = Path("runs")
_COPIES = {"accuracy": "these", "accuracy_of_others": "the others"}


@app.command()
def fit(
    recipe: Annotated[str, typer.Argument(help=f"A YAML file, or one of: {', '.join(recipe_names())}.")],
    data: DataOption = None,
    runs: RunsOption = _RUNS,
    until: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many epochs in total; another call resumes.")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Start from random weights, not from published ones.")
    ] = False,
) -> None:
    """Fit a recipe. A second call resumes after the last complete epoch."""
    chosen = load_recipe(recipe)
    if from_scratch:
        chosen = _from_random_weights(chosen)
    splits = load(data or default_folder())
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    console.print(f"{len(train)} faces to learn from, {len(splits['valid'])} to choose by.")
    if isinstance(chosen, SvmRecipe):
        fit_svm(chosen, train, splits["valid"], runs / chosen.name)
        console.print(f"Figures: {runs / chosen.name}.")
        return
    from training.fitting.fit import fit as run_recipe  # noqa: PLC0415  # TensorFlow takes seconds to import

    try:
        fitted = run_recipe(chosen, train, splits["valid"], runs / chosen.name, until=until)
    except KeyboardInterrupt:
        console.print(f"Stopped. Whole epochs are kept; go on with: python -m training fit {recipe}")
        raise typer.Exit(130) from None
    console.print(f"Weights: {fitted}. Next: python -m training export {recipe}")


@app.command()
def export(
    recipes: Annotated[list[str], typer.Argument(help="The fitted recipe; of several, the mean is served.")],
    data: DataOption = None,
    runs: RunsOption = _RUNS,
    out: Annotated[Path, typer.Option(help="Folder for the model's files.")] = MODEL_FOLDER,
    name: Annotated[str | None, typer.Option(help="Name of the version; the first recipe's if not given.")] = None,
) -> None:
    """Export fitted runs as the int8 file and the model card that the bot serves. All choices are made on valid."""
    from training.fitting.export import export as write  # noqa: PLC0415  # TensorFlow takes seconds to import

    splits = load(data or default_folder())
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    card = write([runs / load_recipe(recipe).name for recipe in recipes], train, splits["valid"], out, name)
    console.print(f"{out}: {card}")


@app.command()
def evaluate(
    split: Annotated[Split, typer.Option(help="Use test for final figures only, never to choose anything.")] = "valid",
    data: DataOption = None,
    model: Annotated[Path, typer.Option(help="Folder of the model.")] = MODEL_FOLDER,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures (JSON) and pictures (PNG).")] = None,
) -> None:
    """Score the int8 file as it is served: as benchmark, as shown, and against the FER+ majority."""
    classifier = Classifier.load(model)
    splits = load(data or default_folder())
    faces = splits[split]
    facts: dict[str, object] = {"version": classifier.card.version, "split": split}
    for head, classes, judged, labels in _heads(classifier, faces):
        probabilities = classifier.classify(judged.pixels, head)
        scores = score(probabilities, labels)
        _print_scores(f"{classifier.card.version}, {head}, {split}", classes, scores)
        facts[head] = asdict(scores)
        if head == "fer2013" and split != "train":
            facts["copies_in_train"] = _print_copies(probabilities.argmax(axis=1) == labels, faces, splits["train"])
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            draw(probabilities, labels, classes, f"{head}, {split}", out / f"{head}-{split}.png")
    if out is not None:
        (out / f"scores-{split}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


@app.command()
def results(runs: RunsOption = _RUNS) -> None:
    """Print each recipe's result beside the published one, as a Markdown table."""
    typer.echo(table(gathered(runs)))


@app.command()
def compare(
    groups: Annotated[list[str], typer.Argument(help="Fitted recipes; a+b is the mean of both.")],
    data: DataOption = None,
    runs: RunsOption = _RUNS,
) -> None:
    """Print a comparison of fitted runs on valid: views, registered crops, FER+."""
    from training.reporting import comparison  # noqa: PLC0415  # TensorFlow takes seconds to import

    valid = load(data or default_folder())["valid"]
    members = [[runs / name for name in group.split("+")] for group in groups]
    typer.echo(comparison.table(comparison.compare(members, valid, runs)))


@app.command()
def ablate(
    name: Annotated[str, typer.Argument(help="A file of training/ablations, without .yaml.")] = "champion",
    data: DataOption = None,
    runs: RunsOption = _RUNS,
) -> None:
    """Fit a base recipe and every single change to it, and print what each change gains on valid."""
    from training.fitting.fit import fit as run_recipe  # noqa: PLC0415  # TensorFlow takes seconds to import

    ablation = load_ablation(name)
    splits = load(data or default_folder())
    train = without_copies(splits["train"], splits["valid"], splits["test"])
    lines = ["| change | accuracy on valid | macro-F1 on valid |", "|---|---|---|"]
    for recipe in ablation.recipes():
        run = run_recipe(recipe, train, splits["valid"], runs / f"ablation-{name}-{recipe.name}").parent
        valid = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["valid"]
        lines.append(f"| {recipe.name} | {valid['accuracy']:.1%} | {valid['macro_f1']:.1%} |")
    typer.echo("\n".join(lines))


@app.command()
def fit_proposals(
    data: DataOption = None,
    steps: Annotated[int, typer.Option(min=4, help="Steps of 64 views.")] = 5000,
    out: Annotated[Path, typer.Option("--out", help="Folder of the models for faces.")] = FACE_MODELS,
) -> None:
    """Train the network that proposes where in a photo faces may be."""
    from training.proposing.network import export as export_proposals  # noqa: PLC0415  # TensorFlow takes seconds
    from training.proposing.network import fit as fit_network  # noqa: PLC0415

    network = fit_network(load(data or default_folder())["train"], steps, seed=20261127)
    console.print(f"Wrote {export_proposals(network, out)}.")


@app.command()
def framing(
    data: DataOption = None,
    count: Annotated[int, typer.Option(min=1, help="Number of training faces to use.")] = 1500,
) -> None:
    """Print how FER2013 frames a face; registration is based on this."""
    train = load(data or default_folder())["train"]
    rows = np.random.default_rng(0).choice(len(train), min(count, len(train)), replace=False)
    found = derive(FaceDetector.load(), train[rows])
    table = Table("key point", "x", "y", "median distance", title=f"found on {found.found:.1%} of {len(rows)} faces")
    for name, (x, y), spread in zip(KEYPOINTS, found.keypoints, found.spread, strict=True):
        table.add_row(name, f"{x:.1f}", f"{y:.1f}", f"{spread:.1f}")
    console.print(table)
    console.print(f"side weights {found.side_weights}, centre shift {found.centre_shift}")


@app.command()
def face_check(
    data: DataOption = None,
    count: Annotated[int, typer.Option(min=20, help="Number of faces, and of pictures without one.")] = 250,
) -> None:
    """Print the weights for the detector's face score."""
    from training.tuning.face_check import derive as weigh  # noqa: PLC0415  # scikit-image is only needed here

    found = weigh(load(data or default_folder())["valid"], count, seed=5)
    console.print(f"weights {found.weights}, bias {found.bias}: from {found.true} true and {found.false} false faces")


@app.command()
def cue_sheet(
    out: Annotated[Path, typer.Argument(help="Folder for the pictures, outside the repository.")],
    data: DataOption = None,
    split: Annotated[Split, typer.Option(help="Choose on train, confirm on valid.")] = "train",
    count: Annotated[int, typer.Option(min=cue_sheets.STRONGEST, help="Number of faces to look at.")] = 7000,
) -> None:
    """Draw the faces on which each cue is strongest, to be counted by eye, and print how often the cues speak."""
    splits = load(data or default_folder())
    faces = without_copies(splits["train"], splits["valid"], splits["test"]) if split == "train" else splits[split]
    seen = cue_sheets.look(faces, count)
    out.mkdir(parents=True, exist_ok=True)
    shown = Table("cue", "strongest", f"of {cue_sheets.STRONGEST}", "speaks on", title=f"{len(seen.pixels)} faces")
    for sheet in cue_sheets.sheets(seen, Classifier.load().classify(seen.pixels)):
        cue_sheets.write(sheet, out)
        share = "never" if sheet.share is None else f"{sheet.share:.1%}"
        shown.add_row(sheet.cue, f"{sheet.strengths[0]:.2f}", f"{sheet.strengths[-1]:.2f}", share)
    console.print(shown)


@app.command()
def emoji_profiles(
    emoji_map: Annotated[Path, typer.Option("--map", help="The emoji map.")] = MAP_PATH,
    scores: Annotated[Path, typer.Option("--scores", help="EmoTag1200's scores.")] = EMOTAG_PATH,
    write: Annotated[bool, typer.Option("--write", help="Write EmoTag1200's scores into the map.")] = False,
) -> None:
    """Show where the emoji map differs from EmoTag1200's scores."""
    loaded = EmojiMap.load(emoji_map)
    found = differences(loaded, emotag_profiles(scores))
    shown = Table("emoji", *EMOTIONS, title="in the map (EmoTag1200 where it differs)")
    apart = [each for each in found if each.largest]
    for each in apart:
        pairs = zip(each.in_map, each.scored, strict=True)
        shown.add_row(
            each.emoji, *(f"{ours:g}" if ours == theirs else f"{ours:g} ({theirs:g})" for ours, theirs in pairs)
        )
    console.print(shown)
    console.print(f"{len(found)} of {len(loaded.emoji)} emoji were scored by EmoTag1200; {len(apart)} differ.")
    if write:
        rewrite(loaded, found)
        console.print(f"{emoji_map} has EmoTag1200's scores now.")


@app.command()
def emoji_agreement(
    data: DataOption = None,
    split: Annotated[Split, typer.Option(help="Use test for final figures only.")] = "valid",
) -> None:
    """Print how well the suggested emoji match the votes of FER+ taggers."""
    faces = load(data or default_folder())[split]
    try:
        found = agreement(faces, Classifier.load().classify(faces.pixels), EmojiMap.load())
    except ValueError as error:
        raise DataError(f"Nothing to compare on {split}: {error}.") from error
    console.print(f"Jensen-Shannon divergence from the votes, in bits, {found.faces} faces of {split} with mixed votes")
    for name, bits in (
        ("first three suggestions", found.suggested),
        ("one emoji a class", found.one_a_class),
        ("one emoji for each of the three likeliest classes", found.three_classes),
    ):
        console.print(f"  {bits:.3f}  {name}")
    console.print(f"The first emoji contradicts what is said on {found.contradicting:.2%} of all {len(faces)} faces.")


@app.command()
def report(  # noqa: PLR0913, PLR0917  # one parameter an option
    version: Annotated[str, typer.Argument(help="The version in a model's model.json.")],
    split: Annotated[Split, typer.Option(help="Use test for final figures only, never to choose anything.")] = "valid",
    data: DataOption = None,
    runs: RunsOption = _RUNS,
    out: Annotated[Path | None, typer.Option(help="Folder for the page; reports/VERSION if not given.")] = None,
    faces: Annotated[int, typer.Option(min=0, help="Number of faces to read in photos at each of four sizes.")] = 150,
) -> None:
    """Write a page with pictures, and a model card, about one version."""
    from training.reporting.findings import gather  # noqa: PLC0415  # matplotlib's drawings are only needed here
    from training.reporting.model_card import write_card  # noqa: PLC0415
    from training.reporting.report import write_page  # noqa: PLC0415

    model = find_model(version, MODEL_FOLDER, runs)
    with console.status("Measuring; this takes some minutes on a small machine."):
        findings = gather(model, load(data or default_folder()), split, faces, date.today())
    folder = out or Path("reports") / version
    for path in (write_page(findings, folder), write_card(findings, folder)):
        console.print(str(path), soft_wrap=True)


def _heads(classifier: Classifier, faces: Faces) -> Iterator[tuple[Head, tuple[str, ...], Faces, NDArray[np.int64]]]:
    """Yield what can be scored: a head, its classes, the faces with a label for it, and their labels."""
    yield "fer2013", EMOTIONS, faces, faces.labels
    yield "shown", EMOTIONS, faces, faces.labels
    if faces.votes is not None and "majority" in classifier.heads:
        majority = ferplus_majority(faces.votes)
        yield "majority", FERPLUS, faces[majority >= 0], majority[majority >= 0]


def _print_scores(title: str, classes: tuple[str, ...], scores: Scores) -> None:
    shares_table = Table("", "precision", "recall", "F1", title=title)
    for emotion, *shares in zip(classes, scores.precision, scores.recall, scores.f1, strict=True):
        shares_table.add_row(emotion, *(f"{share:.1%}" for share in shares))
    console.print(shares_table)
    console.print(
        f"{scores.n} faces: accuracy {scores.accuracy:.2%}, macro-F1 {scores.macro_f1:.2%}, macro recall "
        f"{scores.macro_recall:.2%}, calibration error {scores.calibration_error:.2%}, NLL {scores.nll:.3f}"
    )


def _print_copies(right: NDArray[np.bool_], faces: Faces, train: Faces) -> dict[str, float | None]:
    """Print and return accuracy on the faces that are also in train (training leaves those out), and on the others."""
    found, agreeing = copied(faces, train)
    facts: dict[str, float | None] = {"n": int(found.sum()), "same_label": int(agreeing.sum())}
    for name, some in zip(_COPIES, (found, ~found), strict=True):
        facts[name] = float(right[some].mean()) if some.any() else None
    console.print(
        f"{facts['n']} of the {len(faces)} faces also lie in train, {facts['same_label']} with the same label. fer2013 "
        "reads right, without having learned from the copies, "
        + ", ".join(f"{facts[name]:.1%} of {which}" for name, which in _COPIES.items() if facts[name] is not None)
        + f"; knowing those labels by heart would gain {(agreeing & ~right).sum() / len(faces):.1%} of accuracy."
    )
    return facts


def _from_random_weights(recipe: AnyRecipe) -> Recipe:
    if not isinstance(recipe, Recipe) or not isinstance(recipe.network, Pretrained):
        raise RecipeError(f"{recipe.name} starts from random weights anyway; leave --from-scratch away.")
    return recipe.model_copy(update={"network": recipe.network.model_copy(update={"weights": "none"})})
