"""The sheets of the strongest faces, from real ones and from patterns without a face."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from recognizer import EMOTIONS
from recognizer.cues import RULES
from tests.training.faces import easy_faces
from training.data import DataError, Faces
from training.tuning import cue_sheet


def test_every_cue_and_every_one_that_failed_has_a_sheet(faces: Faces, tmp_path: Path) -> None:
    seen = cue_sheet.look(faces, 20)
    assert len(seen.pixels) >= 12
    even = np.full((len(seen.pixels), len(EMOTIONS)), 1 / len(EMOTIONS), np.float32)
    drawn = {sheet.cue: sheet for sheet in cue_sheet.sheets(seen, even)}
    assert {*RULES, "wink", "kiss", "puffed_cheeks"} <= set(drawn)
    for sheet in drawn.values():
        assert list(sheet.strengths) == sorted(sheet.strengths, reverse=True)
        assert (sheet.share is not None) == (sheet.cue in RULES)
        assert cv2.imread(str(cue_sheet.write(sheet, tmp_path))) is not None


def test_patterns_without_a_face_are_refused() -> None:
    with pytest.raises(DataError, match="no face among 3"):
        cue_sheet.look(easy_faces(3), 3)
