"""The emoji map: the shipped one is sound, and a mistake in another is named with its line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.constants import ReactionEmoji

from recognizer import EMOTIONS, EmojiMap, EmojiMapError
from recognizer.emoji_map import DEFAULT_PATH, PLATFORMS

SHIPPED = EmojiMap.load()


def test_each_emotion_has_at_least_six_emoji() -> None:
    assert ((SHIPPED.likelihoods > 0).sum(axis=1) >= 6).all()
    assert np.allclose(SHIPPED.likelihoods.sum(axis=1), 1)


def test_each_emotion_ranks_its_own_emoji_first() -> None:
    for index, emotion in enumerate(EMOTIONS):
        first = SHIPPED.rank(np.eye(7)[index])[0]
        assert SHIPPED.likelihoods[index, SHIPPED.emoji.index(first)] > 0, emotion


@given(st.lists(st.floats(0.001, 1), min_size=7, max_size=7))
def test_any_mixture_ranks_every_emoji_once_and_reacts_with_an_allowed_one(weights: list[float]) -> None:
    probabilities = np.array(weights) / sum(weights)
    ranked = SHIPPED.rank(probabilities)
    assert sorted(ranked) == sorted(SHIPPED.emoji)
    assert SHIPPED.reaction("telegram", probabilities) in {emoji.value for emoji in ReactionEmoji}


def test_every_platform_has_a_reaction_for_every_emotion() -> None:
    assert set(SHIPPED.reactions) == {(platform, emotion) for platform in PLATFORMS for emotion in EMOTIONS}


def test_a_reaction_the_platform_does_not_allow_is_named_with_its_line() -> None:
    with pytest.raises(EmojiMapError, match=r"line 9: 😡"):
        SHIPPED.require_reactions("telegram", {"😁"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  disgust:\n", "  digust:\n", r"line \d+: unknown key 'digust'"),
        ("weight: 10, name: angry face", "weight: -1, name: angry face", r"line 15: a weight is a number above 0"),
        ("weight: 10, name: angry face", "weight: nan, name: angry face", r"line 15: a weight is a number above 0"),
        ("    😠: {weight: 10", "    angry: {weight: 10", r"line 15: 'angry' is not an emoji"),
        ("    😡: {weight: 8", "    😠: {weight: 8", r"line 16: 😠 stands here twice"),
        ("😠: {weight: 10, name: angry face}", "😠: {weight: 10}", r"line 15: name is missing here"),
        ("telegram: {angry: 😡, ", "telegram: {", r"line 9: angry is missing here"),
        ("\nreactions:\n", "\nreactions: [\n", r"line \d+: not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = DEFAULT_PATH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "map.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EmojiMapError, match=message):
        EmojiMap.load(path)


def test_too_few_emoji_for_an_emotion_are_refused(tmp_path: Path) -> None:
    lines = DEFAULT_PATH.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "map.yaml"
    path.write_text("\n".join(line for line in lines if not any(e in line[:8] for e in "😤🤬")), encoding="utf-8")
    with pytest.raises(EmojiMapError, match="angry has 5 emoji; give it at least 6"):
        EmojiMap.load(path)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"\xff\xfe\xff", "cannot be read"), (b"- 1", "line 1")]
)
def test_what_is_no_map_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(content)
    with pytest.raises(EmojiMapError, match=message):
        EmojiMap.load(path)


def test_a_missing_map_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(EmojiMapError, match="EMOJI_MAP"):
        EmojiMap.load(tmp_path / "none.yaml")
