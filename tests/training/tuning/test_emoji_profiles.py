"""EmoTag1200's scores as profiles: converted as documented, compared with a map, and written back into it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from recognizer import EmojiMap
from recognizer.emoji_map import DEFAULT_PATH
from training.__main__ import main
from training.data import DataError
from training.tuning.emoji_profiles import differences, emotag_profiles, rewrite

HEADER = "unicode,emoji,name,anger,anticipation,disgust,fear,joy,sadness,surprise,trust\n"
SCORES = HEADER + "1F604,😄,grinning,0.0,0.9,0.0,0.1,0.8,0.0,0.3,0.9\n2639,☹,frown,0.2,0,0.1,0.1,0,0.9,0,0\n"


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(SCORES, encoding="utf-8")
    return path


@pytest.fixture
def own_map(tmp_path: Path) -> Path:
    return Path(shutil.copy(DEFAULT_PATH, tmp_path / "map.yaml"))


def test_plutchiks_eight_become_the_seven(scores: Path) -> None:
    assert np.allclose(emotag_profiles(scores)["😄"], [0, 0, 0.1, 0.8, 0.2, 0, 0.3])


def test_differences_name_what_differs_most_first(scores: Path) -> None:
    found = differences(EmojiMap.load(), emotag_profiles(scores))
    assert {each.emoji for each in found} == {"😄", "☹️"}
    assert found[0].largest >= found[1].largest > 0


def test_rewriting_puts_the_scores_in_and_leaves_the_rest(scores: Path, own_map: Path) -> None:
    before = EmojiMap.load(own_map)
    rewrite(before, differences(before, emotag_profiles(scores)))
    after = EmojiMap.load(own_map)
    assert not any(each.largest for each in differences(after, emotag_profiles(scores)))
    assert (after.emoji, after.intensities.tolist()) == (before.emoji, before.intensities.tolist())
    changed = [
        old
        for old, new in zip(*(path.read_text().splitlines() for path in (DEFAULT_PATH, own_map)), strict=True)
        if old != new
    ]
    assert len(changed) == 2


def test_scores_are_put_in_wherever_they_stand_on_the_line(scores: Path, own_map: Path) -> None:
    text = own_map.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("    😄:"))
    own_map.write_text(text.replace(line, "    😄: {intensity: 0.6, happy: 0.9, reactions: [web], sad: 0.1}"), "utf-8")
    before = EmojiMap.load(own_map)
    rewrite(before, differences(before, emotag_profiles(scores)))
    assert not any(each.largest for each in differences(EmojiMap.load(own_map), emotag_profiles(scores)))


def test_an_emoji_on_several_lines_is_left_alone_and_told(scores: Path, own_map: Path) -> None:
    text = own_map.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("    😄:"))
    block = "    😄:\n      happy: 0.9\n      intensity: 0.6\n      reactions: [web]"
    own_map.write_text(text.replace(line, block), "utf-8")
    before = EmojiMap.load(own_map)
    with pytest.raises(DataError, match="write 😄 on one line"):
        rewrite(before, differences(before, emotag_profiles(scores)))
    assert own_map.read_text(encoding="utf-8") == text.replace(line, block)


def test_the_command_shows_and_writes(
    scores: Path, own_map: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["t", "emoji-profiles", "--map", str(own_map), "--scores", str(scores), "--write"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    assert "2 of" in capsys.readouterr().out
    assert EmojiMap.load(own_map).profiles.max() <= 1


@pytest.mark.parametrize(
    "content", [HEADER + "1F604,😄,grinning,0.0", "a,b\n1,2\n", HEADER + "1,😄,x,a,b,c,d,e,f,g,h\n"]
)
def test_a_broken_table_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="EmoTag1200"):
        emotag_profiles(path)


def test_a_missing_table_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--scores"):
        emotag_profiles(tmp_path / "none.csv")
