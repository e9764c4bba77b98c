"""A photo's processor time is limited, and asked for only where it may be over."""

import pytest

from recognizer.clock import ProcessorClock
from recognizer.photo_error import PhotoError


class Times:
    """What both clocks show, in seconds. asked: how often the one of the processor was read."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0
        self.asked = 0

    def now(self) -> float:
        self.asked += 1
        return self.processor


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def clock(times: Times) -> ProcessorClock:
    return ProcessorClock(5.0, times.now, lambda: times.wall)


def test_the_system_is_not_asked_before_the_time_may_be_over(clock: ProcessorClock, times: Times) -> None:
    before = times.asked
    times.wall = times.processor = 4.9
    clock.check()
    assert times.asked == before


def test_a_photo_that_waited_may_go_on(clock: ProcessorClock, times: Times) -> None:
    times.wall, times.processor = 60.0, 4.9
    clock.check()
    assert clock.left_s == pytest.approx(0.1)


def test_what_another_process_spent_counts(clock: ProcessorClock, times: Times) -> None:
    clock.spend(4.0)
    times.wall = times.processor = 1.5
    with pytest.raises(PhotoError):
        clock.check()


def test_a_photo_over_its_time_is_given_up(clock: ProcessorClock, times: Times) -> None:
    times.wall = times.processor = 5.1
    with pytest.raises(PhotoError):
        clock.check()
