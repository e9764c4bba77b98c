"""What the training page says, as HTML: recipes, data sets, progress, curves as a table, galleries, comparisons."""

import html
from collections.abc import Sequence

from bots.console.formatting import FACES, count, emotion, megabytes, percent, points
from bots.learning.training_facts import (
    ComparisonFacts,
    DataFacts,
    Epoch,
    Example,
    Examples,
    ModelFigures,
    RecipeFacts,
    RunFacts,
    best,
)
from bots.learning.training_folder import BASE_DATA, Run
from bots.learning.training_job import Job
from recognizer import EMOTIONS

_WEIGHTS = {
    "imagenet": "starts from ImageNet weights",
    "identities": "starts from the weights of a face recognition network (fetched with npm)",
}
_MOST_ROWS = 200
_OTHERS = {
    "examine": ("Counting faces and drawing samples of {data}", "{data} could not be looked at"),
    "take-in": ("Checking the upload {data}", "The upload {data} was not taken in"),
    "look": ("Reading the faces of valid with {recipe}", "{recipe} could not be looked at"),
    "export": ("Exporting {recipe}", "{recipe} was not exported"),
    "compare-models": ("Comparing {recipe} with the served model", "{recipe} could not be compared"),
}


def recipe_in_words(recipe: RecipeFacts) -> str:
    """Return which recipe it is, and what it does."""
    told = [f"{recipe.network} network", count(recipe.epochs, "epoch")]
    if recipe.starts_from:
        told.append(f"starts from {recipe.starts_from}")
    elif recipe.weights in _WEIGHTS:
        told.append(_WEIGHTS[recipe.weights])
    if recipe.teachers:
        told.append(f"taught by {', '.join(recipe.teachers)}")
    if recipe.published is not None:
        told.append(f"published elsewhere with {percent(recipe.published)}")
    name = f"<strong>{html.escape(recipe_title(recipe))}</strong>"
    return f'<p class="quiet">{name}: {html.escape("; ".join(told))}.</p>'


def recipe_title(recipe: RecipeFacts) -> str:
    """Return what a recipe is called in a list."""
    return f"{recipe.name} (yours)" if recipe.is_own else recipe.name


def class_counts(facts: DataFacts) -> str:
    """Return the faces of each class as a table with bars, by split."""
    heads = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in facts.counts)
    rows = "".join(
        f'<tr><th scope="row">{emotion(name)}</th>'
        + "".join(_count(faces[place], sum(faces), name) for faces in facts.counts.values())
        + "</tr>"
        for place, name in enumerate(EMOTIONS)
    )
    sums = "".join(f"<td>{sum(faces):,}</td>" for faces in facts.counts.values())
    left_out = (
        f'<p class="quiet">{count(facts.left_out, "face")} of train left out: blank, or a copy of one in valid or test.'
        "</p>"
        if facts.left_out
        else ""
    )
    return (
        f'<h3>Faces by class</h3><table class="facts counts"><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}'
        f'<tr><th scope="row">all</th>{sums}</tr></tbody></table>{left_out}'
    )


def samples(facts: DataFacts) -> str:
    """Return a grid: a face of each class, and beside it what augmentation makes of it."""
    rows = "".join(
        f'<div class="sample"><span>{emotion(each.emotion)}</span>'
        + _face(each.original, f"{each.emotion}, as it is", "original")
        + "".join(_face(one, f"{each.emotion}, augmented") for one in each.variants)
        + "</div>"
        for each in facts.samples
        if each.emotion in FACES
    )
    mixed = " It also mixes faces with each other, which is not drawn." if facts.mixes else ""
    return (
        "<h3>As the recipe augments them</h3>"
        f'<p class="quiet">Left: a face as it is. Beside it: what the network may be shown instead.{mixed}</p>'
        f'<div class="samples">{rows}</div>'
    )


def progress(job: Job, done: int, of: int, started: str) -> str:
    """Return how far a training is. started: by whom and when, as HTML."""
    share = round(100 * done / of) if of else 0
    told = f"{done} of {of} epochs" if of else "getting ready"
    return (
        f"<h2>{html.escape(_subject(job.data, job.recipe))}: {told}</h2>"
        f'<p class="quiet">{started}</p>'
        f'<div class="progress" role="progressbar" aria-label="Epochs" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share}"><i style="width:{share}%"></i></div>'
    )


def broken_off(job: Job, started: str) -> str:
    """Say that a training ended before it should have."""
    return (
        f"<h2>{html.escape(_subject(job.data, job.recipe))}: it was broken off</h2>"
        f'<p class="quiet">{started}</p><p class="told bad">It failed, or was ended from outside; its last lines say '
        "more. Whole epochs are kept: go on below, or start it again.</p>"
    )


def other_in_words(job: Job, *, is_running: bool, log: Sequence[str]) -> str:
    """Say what a command does, or that it failed, with the last lines of its log."""
    running, failed = _OTHERS.get(job.what, ("At work on {data}", "It failed on {data}"))
    sentence = (running if is_running else failed).format(data=_data(job.data), recipe=job.recipe)
    if is_running:
        return f'<p class="told">{html.escape(sentence)} …, asked for by {html.escape(job.by)}</p>'
    reason = log[-1] if log else "It ended without a word."
    rest = f'<pre class="log" tabindex="0">{html.escape(chr(10).join(log))}</pre>' if len(log) > 1 else ""
    return f'<div class="told bad"><p>{html.escape(sentence)}. {html.escape(reason)}</p>{rest}</div>'


def run_title(run: Run) -> str:
    """Return what a run is called in a list."""
    return _subject(run.data, run.recipe)


def run_in_words(run: Run, *, is_running: bool) -> str:
    """Say how far a run is and how good it is."""
    top = best(run.epochs)
    state = "running" if is_running else "finished" if run.is_finished else "not finished"
    told = f"{len(run.epochs)} of {run.epochs_wanted} epochs, {state}"
    if top is not None:
        told += f"; best on valid: {percent(top.valid_accuracy)} after epoch {top.number}"
    return f"<p>{html.escape(told)}.</p>"


def epochs_table(epochs: Sequence[Epoch]) -> str:
    """Return the figures of each epoch, the newest first, of the last ones if there are many."""
    heads = "".join(f'<th scope="col">{each}</th>' for each in ("epoch", "loss", "on valid", "accuracy", "on valid"))
    rows = "".join(
        f'<tr><th scope="row">{each.number}</th><td>{each.loss:.3f}</td><td>{each.valid_loss:.3f}</td>'
        f"<td>{100 * each.accuracy:.1f} %</td><td>{100 * each.valid_accuracy:.1f} %</td></tr>"
        for each in reversed(epochs[-_MOST_ROWS:])
    )
    return f'<table class="facts"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def scores_in_words(facts: RunFacts) -> str:
    """Say how a run reads `valid`."""
    return (
        f"<p>Of {count(facts.faces, 'face')} of valid it reads <strong>{100 * facts.accuracy:.1f} %</strong> right; "
        f"macro-F1 {100 * facts.macro_f1:.1f} %, worst recall {100 * facts.worst_recall:.1f} % "
        f"({html.escape(facts.worst_emotion)}), NLL {facts.nll:.3f}.</p>"
    )


def galleries(found: Sequence[Examples]) -> str:
    """Return for each class the faces that were read most surely: right ones, and the worst mistakes."""
    return "".join(
        f'<div class="gallery"><h4>{emotion(each.emotion)}</h4>'
        f"<div><h5>right</h5>{_shots(each.right)}</div><div><h5>worst mistakes</h5>{_shots(each.wrong)}</div></div>"
        for each in found
        if each.emotion in FACES
    )


def comparison(facts: ComparisonFacts) -> str:
    """Return the figures of an exported model beside the served one, and their difference in words."""
    new, served = facts.models
    rows = (
        ("accuracy", *(f"{100 * each.accuracy:.1f} %" for each in facts.models)),
        ("macro-F1", *(f"{100 * each.macro_f1:.1f} %" for each in facts.models)),
        ("worst recall", *map(_worst, facts.models)),
        ("NLL", *(f"{each.nll:.3f}" for each in facts.models)),
        ("size", *(megabytes(each.bytes) for each in facts.models)),
    )
    lines = "".join(
        f'<tr><th scope="row">{name}</th><td>{html.escape(ours)}</td><td>{html.escape(theirs)}</td></tr>'
        for name, ours, theirs in rows
    )
    look = "good" if facts.low > 0 else "bad" if facts.high < 0 else ""
    verdict = "surely better" if facts.low > 0 else "surely worse" if facts.high < 0 else "not surely different"
    return (
        f'<p class="told {look}">{points(facts.gain)} points of accuracy ({points(facts.low)} to {points(facts.high)}, '
        f"95 %) on {count(new.faces, 'face')} of valid: {verdict}.</p>"
        '<div class="scrolled compared"><table class="facts"><thead><tr><td></td>'
        f'<th scope="col">{html.escape(new.version)}</th>'
        f'<th scope="col">{html.escape(served.version)}<br><small>served then</small></th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _worst(figures: ModelFigures) -> str:
    return f"{100 * figures.worst_recall:.1f} % ({figures.worst_emotion})"


def _count(faces: int, total: int, name: str) -> str:
    share = 100 * faces / total if total else 0
    return (
        f'<td>{faces:,} <small class="quiet">{share:.0f} %</small>'
        f'<span class="bar"><i style="width:{share:.1f}%;background:var(--{name})"></i></span></td>'
    )


def _shots(found: Sequence[Example]) -> str:
    shown = (each for each in found if each.label in FACES and each.reading in FACES)
    shots = "".join(
        f"<figure>{_face(each.pixels, f'{each.label}, read as {each.reading}')}"
        f'<figcaption><span aria-hidden="true">{FACES[each.reading]}</span> {percent(each.confidence)}</figcaption>'
        "</figure>"
        for each in shown
    )
    return f'<div class="shots">{shots}</div>' if shots else '<p class="quiet">none</p>'


def _face(png: str, words: str, look: str = "") -> str:
    source, alt = html.escape(png, quote=True), html.escape(words, quote=True)
    return f'<img class="{look}" src="data:image/png;base64,{source}" alt="{alt}" width="48" height="48">'


def _subject(data: str, recipe: str) -> str:
    return f"{recipe} on {_data(data)}"


def _data(name: str) -> str:
    return "FER2013" if name == BASE_DATA else name
