import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.conftest import HOSTILE, VERSION, Reported
from tests.training.recipes import tiny_recipe
from training.reporting.findings import Findings
from training.reporting.intervals import MeasuredShare
from training.reporting.model_card import write_card
from training.reporting.model_folders import Member

HEADINGS = (
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations", "How to reproduce",
)  # fmt: skip


def written(findings: Findings, folder: Path) -> str:
    return write_card(findings, folder).read_text(encoding="utf-8")


def test_the_headings_come_in_their_order(reported: Reported) -> None:
    assert tuple(re.findall(r"^## (.*)$", reported.card, re.MULTILINE)) == HEADINGS
    assert reported.card.startswith(f"# Model card: {VERSION}\n")


@pytest.mark.parametrize("use", ["Hiring", "Policing, border control", "lie detection", "Diagnosis", "article 5(1)(f)"])
def test_what_it_must_not_be_used_for_is_said(reported: Reported, use: str) -> None:
    forbidden = reported.card.partition("must not be used for")[2].partition("\n## ")[0]
    assert use in forbidden


def test_the_figures_are_the_findings(bare: Findings, tmp_path: Path) -> None:
    card = written(bare, tmp_path)
    shown: MeasuredShare = bare.shown.accuracy
    assert f"{100 * shown.value:.1f} % ({100 * shown.low:.1f}–{100 * shown.high:.1f})" in card
    for name, recall in zip(bare.shown.classes, bare.shown.recalls, strict=True):
        assert re.search(rf"^\| {name} \| {recall.n} \|.*\| {100 * recall.value:.1f} % \|", card, re.MULTILINE)


def test_the_recipe_can_be_read_back(reported: Reported) -> None:
    recipes = re.findall(r"```json\n(.*?)\n```", reported.card, re.DOTALL)
    assert len(recipes) == 2
    assert json.loads(recipes[0])["network"] == tiny_recipe().model_dump(mode="json")["network"]


def test_every_line_of_a_table_has_as_many_cells(reported: Reported) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", reported.card, re.MULTILINE):
        lines = table.splitlines()
        assert len(lines) > 2
        assert {line.count("|") for line in lines} == {lines[0].count("|")}, table


def test_names_are_shown_as_text(bare: Findings, tmp_path: Path) -> None:
    assert HOSTILE not in written(bare, tmp_path)


def test_without_votes_nothing_is_claimed_of_them(bare: Findings, tmp_path: Path) -> None:
    card = written(bare, tmp_path)
    assert "FER+ head against" not in card
    assert "disagreement" not in card


def test_a_start_from_other_peoples_weights_is_told(bare: Findings, tmp_path: Path) -> None:
    assert "dlib" not in written(bare, tmp_path)
    started = Member(recipe={"name": "mine", "network": {"kind": "face_resnet", "weights": "identities"}})
    model = replace(bare.model, members=(*bare.model.members, started))
    assert "The first weights of mine are those of dlib's face recognition" in written(
        replace(bare, model=model), tmp_path
    )


def test_teachers_that_started_from_other_peoples_weights_are_told(bare: Findings, tmp_path: Path) -> None:
    taught = Member(recipe={"name": "mine", "network": {"kind": "convolutional"}, "loss": {"teachers": ["face_d"]}})
    card = written(replace(bare, model=replace(bare.model, members=(taught,))), tmp_path)
    assert "The first weights of face_d, face_c are those of dlib's face recognition" in card
    assert "this model was taught by them" in card
