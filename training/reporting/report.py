"""Write a self-contained page about one model: `python -m training report VERSION`.

The page embeds its pictures and loads nothing from the network; the same pictures are stored beside it as PNG.
Measuring is left to `training.reporting.findings`, drawing to `training.reporting.figures`.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.reporting import figures
from training.reporting.findings import Findings, Measure
from training.reporting.intervals import MeasuredShare

PAGE_FILE = "report.html"
TEMPLATES = Path(str(files("training") / "templates"))

_MEASURES: Mapping[Measure, str] = {
    "sharpness": "sharpness (variance of the Laplacian)",
    "brightness": "brightness (mean grey, 0 to 255)",
    "contrast": "contrast (deviation of the grey)",
    "disagreement": "disagreement of the taggers (bits)",
}


@dataclass(frozen=True)
class EmbeddedPicture:
    """A PNG and a text alternative."""

    png: bytes
    words: str

    @property
    def uri(self) -> str:
        """Return the picture as a data URI."""
        return _uri(self.png)


def write_page(findings: Findings, folder: Path) -> Path:
    """Write `report.html` and its pictures (PNG) into `folder` and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw(findings)
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture.png)
    template = environment().get_template("report.html")
    page = folder / PAGE_FILE
    page.write_text(template.render(f=findings, pictures=pictures, measures=_MEASURES) + "\n", encoding="utf-8")
    return page


def draw(findings: Findings) -> dict[str, EmbeddedPicture]:
    """Draw every picture that the findings allow; return them by file name."""
    drawn = {
        "class-counts": EmbeddedPicture(
            figures.class_counts(findings.counts), "Bars: each class's share of each split"
        ),
        "confusion-fer2013": EmbeddedPicture(figures.confusion(findings.benchmark), "Confusion matrix, benchmark head"),
        "confusion-shown": EmbeddedPicture(figures.confusion(findings.shown), "Confusion matrix of what the bot shows"),
        "per-class": EmbeddedPicture(figures.per_class(findings.shown), "Bars: precision, recall and F1 of each class"),
        "calibration": EmbeddedPicture(
            figures.calibration(findings.benchmark.bins, findings.shown.bins),
            "Reliability diagrams before and after calibration",
        ),
    }
    for measure, slices in findings.slices.items():
        words = f"Bars: accuracy by {_MEASURES[measure]}"
        drawn[f"accuracy-by-{measure}"] = EmbeddedPicture(figures.accuracy_by(slices, _MEASURES[measure]), words)
    if findings.ferplus is not None:
        drawn["confusion-ferplus"] = EmbeddedPicture(figures.confusion(findings.ferplus), "Confusion matrix, FER+ head")
    if findings.has_history:
        drawn["learning-curves"] = EmbeddedPicture(
            figures.learning_curves(findings.model.members), "Loss and accuracy of each epoch"
        )
    if findings.augmented is not None:
        drawn["augmentation"] = EmbeddedPicture(
            figures.sheet(findings.augmented), "Training faces, and augmented variants"
        )
    if findings.sizes:
        drawn["accuracy-by-size"] = EmbeddedPicture(
            figures.accuracy_by_face_size(findings.sizes), "Bars: faces found and read right, by size in the photo"
        )
    return drawn


def environment() -> Environment:
    """Return a Jinja environment that escapes all values and has this project's number formats."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.policies["json.dumps_kwargs"] = {"indent": 1}  # keep the order of a recipe's keys
    made.filters |= {
        "percent": _percent, "points": _points, "interval": _interval, "face": lambda face: _uri(figures.portrait(face))
    }  # fmt: skip
    return made


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    """Format a share for a column whose heading says that it is in percent."""
    return f"{100 * share:.1f}"


def _interval(share: MeasuredShare) -> str:
    """Format the ends of a share's 95 % interval."""
    return f"{100 * share.low:.1f}–{100 * share.high:.1f}"


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
