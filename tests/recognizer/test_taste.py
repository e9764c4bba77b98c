"""Taps are learned at three levels and fade, and nobody shifts a chat's table alone."""

import numpy as np
import pytest

from recognizer import EMOTIONS, EmojiMap, Expression
from recognizer.ranking import rank
from recognizer.taste import Choice, taste, taste_of_everyone

MAP = EmojiMap.load()
HAPPY = tuple(float(name == "happy") for name in EMOTIONS)
SAD = tuple(float(name == "sad") for name in EMOTIONS)
SMILE = Expression(HAPPY, 0.65)
ROW, COOL = EMOTIONS.index("happy"), MAP.emoji.index("😎")


def taps(emoji: str, count: int, person: object = "ann", age_days: float = 1.0) -> list[Choice]:
    return [Choice(emoji, HAPPY, age_days, person) for _ in range(count)]


def test_without_taps_the_map_speaks() -> None:
    assert np.allclose(taste(MAP), MAP.likelihoods)


def test_a_favourite_comes_first_after_a_few_taps() -> None:
    assert rank(MAP, SMILE).emoji[0] != "😎"
    assert rank(MAP, SMILE, taste(MAP, own=taps("😎", 4))).emoji[0] == "😎"


def test_a_favourite_for_one_emotion_leaves_the_others_alone() -> None:
    frown = Expression(SAD, 0.6)
    assert rank(MAP, frown, taste(MAP, own=taps("😎", 10))).emoji[:5] == rank(MAP, frown).emoji[:5]


def test_one_tap_each_on_many_emoji_is_no_favourite() -> None:
    liked = [emoji for emoji in MAP.emoji if MAP.profiles[MAP.emoji.index(emoji), ROW] > 0.6][:15]
    table = taste(MAP, own=[Choice(emoji, HAPPY, 1) for emoji in liked])
    assert rank(MAP, SMILE, table).emoji[0] == rank(MAP, SMILE).emoji[0]


def test_many_people_move_a_chat_and_one_alone_does_not() -> None:
    alone = taste(MAP, chat=taps("😎", 200, "ann"))[ROW, COOL]
    together = taste(MAP, chat=[tap for person in range(40) for tap in taps("😎", 5, person)])[ROW, COOL]
    assert alone < 0.2
    assert together > 0.8
    assert rank(MAP, SMILE, taste(MAP, chat=taps("😎", 200, "ann"))).emoji[0] == rank(MAP, SMILE).emoji[0]


def test_a_chat_starts_from_everyone_and_a_person_from_their_chat() -> None:
    everyone = taste_of_everyone(MAP, [Choice("😎", HAPPY, 1, person) for person in range(500)])
    assert taste(MAP, everyone=everyone)[ROW, COOL] > 0.7
    assert taste(MAP, everyone=everyone, chat=taps("🥰", 1))[ROW, COOL] > 0.7


def test_taps_fade_over_months() -> None:
    fresh, old = (taste(MAP, chat=taps("😎", 4, "ann", age) + taps("😎", 4, "ben", age))[ROW, COOL] for age in (1, 365))
    assert fresh > old > MAP.likelihoods[ROW, COOL]


def test_emoji_no_longer_in_the_map_are_left_out() -> None:
    assert np.allclose(taste(MAP, own=taps("🦄", 5), chat=taps("🦄", 5)), MAP.likelihoods)


@pytest.mark.parametrize("age", [-5.0, 1e9])
def test_any_age_keeps_rows_summing_to_one(age: float) -> None:
    everyone = taste_of_everyone(MAP, taps("😎", 3, age_days=age))
    table = taste(MAP, everyone, taps("🥰", 3, age_days=age), taps("😂", 3, age_days=age))
    assert np.allclose(table.sum(axis=1), 1)
