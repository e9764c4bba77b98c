import base64
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.classification import Classifier
from tests.training.conftest import HOSTILE, VERSION, Reported
from training.data import load, without_copies
from training.evaluation import score
from training.reporting.findings import Findings
from training.reporting.report import write_page


def sources(page: str) -> list[str]:
    return re.findall(r'src="([^"]*)"', page)


def test_the_command_writes_page_pictures_and_card(reported: Reported) -> None:
    assert reported.status == 0
    names = {path.name for path in reported.out.iterdir()}
    assert {"report.html", "MODEL_CARD.md", "learning-curves.png", "augmentation.png", "calibration.png"} <= names
    assert {f"confusion-{head}.png" for head in ("fer2013", "shown", "ferplus")} <= names


def test_the_page_needs_nothing_but_itself(reported: Reported) -> None:
    assert len(sources(reported.page)) > 12
    assert all(source.startswith("data:image/png;base64,") for source in sources(reported.page))
    assert not re.search(r"https?:|<script|<link|@import|url\(", reported.page)


def test_every_picture_lies_beside_the_page_too(reported: Reported) -> None:
    inside = {base64.b64decode(source.partition(",")[2]) for source in sources(reported.page)}
    pictures = [path.read_bytes() for path in reported.out.glob("*.png")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert inside.issuperset(pictures)


@pytest.mark.parametrize("head", ["fer2013", "shown"])
def test_the_numbers_are_those_of_the_model_as_it_is_served(reported: Reported, head: str) -> None:
    faces = load(reported.data)["valid"]
    classifier = Classifier.load(reported.model)
    scores = score(classifier.classify(faces.pixels, "shown" if head == "shown" else "fer2013"), faces.labels)
    assert f"<dd>{100 * scores.accuracy:.1f} %</dd>" in reported.page
    assert f"{100 * scores.calibration_error:.1f} %" in reported.page
    for precision, recall in zip(scores.precision, scores.recall, strict=True):
        assert f"<td>{100 * precision:.1f}</td><td>{100 * recall:.1f}</td>" in reported.page


def test_ferplus_is_scored_against_the_majority(reported: Reported) -> None:
    faces = load(reported.data)["valid"]
    assert faces.votes is not None
    read = Classifier.load(reported.model).classify(faces.pixels, "majority").argmax(axis=1)
    right = (read == faces.votes.argmax(axis=1)).mean()  # here all ten taggers agree
    assert f"<dd>{100 * right:.1f} %</dd><small>{len(faces)} faces" in reported.page


def test_class_counts_leave_out_copies(reported: Reported) -> None:
    splits = load(reported.data)
    clean = without_copies(splits["train"], splits["valid"], splits["test"])
    row = "".join(f"<td>{count}</td>" for count in (len(clean), len(splits["valid"]), len(splits["test"])))
    assert f"<tr><th>all</th>{row}</tr>" in reported.page


def test_names_are_shown_as_text(bare: Findings, tmp_path: Path) -> None:
    classes = ("<i>angry</i>", *bare.shown.classes[1:])
    page = write_page(replace(bare, shown=replace(bare.shown, classes=classes)), tmp_path).read_text(encoding="utf-8")
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in page
    assert "<th>&lt;i&gt;angry&lt;/i&gt;</th>" in page
    assert HOSTILE not in page


def test_what_is_absent_is_said(bare: Findings, tmp_path: Path) -> None:
    page = write_page(bare, tmp_path).read_text(encoding="utf-8")
    for sentence in ("curves were not kept", "No samples", "no votes or no FER+ head", "this data has no votes"):
        assert sentence in page
    names = {path.stem for path in tmp_path.glob("*.png")}
    assert not names & {"learning-curves", "augmentation", "confusion-ferplus", "accuracy-by-disagreement"}


def test_the_version_leads_the_page(reported: Reported) -> None:
    assert f"<h1>{VERSION}</h1>" in reported.page


def test_a_class_without_a_face_is_no_worst_class(bare: Findings) -> None:
    confusion = np.diag([5, 0, 5, 5, 5, 5, 5])
    confusion[3, 4] = 5
    rows = tuple(tuple(map(int, row)) for row in confusion)
    head = replace(bare.shown, scores=replace(bare.shown.scores, confusion=rows))
    assert head.worst[0] == "happy"
    assert head.worst[1].value == 0.5
