"""The isolated processes: they die, hang and run out of time without doing any harm."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest
import skimage.data
from PIL import Image

from bots.pictures.film_encoding import gif
from recognizer import PhotoError, PhotoProblem, Recognizer
from recognizer.classification import Classifier
from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import decode
from recognizer.isolation.decoder import Decoder
from recognizer.isolation.parcels import Parcel, photo_of, scene_of
from recognizer.isolation.processes import Processes
from tests.pictures import checkers, encoded, flat_png

PICTURE = encoded(checkers(), "PNG")
SLOW = flat_png(7000, 7000, 8, 6)
"""A picture whose decoding takes longer than a process needs to be ended."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="signals of Unix")


@pytest.fixture
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.close()


@pytest.fixture
def decoder(processes: Processes) -> Decoder:
    return Decoder(processes, nothing)


def nothing(data: bytes) -> bool:
    """Trust no picture."""
    return False


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children() if "recognizer.isolation.worker" in each.cmdline()}


def only_child(decoder: Decoder) -> int:
    """Return the process that a decoder starts."""
    before = children()
    decoder.decode(PICTURE, ProcessorClock())
    (child,) = children() - before
    return child


def problem_of(decoder: Decoder, data: bytes, clock: ProcessorClock) -> PhotoProblem:
    with pytest.raises(PhotoError) as error:
        decoder.decode(data, clock)
    return error.value.code


def test_a_process_returns_what_decoding_here_returns(decoder: Decoder) -> None:
    for form in ("PNG", "JPEG", "GIF", "WEBP"):
        data = encoded(checkers(2000, 1500), form)
        here, there = decode(data), decoder.decode(data, ProcessorClock())
        assert (there.scale, there.is_reduced) == (here.scale, here.is_reduced)
        np.testing.assert_array_equal(there.pixels, here.pixels)
        there.pixels[0, 0] = 7  # they can be written to


def test_a_glance_is_coarser(decoder: Decoder) -> None:
    glance = decoder.glance(encoded(checkers(2000, 1500), "JPEG"), ProcessorClock())
    assert glance.pixels.shape == (375, 500, 3)
    assert glance.scale == 4
    assert glance.is_reduced


def test_what_is_wrong_with_a_picture_is_told(decoder: Decoder) -> None:
    assert problem_of(decoder, b"%PDF", ProcessorClock()) == PhotoProblem.NOT_A_PICTURE
    assert problem_of(decoder, b"", ProcessorClock()) == PhotoProblem.EMPTY
    assert problem_of(decoder, PICTURE[:99], ProcessorClock()) == PhotoProblem.DAMAGED


def test_processor_time_of_the_process_is_counted(decoder: Decoder) -> None:
    clock = ProcessorClock(now=lambda: 0.0)
    decoder.decode(SLOW, clock)
    assert clock.left_s < 5


def test_a_picture_that_takes_too_long_is_given_up_and_the_next_is_read(decoder: Decoder) -> None:
    assert problem_of(decoder, SLOW, ProcessorClock(0.001)) == PhotoProblem.TOOK_TOO_LONG
    assert decoder.decode(PICTURE, ProcessorClock()).pixels.shape == (64, 96, 3)


def test_a_process_that_dies_at_work_is_replaced(decoder: Decoder) -> None:
    child = only_child(decoder)
    os.kill(child, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (child, signal.SIGKILL)).start()
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(decoder.decode, PICTURE, ProcessorClock())
        photo = dying.result()
    assert photo.pixels.shape == (64, 96, 3)  # it had not looked at the picture, so a new process does
    assert child not in children()


def test_a_process_that_a_picture_kills_is_replaced(decoder: Decoder) -> None:
    child = only_child(decoder)
    killer = threading.Thread(target=_kill_when_busy, args=(child, psutil.Process(child).cpu_times().user))
    killer.start()
    assert problem_of(decoder, SLOW, ProcessorClock()) == PhotoProblem.UNREADABLE
    killer.join()
    assert decoder.decode(PICTURE, ProcessorClock()).pixels.shape == (64, 96, 3)


def _kill_when_busy(child: int, before: float) -> None:
    process = psutil.Process(child)
    while process.cpu_times().user <= before:
        time.sleep(0.001)
    process.kill()


def test_a_process_that_died_while_it_was_idle_is_replaced(decoder: Decoder) -> None:
    child = only_child(decoder)
    os.kill(child, signal.SIGKILL)
    assert decoder.decode(PICTURE, ProcessorClock()).pixels.shape == (64, 96, 3)


def test_a_process_that_hangs_is_ended(processes: Processes, decoder: Decoder) -> None:
    child = only_child(decoder)
    os.kill(child, signal.SIGSTOP)
    processes._wall_s = 1.0  # only now: on a busy machine, starting a process may take longer
    assert problem_of(decoder, PICTURE, ProcessorClock()) == PhotoProblem.TOOK_TOO_LONG
    assert child not in children()


def test_threads_decode_at_the_same_time(decoder: Decoder) -> None:
    pictures = [encoded(checkers(width, 64), "PNG") for width in range(64, 88)]
    with ThreadPoolExecutor(3) as pool:
        photos = list(pool.map(lambda data: decoder.decode(data, ProcessorClock()), pictures))
    assert [photo.pixels.shape[1] for photo in photos] == list(range(64, 88))


def test_processes_end_when_they_are_closed(processes: Processes, decoder: Decoder) -> None:
    child = only_child(decoder)
    processes.close()
    assert child not in children()


def test_processes_end_when_their_parent_is_killed() -> None:
    code = (
        "import os, signal, sys; from recognizer.clock import ProcessorClock\n"
        "from recognizer.isolation.parcels import photo_of\n"
        "from recognizer.isolation.processes import Processes\n"
        "processes = Processes()\n"
        "processes.run('decode', sys.stdin.buffer.read(), ProcessorClock(), photo_of)\n"
        "import psutil; print(psutil.Process().children()[0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", code], input=PICTURE, capture_output=True, check=False)
    child = int(run.stdout)
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)


def test_a_simple_picture_needs_no_process(processes: Processes, selfie: bytes) -> None:
    before = children()
    decoder = Decoder(processes)
    assert max(decoder.decode(selfie, ProcessorClock()).pixels.shape) > 24
    decoder.decode(PICTURE, ProcessorClock())
    assert children() == before


def test_a_recogniser_reads_on_after_a_hostile_picture(recognizer: Recognizer, selfie: bytes) -> None:
    with pytest.raises(PhotoError):
        recognizer.read(b"\0\0\0\x18ftypheic" + bytes(99))
    assert recognizer.read(selfie).faces


def test_a_process_is_not_told_the_bots_secrets(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "a secret")
    assert "TELEGRAM_TOKEN" not in psutil.Process(only_child(decoder)).environ()


@pytest.fixture
def isolated() -> Iterator[Recognizer]:
    recognizer = Recognizer.load(is_isolated=True)
    yield recognizer
    recognizer.close()


def test_an_isolated_recogniser_reads_what_one_here_reads(
    recognizer: Recognizer, isolated: Recognizer, selfie: bytes, group_photo: bytes
) -> None:
    frames = [np.full((120, 160, 3), 40 * number, np.uint8) for number in range(3)]
    for data in (selfie, group_photo, encoded(checkers(), "PNG"), gif(frames, 5)):
        here, there = recognizer.read(data), isolated.read(data)
        assert (there.width, there.height, there.model) == (here.width, here.height, here.model)
        for one, other in zip(here.faces, there.faces, strict=True):
            assert (other.box, other.score, other.tilt_degrees) == (one.box, one.score, one.tilt_degrees)
            np.testing.assert_allclose(other.probabilities, one.probabilities, atol=1e-6)
            assert (other.emoji, other.expression.cues) == (one.emoji, one.expression.cues)
            np.testing.assert_array_equal(other.crop, one.crop)
            np.testing.assert_array_equal(other.framings, one.framings)
        assert there.ms.detect > 0


def test_a_model_that_is_replaced_reads_what_an_isolated_process_finds(isolated: Recognizer, selfie: bytes) -> None:
    card = replace(isolated.classifier.card, version="another")
    isolated.read(selfie)
    isolated.classifier = Classifier(isolated.classifier._network, card)
    assert isolated.read(selfie).model == "another"


def test_finding_that_takes_too_long_is_given_up_and_the_next_photo_is_read(
    processes: Processes, selfie: bytes
) -> None:
    """Many faces take longer to find than to decode: the time is over while they are looked for."""
    face = skimage.data.astronaut()[60:190, 160:290]
    crowd = encoded(Image.fromarray(np.tile(face, (7, 9, 1))), "PNG")
    assert len(processes.run("scenes", crowd, ProcessorClock(), scene_of)[0].faces) > 20
    decoding = ProcessorClock(now=lambda: 0.0)
    processes.run("decode", crowd, decoding, photo_of)
    with pytest.raises(PhotoError) as error:
        processes.run("scenes", crowd, ProcessorClock(5 - decoding.left_s + 0.05), scene_of)
    assert error.value.code == PhotoProblem.TOOK_TOO_LONG
    assert len(processes.run("scenes", selfie, ProcessorClock(), scene_of)[0].faces) == 1


def test_a_process_that_talks_nonsense_is_replaced(processes: Processes) -> None:
    def refused(parcel: Parcel) -> None:
        raise ValueError("no sound process says that")

    child = only_child(Decoder(processes, nothing))
    with pytest.raises(PhotoError) as error:
        processes.run("decode", PICTURE, ProcessorClock(), refused)
    assert error.value.code == PhotoProblem.UNREADABLE
    assert child not in children()
    assert len(processes.run("decode", PICTURE, ProcessorClock(), photo_of)) == 1
