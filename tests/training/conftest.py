"""A model with a full model card and one with a minimal one, each reported once for all tests of the report."""

import json
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from recognizer.checksums import SUMS_FILE
from recognizer.classification import CARD_FILE, MODEL_FOLDER
from tests.training.faces import easy_faces, in_turns, write_kaggle_csv, write_sheets
from tests.training.recipes import LIVELY, tiny_recipe
from training.__main__ import main
from training.data import load
from training.reporting.findings import Findings, gather
from training.reporting.model_folders import find_model

VERSION = "tiny-00000000"
HOSTILE = "<script>alert(1)</script>"
COUNT = 300
_HISTORY = {"epoch": [0, 1], "loss": [2.0, 1.0], "val_loss": [2.1, 1.4], "val_fer2013_accuracy": [0.3, 0.5]}


@dataclass(frozen=True)
class Reported:
    """Inputs and outputs of `python -m training report`."""

    model: Path
    data: Path
    out: Path
    status: int

    @property
    def page(self) -> str:
        return (self.out / "report.html").read_text(encoding="utf-8")

    @property
    def card(self) -> str:
        return (self.out / "MODEL_CARD.md").read_text(encoding="utf-8")


def model_folder(folder: Path, version: str, members: list[object]) -> Path:
    """Write the shipped model under another version, with these members in its card."""
    shutil.copytree(MODEL_FOLDER, folder, ignore=shutil.ignore_patterns(SUMS_FILE))
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    card.pop("recipe", None)
    card |= {"members": members, "serving": card["serving"] | {"version": version}}
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Run the report command for two members with learning curves, on faces with votes."""
    place = tmp_path_factory.mktemp("reported")
    recipe = tiny_recipe().model_copy(update={"augmentation": LIVELY}).model_dump(mode="json")
    member = {"recipe": recipe, "history": _HISTORY}
    model = model_folder(place / "runs" / "tiny", VERSION, [member, member])
    data = write_sheets(place / "data", easy_faces(COUNT), in_turns(COUNT))
    arguments = ["--data", str(data), "--runs", str(place / "runs"), "--out", str(place / "out"), "--faces", "0"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["training", "report", VERSION, *arguments])
        try:
            status = main()
        except SystemExit as left:
            status = int(left.code or 0)
    return Reported(model, data, place / "out", status)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Return findings without votes, learning curves or a readable recipe, with names that a browser must not
    execute.
    """
    place = tmp_path_factory.mktemp("bare")
    model_folder(place / "runs" / "bare", HOSTILE, [{"recipe": {"name": HOSTILE}}])
    data = load(write_kaggle_csv(place / "fer2013.csv", easy_faces(COUNT), in_turns(COUNT)))
    return gather(find_model(HOSTILE, MODEL_FOLDER, place / "runs"), data, "valid", 0, date(2026, 1, 2))
