"""The isolated processes: they die, hang and run out of time without doing any harm."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np
import psutil
import pytest
import skimage.data
from PIL import Image

from bots.pictures.film_encoding import gif
from recognizer import IsolationError, PhotoError, PhotoProblem, Recognizer
from recognizer.classification import Classifier
from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import Photo, decode
from recognizer.isolation import processes as processes_module
from recognizer.isolation.decoder import Decoder
from recognizer.isolation.processes import Processes
from recognizer.isolation.serialization import photo_from, scene_from
from tests import processes as processes_of_tests
from tests.pictures import checkers, encoded, flat_png
from tests.recognizer.isolation import rogue

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
    return {each.pid for each in processes_of_tests.children("recognizer.isolation.worker")}


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
    clock = ProcessorClock(100.0, now=lambda: 0.0)
    decoder.decode(SLOW, clock)
    assert clock.left_s < 100


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
    assert problem_of(decoder, SLOW, ProcessorClock(100.0)) == PhotoProblem.UNREADABLE
    killer.join()
    assert decoder.decode(PICTURE, ProcessorClock()).pixels.shape == (64, 96, 3)


def _kill_when_busy(child: int, before: float) -> None:
    process = psutil.Process(child)
    while process.cpu_times().user <= before + 0.05:  # by then it is at the picture
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
        "from recognizer.isolation.serialization import photo_from\n"
        "from recognizer.isolation.processes import Processes\n"
        "processes = Processes()\n"
        "processes.run('decode', sys.stdin.buffer.read(), ProcessorClock(), photo_from)\n"
        "import psutil; print(psutil.Process().children()[0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", code], input=PICTURE, capture_output=True, check=False)
    child = int(run.stdout)
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)


def test_a_simple_picture_needs_no_process(processes: Processes, selfie: bytes) -> None:
    before = children()
    decoder = Decoder(processes)
    assert max(decoder.decode(selfie, ProcessorClock()).pixels.shape) > 24
    decoder.decode(PICTURE, ProcessorClock())
    assert children() <= before


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
    portrait = skimage.data.astronaut()[:300, 80:380]
    frames = [np.full_like(portrait, 90), portrait, np.ascontiguousarray(portrait[:, ::-1])]
    for data, has_faces in (
        (selfie, True),
        (group_photo, True),
        (gif(frames, 5), True),
        (encoded(checkers(), "PNG"), False),
    ):
        here, there = recognizer.read(data), isolated.read(data)
        assert bool(here.faces) == has_faces
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
    assert len(processes.run("scenes", crowd, ProcessorClock(100.0), scene_from)[0].faces) > 20
    decoding = ProcessorClock(100.0, now=lambda: 0.0)
    processes.run("decode", crowd, decoding, photo_from)
    with pytest.raises(PhotoError) as error:
        processes.run("scenes", crowd, ProcessorClock(100 - decoding.left_s + 0.05), scene_from)
    assert error.value.code == PhotoProblem.TOOK_TOO_LONG
    assert len(processes.run("scenes", selfie, ProcessorClock(), scene_from)[0].faces) == 1


@pytest.fixture
def rogues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Return processes that do what their picture says, one at a time."""
    monkeypatch.setattr(processes_module, "_MODULE", "tests.recognizer.isolation.rogue")
    rogues = Processes(most=1)
    yield rogues
    rogues.close()


def asked(rogues: Processes, do: str) -> list[Photo]:
    return rogues.run("decode", do.encode(), ProcessorClock(), photo_from)


@pytest.mark.parametrize(
    "do",
    [
        "an endless line",
        "deep",
        "no JSON",
        "a list",
        "nothing",
        "an unknown problem",
        "half a photo",
        "no time",
        "negative time",
        "too many digits",
        "a huge text",
    ],
)
def test_what_no_sound_process_says_is_refused_and_the_process_replaced(rogues: Processes, do: str) -> None:
    assert len(asked(rogues, "a photo")) == 1
    clock, before = ProcessorClock(now=lambda: 0.0), psutil.Process().memory_info().rss
    with pytest.raises(PhotoError) as error:
        rogues.run("decode", do.encode(), clock, photo_from)
    assert error.value.code == PhotoProblem.UNREADABLE
    assert 0 <= clock.left_s <= 5
    assert psutil.Process().memory_info().rss - before < 50_000_000
    assert len(asked(rogues, "a photo")) == 1


def test_what_a_process_says_beyond_its_result_is_nobodys_answer(rogues: Processes) -> None:
    assert len(asked(rogues, "more than was asked")) == 1
    with pytest.raises(PhotoError) as error:
        asked(rogues, "nothing")
    assert error.value.code == PhotoProblem.UNREADABLE


def test_a_process_that_leaves_others_with_its_pipes_holds_nobody_up_for_longer(rogues: Processes) -> None:
    asked(rogues, "a photo")
    rogues._wall_s = 3.0  # only now, and for this only: on a busy machine, starting a process may take longer
    started = time.monotonic()
    with pytest.raises(PhotoError) as error:
        asked(rogues, "leaves a child with its pipes")
    assert error.value.code == PhotoProblem.TOOK_TOO_LONG
    rogues._wall_s = processes_module.WALL_S
    assert len(asked(rogues, "a photo")) == 1
    assert time.monotonic() - started < rogue.CHILD_LIVES_S


def test_an_error_of_the_software_is_not_taken_for_one_of_the_picture(rogues: Processes) -> None:
    with pytest.raises(IsolationError, match=r"KeyError in a\.py, line 7"):
        asked(rogues, "its own fault")
    with pytest.raises(IsolationError, match="just started has died"):
        asked(rogues, "dies before it begins")
    assert len(asked(rogues, "a photo")) == 1


def test_where_no_process_can_be_started_the_picture_is_not_to_blame(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(IsolationError, match="No process can be started"):
        processes.run("decode", PICTURE, ProcessorClock(), photo_from)
    monkeypatch.undo()
    assert len(processes.run("decode", PICTURE, ProcessorClock(), photo_from)) == 1


def test_no_more_processes_work_than_are_allowed() -> None:
    before, most = children(), Processes(most=2)
    try:
        with ThreadPoolExecutor(6) as threads:
            decoded = threads.map(lambda _: len(most.run("decode", PICTURE, ProcessorClock(), photo_from)), range(18))
            assert list(decoded) == [1] * 18
        assert 1 <= len(children() - before) <= 2
    finally:
        most.close()


def test_who_waits_too_long_for_a_process_is_given_up() -> None:
    few = Processes(most=1, wall_s=60.0)
    child = only_child(Decoder(few, nothing))
    os.kill(child, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(few.run, "decode", PICTURE, ProcessorClock(), photo_from)
        while few._places._value:
            time.sleep(0.01)
        few._wall_s = 0.2
        with pytest.raises(PhotoError) as error:
            few.run("decode", PICTURE, ProcessorClock(), photo_from)
        assert error.value.code == PhotoProblem.TOOK_TOO_LONG
        os.kill(child, signal.SIGCONT)
        assert len(held.result()) == 1
    few.close()


def test_a_recogniser_that_was_prepared_has_a_process_for_the_first_photo(isolated: Recognizer, selfie: bytes) -> None:
    before = children()
    isolated.prepare()
    (child,) = children() - before
    isolated.read(selfie)
    assert children() - before == {child}
