"""Which emoji fit a face: `emoji_map.yaml`, checked line by line, and the ranking built on it.

P(emoji | face) = sum over emotions of P(emotion | face) * P(emoji | emotion), the second factor being an emoji's share
of the weights under its emotion.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from recognizer.emotions import EMOTIONS

PLATFORMS = ("telegram", "discord", "web")
MIN_EMOJI_AN_EMOTION = 6
DEFAULT_PATH = Path(__file__).parents[1] / "emoji_map.yaml"


class EmojiMapError(Exception):
    """The emoji map cannot be used; the message gives file, line and what belongs there."""


@dataclass(frozen=True)
class Reaction:
    """The emoji to react with, and the line of the map it stands on."""

    emoji: str
    line: int


@dataclass(frozen=True)
class EmojiMap:
    """The emoji that may be suggested.

    emoji: each once. names: their CLDR short names, in the same order. likelihoods: float64 `(7, n)`, row e is
    P(emoji | EMOTIONS[e]) and sums to 1. reactions: one a platform and emotion.
    """

    path: Path
    emoji: tuple[str, ...]
    names: tuple[str, ...]
    likelihoods: NDArray[np.float64]
    reactions: dict[tuple[str, str], Reaction]

    @classmethod
    def load(cls, path: Path = DEFAULT_PATH) -> "EmojiMap":
        """Read and check the map. Raises `EmojiMapError`."""
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except FileNotFoundError as error:
            raise EmojiMapError(f"{path} is missing. Set EMOJI_MAP to your map, or restore the one shipped.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise EmojiMapError(f"{path} cannot be read: {error}") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise EmojiMapError(f"{path}, line {line}: not YAML: {error.problem}.") from error
        except yaml.YAMLError as error:
            raise EmojiMapError(f"{path}: not YAML: {error}.") from error
        return _Reader(path).emoji_map(root)

    def rank(self, probabilities: Sequence[float] | NDArray[np.floating]) -> tuple[str, ...]:
        """All emoji, the fittest first, for one face's emotion probabilities `(7,)`; each appears once."""
        scores = np.asarray(probabilities, dtype=np.float64) @ self.likelihoods
        return tuple(self.emoji[index] for index in np.argsort(-scores, kind="stable"))

    def reaction(self, platform: str, probabilities: Sequence[float] | NDArray[np.floating]) -> str:
        """The emoji to react with on `platform` for the likeliest of the seven emotions."""
        return self.reactions[platform, EMOTIONS[int(np.argmax(probabilities))]].emoji

    def name(self, emoji: str) -> str:
        """The CLDR short name of an emoji, or the emoji itself where the map has dropped it since."""
        return self.names[self.emoji.index(emoji)] if emoji in self.emoji else emoji

    def require_reactions(self, platform: str, allowed: Collection[str]) -> None:
        """Check that every reaction on `platform` is one the platform allows. Raises `EmojiMapError`."""
        for (place, emotion), reaction in self.reactions.items():
            if place == platform and reaction.emoji not in allowed:
                raise EmojiMapError(
                    f"{self.path}, line {reaction.line}: {reaction.emoji} is not a reaction that {platform} allows for "
                    f"{emotion}; choose one of {' '.join(sorted(allowed))}."
                )


class _Reader:
    """Walks the YAML nodes rather than plain values, because nodes know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def emoji_map(self, root: yaml.Node | None) -> EmojiMap:
        if root is None:
            raise EmojiMapError(f"{self._path} is empty; it needs `reactions:` and `emoji:`.")
        parts = self._fields(root, ("reactions", "emoji"))
        names: dict[str, str] = {}
        weights = [dict(self._weights(emotion, node, names)) for emotion, node in self._emotions(parts["emoji"])]
        table = np.array([[row.get(emoji, 0.0) for emoji in names] for row in weights], dtype=np.float64)
        return EmojiMap(
            path=self._path,
            emoji=tuple(names),
            names=tuple(names.values()),
            likelihoods=table / table.sum(axis=1, keepdims=True),
            reactions=dict(self._reactions(parts["reactions"])),
        )

    def _reactions(self, node: yaml.Node) -> Iterator[tuple[tuple[str, str], Reaction]]:
        for platform, choices in self._fields(node, PLATFORMS).items():
            for emotion, choice in self._emotions(choices):
                yield (platform, emotion), Reaction(self._emoji(choice), choice.start_mark.line + 1)

    def _weights(self, emotion: str, node: yaml.Node, names: dict[str, str]) -> Iterator[tuple[str, float]]:
        pairs = self._pairs(node)
        if len(pairs) < MIN_EMOJI_AN_EMOTION:
            raise self._fault(node, f"{emotion} has {len(pairs)} emoji; give it at least {MIN_EMOJI_AN_EMOTION}")
        for key, value in pairs:
            emoji, parts = self._emoji(key), self._fields(value, ("weight", "name"))
            name = self._text(parts["name"])
            if names.setdefault(emoji, name) != name:
                raise self._fault(parts["name"], f"{emoji} is called {names[emoji]!r} elsewhere; give it one name")
            yield emoji, self._weight(parts["weight"])

    def _emotions(self, node: yaml.Node) -> list[tuple[str, yaml.Node]]:
        fields = self._fields(node, EMOTIONS)
        return [(emotion, fields[emotion]) for emotion in EMOTIONS]

    def _fields(self, node: yaml.Node, wanted: Collection[str]) -> dict[str, yaml.Node]:
        fields = {}
        for key, value in self._pairs(node):
            if key.value not in wanted:
                raise self._fault(key, f"unknown key {key.value!r}; expected {', '.join(wanted)}")
            fields[str(key.value)] = value
        missing = [name for name in wanted if name not in fields]
        if missing:
            raise self._fault(node, f"{', '.join(missing)} is missing here")
        return fields

    def _pairs(self, node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._fault(node, "expected `key: value` pairs here")
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(key, "expected a word or an emoji as the key")
            if key.value in seen:
                raise self._fault(key, f"{key.value} stands here twice; keep one")
            seen.add(key.value)
        return list(node.value)

    def _emoji(self, node: yaml.Node) -> str:
        text = self._text(node)
        if text.isascii() or len(text) > 16 or any(character.isspace() or character.isalpha() for character in text):
            raise self._fault(node, f"{text!r} is not an emoji; write the emoji itself")
        return text

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self._fault(node, "expected one word, name or emoji here")
        return str(node.value)

    def _weight(self, node: yaml.Node) -> float:
        try:
            weight = float(self._text(node))
        except ValueError:
            weight = 0.0
        if not 0 < weight < float("inf"):
            raise self._fault(node, "a weight is a number above 0")
        return weight

    def _fault(self, node: yaml.Node, problem: str) -> EmojiMapError:
        return EmojiMapError(f"{self._path}, line {node.start_mark.line + 1}: {problem}.")
