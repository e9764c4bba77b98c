"""The processes that decode: they die, hang and run out of time without doing any harm."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from recognizer import PhotoError, PhotoProblem, Recognizer
from recognizer.clock import ProcessorClock
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.photo import decode
from tests.pictures import checkers, encoded, flat_png

PICTURE = encoded(checkers(), "PNG")
SLOW = flat_png(7000, 7000, 8, 6)
"""A picture whose decoding takes longer than a process needs to be ended."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="signals of Unix")


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder.isolating()
    yield decoder
    decoder.close()


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children() if "recognizer.decoding.decoder_process" in each.cmdline()}


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


def test_a_process_that_hangs_is_ended() -> None:
    decoder = Decoder.isolating()
    child = only_child(decoder)
    os.kill(child, signal.SIGSTOP)
    decoder._wall_s = 1.0  # only now: on a busy machine, starting a process may take longer
    assert problem_of(decoder, PICTURE, ProcessorClock()) == PhotoProblem.TOOK_TOO_LONG
    assert child not in children()


def test_threads_decode_at_the_same_time(decoder: Decoder) -> None:
    pictures = [encoded(checkers(width, 64), "PNG") for width in range(64, 88)]
    with ThreadPoolExecutor(3) as pool:
        photos = list(pool.map(lambda data: decoder.decode(data, ProcessorClock()), pictures))
    assert [photo.pixels.shape[1] for photo in photos] == list(range(64, 88))


def test_processes_end_with_their_decoder() -> None:
    decoder = Decoder.isolating()
    child = only_child(decoder)
    decoder.close()
    assert child not in children()


def test_processes_end_when_their_parent_is_killed() -> None:
    code = (
        "import os, signal, sys; from recognizer.clock import ProcessorClock\n"
        "from recognizer.decoding.decoder import Decoder\n"
        "decoder = Decoder.isolating(); decoder.decode(sys.stdin.buffer.read(), ProcessorClock())\n"
        "import psutil; print(psutil.Process().children()[0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", code], input=PICTURE, capture_output=True, check=False)
    child = int(run.stdout)
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)


def test_a_simple_picture_needs_no_process(recognizer: Recognizer, selfie: bytes) -> None:
    before = children()
    decoder = Decoder()
    assert max(decoder.decode(selfie, ProcessorClock()).pixels.shape) > 24
    decoder.decode(PICTURE, ProcessorClock())
    assert children() == before


def test_a_recogniser_reads_on_after_a_hostile_picture(recognizer: Recognizer, selfie: bytes) -> None:
    with pytest.raises(PhotoError):
        recognizer.read(b"\0\0\0\x18ftypheic" + bytes(99))
    assert recognizer.read(selfie).faces


def test_a_process_is_not_told_the_bots_secrets(selfie: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "a secret")
    decoder = Decoder.isolating()
    decoder.decode(selfie, ProcessorClock())
    environments = [child.environ() for child in psutil.Process().children()]
    assert environments
    assert not any("TELEGRAM_TOKEN" in environment for environment in environments)
    decoder.close()
