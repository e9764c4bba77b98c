from dataclasses import dataclass

import numpy as np
import pytest

from recognizer import EMOTIONS, EmojiMap
from recognizer.labels import doubtful, soft_label

MAP = EmojiMap.load()
HAPPY = (0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02)


@dataclass(frozen=True)
class Said:
    source: str = "sender"
    emoji: str | None = None
    verdict: str | None = None


def test_an_emoji_speaks_for_the_emotions_of_its_profile_and_of_the_face() -> None:
    joy, tears = (soft_label(MAP, HAPPY, [Said(emoji=emoji)]) for emoji in ("😄", "😢"))
    assert joy is not None
    assert tears is not None
    assert joy.emotion == "happy"
    assert joy.shares[EMOTIONS.index("happy")] > 0.9
    assert tears.emotion == "sad"
    assert 0 < tears.shares[EMOTIONS.index("fear")] < tears.shares[EMOTIONS.index("sad")] < 1
    assert tears.weight < 1


def test_disagreement_stays_in_the_label_and_an_admin_weighs_more() -> None:
    label = soft_label(MAP, HAPPY, [Said(verdict="happy"), Said("admin", verdict="sad"), Said("vote", verdict="happy")])
    assert label is not None
    assert label.emotion == "sad"
    assert label.shares[EMOTIONS.index("happy")] == pytest.approx(1.5 / 4.5)
    assert label.weight == pytest.approx(4.5)


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [Said()],
        [Said("admin", verdict="unsure")],
        [Said(emoji="🪫")],
        [Said("vote", verdict="sad")],
        [Said(verdict="happy"), Said("admin", verdict="not_a_face")],
    ],
)
def test_words_that_name_no_emotion_give_no_label(answers: list[Said]) -> None:
    assert soft_label(MAP, HAPPY, answers) is None


def test_a_label_far_from_a_sure_reading_is_doubtful() -> None:
    sure = np.eye(7) * 0.7 + 0.3 / 7
    readings = np.repeat(sure, 5, axis=0)
    labels = np.repeat(np.eye(7), 5, axis=0)
    labels[0] = np.eye(7)[3]  # labelled happy, read as angry
    assert doubtful(readings, labels).tolist() == [True] + [False] * 34
