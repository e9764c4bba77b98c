"""The emoji map: the shipped one is valid, and errors in another are reported with their line."""

import re
from pathlib import Path

import emoji as unicode_emoji
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.constants import ReactionEmoji

from recognizer import EMOTIONS, EmojiMap, EmojiMapError
from recognizer.emoji_map import DEFAULT_PATH

SHIPPED = EmojiMap.load()
TEXT = DEFAULT_PATH.read_text(encoding="utf-8")


def line_of(beginning: str) -> int:
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if line.strip().startswith(beginning))


def test_the_shipped_map_has_at_least_120_emoji_of_every_emotion() -> None:
    assert len(SHIPPED.emoji) >= 120
    assert ((SHIPPED.profiles >= 0.5).sum(axis=0) >= 6).all()
    assert np.allclose(SHIPPED.likelihoods.sum(axis=1), 1)


def test_every_face_of_unicode_with_an_expression_is_in_the_map() -> None:
    faces = (
        "😀😃😄😁😆😅🤣😂🙂🙃🫠😉😊😇🥰😍🤩😘😗😚😙🥲😋😛😜🤪😝🤑🤗🤭🫢🫣🤫🤔🫡🤐🤨😐😑😶"
        "🫥😏😒🙄😬🤥🫨😌😔😪🤤😴🫩😷🤒🤕🤢🤮🤧🥵🥶🥴😵🤯🤠🥳🥸😎🤓🧐😕🫤😟🙁😮😯😲😳🥺🥹"
        "😦😧😨😰😥😢😭😱😖😣😞😓😩😫🥱😤😡😠🤬😈👿💀"
    )
    assert not [face for face in faces if face not in SHIPPED.emoji]


def test_telegram_reactions_are_those_telegram_allows() -> None:
    SHIPPED.require_reactions("telegram", {emoji.value for emoji in ReactionEmoji})


def test_a_reaction_the_platform_does_not_allow_is_named_with_its_line() -> None:
    with pytest.raises(EmojiMapError, match=rf"line {line_of('😁:')}: telegram allows no reaction with 😁"):
        SHIPPED.require_reactions("telegram", {"😡"})


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("😠: {angry: 1", "😠: {agry: 1", "😠:", "unknown key 'agry'; expected angry, disgust"),
        ("😠: {angry: 1", "😠: {angry: -1", "😠:", "a score is a number from 0 to 1, not '-1'"),
        ("😠: {angry: 1", "😠: {angry: .nan", "😠:", "a score is a number from 0 to 1, not '.nan'"),
        ("😠: {angry: 1", "furious: {angry: 1", "😠:", "'furious' is not an emoji"),
        ("    😡:", "    😠:", "😡:", "😠 stands here twice"),
        ("    😀:", "    😠:", "😠:", "😠 stands on line"),
        ("intensity: 1, weight: 0.9", "intensity: 1, weight: 0", "🤮:", "a weight is a number above 0"),
        ("intensity: 0.95, cues", "intensity: 1.5, cues", "😂:", "an intensity is a number from 0 to 1"),
        ("cues: [tilted_head]", "cues: [wink]", "🙃:", "unknown name 'wink'; expected open_mouth, tilted_head"),
        (
            "🙃: {happy: 0.45, neutral: 0.4, sad: 0.1, surprise: 0.1",
            "🙃: {happy: 1e-200",
            "🙃:",
            "needs a score of 0.01",
        ),
        ("families:\n", "family:\n", "families:", "unknown key 'family'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, where: str, message: str) -> None:
    assert old in TEXT
    path = tmp_path / "map.yaml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EmojiMapError, match=rf"line {line_of(where)}: .*{message}"):
        EmojiMap.load(path)


def test_an_emoji_that_no_platform_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(TEXT.replace("reactions: [discord, web]", "reactions: []", 1), encoding="utf-8")
    with pytest.raises(EmojiMapError, match=r"line \d+: .* can be sent on no platform; name one"):
        EmojiMap.load(path)


def test_a_set_of_reactions_that_nobody_uses_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(TEXT.replace("[telegram, discord, web]", "[telegram, telegramm, discord, web]", 1), "utf-8")
    loaded = EmojiMap.load(path)
    with pytest.raises(
        EmojiMapError, match=rf"line {line_of('😁:')}: unknown name 'telegramm'; expected telegram, disc"
    ):
        loaded.require_reaction_sets(("telegram", "discord", "web"))
    with pytest.raises(EmojiMapError, match="no emoji for angry has matrix among its reactions"):
        SHIPPED.require_reaction_sets(("telegram", "discord", "web", "matrix"))
    SHIPPED.require_reaction_sets(("telegram", "discord", "web"))


def test_too_few_emoji_for_an_emotion_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(re.sub(r"angry: [\d.]+", "angry: 0.1", TEXT), encoding="utf-8")
    with pytest.raises(EmojiMapError, match=r"angry has 0 emoji with a score of 0\.5 or more; give it at least 6"):
        EmojiMap.load(path)


def test_an_emotion_without_a_reaction_on_a_platform_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    lines = [line.replace("[telegram, ", "[") if "{angry:" in line else line for line in TEXT.splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(EmojiMapError, match="no emoji for angry has telegram among its reactions"):
        EmojiMap.load(path).require_reaction_sets(("telegram", "discord", "web"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\xff", "cannot be read"),
        (b"- 1", "line 1"),
        (b"families: [\n", "not YAML"),
        (b"a: &a [1]\nb: [*a, *a]\n", "line 1: anchors and aliases"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
        (b"#" * 300_000, "larger than 256 kB"),
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(content)
    with pytest.raises(EmojiMapError, match=message):
        EmojiMap.load(path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_else_is_refused_in_one_way(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("maps") / "map.yaml"
    path.write_bytes(content)
    with pytest.raises(EmojiMapError):
        EmojiMap.load(path)


def test_a_missing_map_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(EmojiMapError, match="EMOJI_MAP"):
        EmojiMap.load(tmp_path / "none.yaml")


def test_every_emoji_is_one_that_unicode_recommends() -> None:
    assert all(
        unicode_emoji.EMOJI_DATA[emoji]["status"] == unicode_emoji.STATUS["fully_qualified"] for emoji in SHIPPED.emoji
    )
    assert SHIPPED.profiles.shape == (len(SHIPPED.emoji), len(EMOTIONS))
    assert SHIPPED.reactions.shape == (len(SHIPPED.emoji), len(SHIPPED.reaction_sets))
