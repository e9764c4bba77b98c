"""Suggestions against votes: the divergence has its properties, and only mixed faces count."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recognizer import EMOTIONS, EmojiMap
from recognizer.ranking import Ranking
from training.data import FERPLUS, Faces
from training.tuning.emoji_agreement import agreement, divergence

_rows = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda row: sum(row) > 0.01)


def faces(*votes: dict[str, int]) -> Faces:
    rows = np.zeros((len(votes), 10), np.float32)
    for row, given_votes in zip(rows, votes, strict=True):
        for emotion, count in given_votes.items():
            row[FERPLUS.index(emotion)] = count
    return Faces(np.zeros((len(votes), 48, 48), np.uint8), np.zeros(len(votes), np.int64), rows)


def seen(**emotions: float) -> list[float]:
    return [emotions.get(name, 0.0) for name in EMOTIONS]


@given(_rows, _rows)
@example([0.0] * 6 + [1.0], [5e-324] + [0.0] * 5 + [1.0])  # half of that number is 0
def test_the_divergence_is_symmetric_and_from_0_to_1(first: list[float], second: list[float]) -> None:
    p, q = (np.array([row]) / sum(row) for row in (first, second))
    assert divergence(p, q)[0] == pytest.approx(divergence(q, p)[0], abs=1e-9)
    assert -1e-9 <= divergence(p, q)[0] <= 1 + 1e-9
    assert divergence(p, p)[0] == pytest.approx(0, abs=1e-9)


def test_only_faces_with_mixed_votes_count() -> None:
    mixed = faces({"happy": 5, "surprise": 5}, {"happy": 10}, {"sad": 1, "fear": 1})
    shown = np.array([seen(happy=0.5, surprise=0.5)] * 3, np.float32)
    assert agreement(mixed, shown, EmojiMap.load()).faces == 1


def test_suggestions_for_a_mixture_are_nearer_to_its_votes_than_one_emoji_a_class() -> None:
    shown = np.array([seen(happy=0.5, surprise=0.5)], np.float32)
    found = agreement(faces({"happy": 5, "surprise": 5}), shown, EmojiMap.load())
    assert found.suggested < found.one_a_class


def test_faces_without_mixed_votes_are_refused() -> None:
    with pytest.raises(ValueError, match="mixed"):
        agreement(faces({"happy": 10}), np.array([seen(happy=1.0)], np.float32), EmojiMap.load())


def test_an_emoji_of_another_emotion_than_is_said_contradicts(monkeypatch: pytest.MonkeyPatch) -> None:
    emoji_map = EmojiMap.load()
    mixed, shown = faces({"happy": 5, "surprise": 5}), np.array([seen(happy=0.6, surprise=0.4)], np.float32)
    assert agreement(mixed, shown, emoji_map).contradicting == 0
    monkeypatch.setattr("training.tuning.emoji_agreement.rank", lambda *_: Ranking(("😠", "😡", "😭"), np.zeros(0)))
    assert agreement(mixed, shown, emoji_map).contradicting == 1
