import os
import pickle
import select
import signal
import subprocess
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.training.faces import easy_faces
from tests.waiting import PATIENCE_S, wait_until
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


REGISTERING = """
import signal, sys
from pathlib import Path
from tests.training.faces import easy_faces
from training.fitting.registered import registered

signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the command line does
registered(easy_faces(5_000), Path(sys.argv[1]), seed=1)
"""
ROOT = Path(__file__).parents[3]
AT_WORK_S = 0.2
"""Processor time after which a process has begun with its first faces."""


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that register; none until all of them do."""
    try:
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        are_at_work = all(each.cpu_times().user > AT_WORK_S for each in children)
    except psutil.NoSuchProcess:  # it has just ended
        return []
    return children if len(children) == os.cpu_count() and are_at_work else []


@pytest.mark.parametrize(("whom", "told"), [("all", "KeyboardInterrupt"), ("workers", "RegisteringError: A process")])
def test_it_ends_when_its_processes_are_ended(tmp_path: Path, whom: str, told: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", REGISTERING, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        seen: list[psutil.Process] = []

        def are_at_work() -> bool:
            seen[:] = workers(process)
            return bool(seen)

        wait_until(lambda: are_at_work() or process.poll() is not None)
        if whom == "all":
            os.killpg(process.pid, signal.SIGTERM)
        else:
            for each in seen:
                each.kill()
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert told in errors.splitlines()[-1]
        assert not list(tmp_path.iterdir())
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def test_a_job_is_sent_at_once_so_that_nobody_waits_for_a_reader_that_was_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    class Weighing(ProcessPoolExecutor):
        """Notes the bytes of each job."""

        def submit(self, *job: Any, **named: Any) -> Future[Any]:
            sent.append(len(pickle.dumps((job, named))))
            return super().submit(*job, **named)

    monkeypatch.setattr("training.fitting.registered.ProcessPoolExecutor", Weighing)
    assert len(registered(easy_faces(70), tmp_path, seed=1).found) == 70
    assert len(sent) == 2
    assert max(sent) < select.PIPE_BUF
