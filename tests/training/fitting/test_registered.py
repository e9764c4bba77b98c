from pathlib import Path

import numpy as np
import pytest

from training.data import Faces, default_folder, load
from training.fitting.registered import registered


@pytest.fixture(scope="module")
def faces() -> Faces:
    if not default_folder().exists():
        pytest.skip("needs the FER2013 data (FER2013_DIR)")
    return load(default_folder())["valid"][:12]


def test_registered_crops_look_like_the_frames_they_came_from(faces: Faces, tmp_path: Path) -> None:
    made = registered(faces, tmp_path, seed=1)
    assert made.found.mean() > 0.6
    assert (made.pixels[~made.found] == 0).all()
    assert np.isfinite(made.error[made.found]).all()
    shift = np.abs(np.median(made.error[made.found], axis=0))
    assert shift.max() < 0.15
    crops, frames = (each[made.found][:, 12:36, 12:36].reshape(-1, 576) for each in (made.pixels, faces.pixels))
    likeness = np.corrcoef(crops, frames)[: len(crops), len(crops) :]
    assert np.median(likeness.diagonal()) > np.median(likeness) + 0.15


def test_they_are_made_once_and_again_where_the_file_was_cut_off(
    faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered(faces[:2], tmp_path, seed=1)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    again = registered(faces[:2], tmp_path, seed=1)
    np.testing.assert_array_equal(again.pixels, made.pixels)
    monkeypatch.setattr("training.fitting.registered._made", None)
    np.testing.assert_array_equal(registered(faces[:2], tmp_path, seed=1).pixels, made.pixels)
