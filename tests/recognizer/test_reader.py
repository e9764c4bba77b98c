"""Reading end to end, and the command line."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizer import Cue, PhotoError, Recognizer
from recognizer.__main__ import main
from tests.conftest import OTHER_KERNELS
from tests.pictures import checkers, encoded

SAMPLES = [encoded(checkers(), form) for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]


def test_a_smile_is_happy(recognizer: Recognizer, selfie: bytes) -> None:
    reading = recognizer.read(selfie)
    assert [face.emotion for face in reading.faces] == ["happy"]
    assert reading.faces[0].emoji[0] == "😁"
    assert reading.faces[0].expression.cues == {Cue.BROAD_SMILE}
    assert reading.model == recognizer.version


def test_only_wide_faces_are_looked_at_more_closely(recognizer: Recognizer, selfie: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(selfie, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    small = cv2.imencode(".png", cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))[1].tobytes()
    [face] = recognizer.read(small).faces
    assert face.box.width < 64
    assert Cue.BROAD_SMILE not in face.expression.cues


def test_what_is_read_are_the_looks_at_a_face(recognizer: Recognizer, group_photo: bytes) -> None:
    faces = recognizer.read(group_photo).faces
    assert len(faces) == 2
    shown = recognizer.classifier.classify_framings(np.stack([face.framings for face in faces]))
    np.testing.assert_allclose([face.probabilities for face in faces], shown, atol=OTHER_KERNELS)
    assert all(face.crop.shape == face.framings.shape[1:] == (48, 48) for face in faces)


def test_a_wall_has_no_face(recognizer: Recognizer, wall_photo: bytes) -> None:
    assert recognizer.read(wall_photo).faces == ()


def test_boxes_are_in_pixels_of_the_original(recognizer: Recognizer, selfie: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(selfie, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    large = cv2.imencode(".jpg", cv2.resize(image, None, fx=6, fy=6))[1].tobytes()
    small_box, large_box = recognizer.read(selfie).faces[0].box, recognizer.read(large).faces[0].box
    assert large_box.width == pytest.approx(6 * small_box.width, rel=0.15)
    assert large_box.x == pytest.approx(6 * small_box.x, rel=0.1)


def test_threads_read_what_one_reads(recognizer: Recognizer, selfie: bytes, group_photo: bytes) -> None:
    photos = [selfie, group_photo] * 6
    alone = [[face.probabilities for face in recognizer.read(photo).faces] for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        readings = list(pool.map(recognizer.read, photos))
    assert [[face.probabilities for face in reading.faces] for reading in readings] == alone


@pytest.mark.parametrize("data", [b"", b"not a film at all", bytes(21 * 2**20)])
def test_a_broken_clip_is_refused(recognizer: Recognizer, data: bytes) -> None:
    with pytest.raises(PhotoError):
        recognizer.read(data)


@settings(max_examples=60)
@given(sample=st.sampled_from(SAMPLES), cut=st.integers(0, 4000), noise=st.binary(max_size=40))
def test_mutated_bytes_are_read_or_refused(recognizer: Recognizer, sample: bytes, cut: int, noise: bytes) -> None:
    place = cut % len(sample)
    with suppress(PhotoError):
        recognizer.read(sample[:place] + noise + sample[place + len(noise) :])


def test_the_command_line_prints_a_line_of_json_for_each_photo(
    tmp_path: Path, selfie: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(selfie)
    bad.write_bytes(b"%PDF-1.4")
    assert main([str(bad), str(good), str(tmp_path / "none.jpg"), "--json"]) == 1
    refused, read, missing = map(json.loads, capsys.readouterr().out.splitlines())
    assert refused["error"]["code"] == "not_a_picture"
    assert missing["error"]["code"] == "not_found"
    assert set(read) == {"photo", "faces", "model", "ms"}
    assert set(read["faces"][0]) == {"box", "score", "emotions", "emoji"}
    assert set(read["ms"]) == {"decode", "detect", "classify", "rank"}
    assert main([str(good)]) == 0
    assert "happy" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="file names are Unicode there")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_file_name_and_no_terminal_stops_the_command_line(tmp_path: Path, selfie: bytes, options: list[str]) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jpg")  # noqa: PTH118  (a name that is no text)
    for name in (odd, os.fsencode(tmp_path / "grüße.jpg")):
        Path(os.fsdecode(name)).write_bytes(selfie)
    bad = tmp_path / "bad.heic"
    bad.write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    command = [sys.executable, "-m", "recognizer", os.fsdecode(odd), str(bad), str(tmp_path / "grüße.jpg"), *options]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert run.returncode == 1
    first, refused, last = run.stdout.decode("ascii").splitlines()
    if options:
        assert json.loads(first)["photo"].endswith("caf\N{REPLACEMENT CHARACTER}.jpg")
        emotions = json.loads(first)["faces"][0]["emotions"]
        assert max(emotions, key=emotions.get) == "happy"
        assert json.loads(refused)["error"]["code"] == "damaged"
        assert json.loads(last)["photo"].endswith("grüße.jpg")
    else:
        assert "happy" in first
        assert "happy" in last


def test_a_wrong_call_ends_with_status_2() -> None:
    assert subprocess.run([sys.executable, "-m", "recognizer"], capture_output=True, check=False).returncode == 2


def test_serving_never_imports_tensorflow() -> None:
    modules = "bots.__main__, bots.web.adapter, bots.telegram.adapter, bots.discord.adapter"
    code = f"import sys, {modules}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
