from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from db import Judgement, Part
from training.feedback.judging import Compared, GuardShares, judged
from training.feedback.lessons import Book

GUARD = GuardShares(faces=1000, served=0.71, candidate=0.708, shipped=0.71)


def book(labels: NDArray[np.int64], each: int = 5) -> Book:
    n = len(labels)
    crops = np.zeros((n, 48, 48), np.uint8)
    numbers = np.arange(n)
    return Book(
        Part.JUDGE, numbers, crops, np.eye(7)[labels], np.ones(n), numbers // each, np.zeros(n, bool), np.zeros(n, bool)
    )


def elsewhere(one: Book, start: int) -> Book:
    """Return the same faces, of people whose numbers begin with this one."""
    return replace(one, people=one.people + start)


def said(labels: NDArray[np.int64], right: float, seed: int, sure: float = 0.6) -> NDArray[np.float32]:
    """Return probabilities of which this share is right, each with this probability on its likeliest emotion."""
    random = np.random.default_rng(seed)
    named = np.where(random.random(len(labels)) < right, labels, (labels + random.integers(1, 7, len(labels))) % 7)
    rest = (1 - sure) / 6
    return (np.eye(7)[named] * (sure - rest) + rest).astype(np.float32)


def compared(
    count: int, before: float, after: float, guard: GuardShares = GUARD, tried: int = 0, **how: float
) -> Judgement:
    labels = np.random.default_rng(0).integers(0, 7, count)
    return judged(
        book(labels),
        Compared(book(labels), said(labels, before, seed=1), said(labels, after, seed=2, **how)),
        guard=guard,
        tried=tried,
        seconds=1.0,
    )


def test_a_version_that_is_clearly_better_is_offered() -> None:
    judgement = compared(200, 0.5, 0.8)
    assert judgement.offered
    assert judgement.low < judgement.gain < judgement.high
    assert judgement.gain == pytest.approx(100 * (judgement.candidate - judgement.served))
    assert sum(n for n, *_ in judgement.by_emotion.values()) == 200


@pytest.mark.parametrize(("before", "after"), [(0.6, 0.6), (0.6, 0.5), (0.6, 0.61)])
def test_a_version_that_is_no_better_is_not_offered(before: float, after: float) -> None:
    assert not compared(100, before, after).offered


def test_being_more_or_less_sure_is_no_gain() -> None:
    labels = np.random.default_rng(0).integers(0, 7, 200)
    meek, bold = said(labels, 0.6, seed=1, sure=0.3), said(labels, 0.6, seed=1, sure=0.9)
    for served, candidate in ((meek, bold), (bold, meek)):
        judgement = judged(book(labels), Compared(book(labels), served, candidate), guard=GUARD, tried=0, seconds=1.0)
        assert not judgement.offered


def test_more_faces_of_other_people_decide_what_a_few_cannot() -> None:
    labels = np.random.default_rng(0).integers(0, 7, 300)
    few, more = (
        Compared(elsewhere(book(part), start), said(part, 0.5, seed=1), said(part, 0.65, seed=2))
        for start, part in ((0, labels[:60]), (1000, labels[60:]))
    )
    alone, together = (
        judged(book(labels), each, guard=GUARD, tried=0, seconds=1.0) for each in (few, few.with_more(more))
    )
    assert (alone.offered, alone.judged_faces, alone.judged_people) == (False, 60, 12)
    assert (together.offered, together.judged_faces, together.judged_people) == (True, 300, 60)


def test_a_version_that_forgets_is_not_offered_however_good() -> None:
    forgetful = GuardShares(faces=1000, served=0.71, candidate=0.7049, shipped=0.71)
    judgement = compared(200, 0.5, 0.9, forgetful)
    assert not judgement.offered
    assert "forgets" in judgement.why


def test_small_losses_do_not_add_up() -> None:
    again = GuardShares(faces=1000, served=0.706, candidate=0.702, shipped=0.71)
    assert not compared(200, 0.5, 0.9, again).offered


def test_every_candidate_beside_the_same_version_raises_the_bar() -> None:
    assert compared(60, 0.5, 0.68).offered
    assert not compared(60, 0.5, 0.68, tried=2000).offered


def test_people_who_answer_without_a_look_decide_nothing() -> None:
    """Two in five always say surprise, and the candidate has learned that from others."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 7, 200)
    told = np.where(np.arange(200) // 5 % 5 < 2, 6, truth)
    served, candidate = said(truth, 0.5, seed=1), said(truth, 0.5, seed=1)
    swayed = random.random(200) < 0.5
    candidate[swayed] = said(np.full(200, 6), 1.0, seed=2)[swayed]
    judgement = judged(book(told), Compared(book(told), served, candidate), guard=GUARD, tried=0, seconds=1.0)
    assert not judgement.offered
    assert judgement.gain < 0


@pytest.mark.parametrize("count", [0, 15, 20])
def test_too_few_faces_or_people_say_nothing(count: int) -> None:
    judgement = compared(count, 0.1, 1.0)
    assert not judgement.offered
    assert "needed" in judgement.why


def test_noise_gets_by_less_than_once_in_twenty_times() -> None:
    random = np.random.default_rng(5)
    offered = 0
    for _ in range(200):
        labels = random.integers(0, 7, 90)
        served, candidate = (said(labels, 0.5, seed=int(random.integers(1 << 30))) for _ in range(2))
        offered += judged(
            book(labels), Compared(book(labels), served, candidate), guard=GUARD, tried=0, seconds=1.0
        ).offered
    assert offered <= 10
