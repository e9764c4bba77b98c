"""What is said of a face."""

from itertools import permutations

import pytest

from recognizer import EMOTIONS
from recognizer.verdict import Verdict


def verdict(**emotions: float) -> Verdict:
    return Verdict.of([emotions.get(name, 0.0) for name in EMOTIONS])


def test_a_clear_emotion_is_said_alone() -> None:
    assert verdict(fear=0.8, surprise=0.2) == Verdict("fear")


def test_a_mixture_is_said_as_one() -> None:
    assert verdict(fear=0.6, angry=0.4) == Verdict("fear", "angry")


def test_a_face_in_doubt_is_one_or_the_other() -> None:
    doubtful = verdict(happy=0.45, angry=0.4, sad=0.15)
    assert doubtful == Verdict("happy", "angry", is_sure=False)
    assert doubtful.leading == ("happy", "angry")


@pytest.mark.parametrize("other", ["angry", "fear", "sad"])
def test_nobody_is_happy_with_some_of_what_excludes_it(other: str) -> None:
    assert verdict(**{"happy": 0.6, other: 0.4}) == Verdict("happy")
    assert verdict(**{other: 0.6, "happy": 0.4}) == Verdict(other)


def test_nothing_is_mixed_with_a_neutral_face() -> None:
    for first, second in permutations(("neutral", "sad")):
        assert verdict(**{first: 0.6, second: 0.4}).other == ""
