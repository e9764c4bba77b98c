"""Convert EmoTag1200's scores to profiles over the seven emotions, and compare `emoji_map.yaml` with them.

Shoeb and de Melo (EMNLP 2020) had people score 150 emoji from 0 to 1 on Plutchik's eight emotions. Six of these are
classes of the classifier and are used directly. Neutral is 1 minus the highest of the six. Anticipation and trust have
no class and are left out.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer import EMOTIONS, EmojiMap
from recognizer.emoji_map import without_selector
from training.data import DataError

PLUTCHIK = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "joy",
    "sad": "sadness",
    "surprise": "surprise",
}
"""EmoTag1200's column for each emotion except neutral."""
DEFAULT_PATH = Path(__file__).parents[2] / ".." / "shared" / "data" / "emotag" / "emotag1200-scores.csv"

_SCORE = re.compile(rf"\b({'|'.join(EMOTIONS)}):\s*[^,}}]+,?\s*")


@dataclass(frozen=True)
class Difference:
    """An emoji of the map that EmoTag1200 scored, both profiles `(7,)`, and their largest difference in a score."""

    emoji: str
    in_map: tuple[float, ...]
    scored: tuple[float, ...]

    @property
    def largest(self) -> float:
        """Return the largest difference in a score, from 0 to 1."""
        return float(np.abs(np.subtract(self.in_map, self.scored)).max())


def emotag_profiles(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return the profile `(7,)` of each emoji of EmoTag1200, keyed by the emoji without U+FE0F. Raise `DataError`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {without_selector(row["emoji"]): _profile(row) for row in csv.DictReader(file)}
    except OSError as error:
        raise DataError(f"{path} cannot be read; name EmoTag1200's scores with --scores. ({error})") from error
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is not EmoTag1200's table of scores, or was cut off. ({error})") from error


def differences(emoji_map: EmojiMap, scored: dict[str, NDArray[np.float64]]) -> tuple[Difference, ...]:
    """Return every emoji that both have, the largest difference first."""
    both = [
        Difference(emoji, tuple(profile.tolist()), tuple(scored[without_selector(emoji)].tolist()))
        for emoji, profile in zip(emoji_map.emoji, emoji_map.profiles, strict=True)
        if without_selector(emoji) in scored
    ]
    return tuple(sorted(both, key=lambda each: -each.largest))


def rewrite(emoji_map: EmojiMap, found: tuple[Difference, ...]) -> None:
    """Write EmoTag1200's scores into the map's file and keep everything else in it.

    Raise `DataError`, and write nothing, if an emoji is not written on one line as `😀: {…}`.
    """
    lines = emoji_map.path.read_text(encoding="utf-8").splitlines(keepends=True)
    for each in found:
        number = emoji_map.lines[emoji_map.emoji.index(each.emoji)] - 1
        scores = "".join(f"{name}: {score:g}, " for name, score in zip(EMOTIONS, each.scored, strict=True) if score)
        head, brace, rest = lines[number].partition("{")
        if not brace or "}" not in rest:
            raise DataError(f"{emoji_map.path}, line {number + 1}: write {each.emoji} on one line, as `😀: {{…}}`.")
        lines[number] = head + brace + scores + _SCORE.sub("", rest)
    emoji_map.path.write_text("".join(lines), encoding="utf-8")


def _profile(row: dict[str, str]) -> NDArray[np.float64]:
    scores = {emotion: float(row[column]) for emotion, column in PLUTCHIK.items()}
    scores["neutral"] = round(1 - max(scores.values()), 2)
    return np.array([scores[emotion] for emotion in EMOTIONS])
