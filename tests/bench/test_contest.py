"""The contest's protocol, with the shipped model's side; `fer` need not be installed."""

from pathlib import Path

import numpy as np
import pytest

from recognizer import EMOTIONS, Recognizer
from tests.bench import contender
from tests.bench.contest import BENCHMARK, SHOWN, ContestError, Side, answer
from tests.conftest import OTHER_KERNELS


def test_both_sides_answer_in_the_order_of_the_recogniser() -> None:
    assert contender.EMOTIONS == EMOTIONS


@pytest.mark.parametrize(("side", "head"), [(SHOWN, "shown"), (BENCHMARK, "fer2013")])
def test_the_shipped_side_answers_like_the_recogniser(
    recognizer: Recognizer, tmp_path: Path, side: Side, head: str
) -> None:
    faces = np.random.default_rng(1).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    np.save(tmp_path / "faces.npy", faces)
    probabilities, figures = answer(side, tmp_path / "faces.npy")
    expected = [recognizer.classify(face[None], "fer2013" if head == "fer2013" else "shown")[0] for face in faces]
    np.testing.assert_allclose(probabilities, expected, atol=OTHER_KERNELS)
    assert figures.version == recognizer.version


def test_a_photo_without_a_face_is_answered_with_nan(
    recognizer: Recognizer, tmp_path: Path, selfie: bytes, wall_photo: bytes
) -> None:
    (tmp_path / "0.jpg").write_bytes(selfie)
    (tmp_path / "1.jpg").write_bytes(wall_photo)
    probabilities, _ = answer(SHOWN, tmp_path)
    np.testing.assert_allclose(probabilities[0], recognizer.read(selfie).faces[0].probabilities, atol=OTHER_KERNELS)
    assert np.isnan(probabilities[1]).all()


def test_a_side_that_is_not_installed_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ContestError, match=r"fer is left out: .* is not there"):
        answer(Side("fer", tmp_path / "bin" / "python", "tests.bench.fer_contender"), tmp_path)


def test_a_side_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ContestError, match=r"did not run: .*no-such-file"):
        answer(SHOWN, tmp_path / "no-such-file.npy")
