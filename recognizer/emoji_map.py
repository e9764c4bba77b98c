"""Load and check `emoji_map.yaml`: the emoji that may be suggested, each with its profile over the emotions.

The PyPI package `emoji`, which carries Unicode's data, knows which emoji exist; the map holds editorial decisions.
Errors name the file and, where one is at fault, the line.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import emoji as unicode_emoji
import numpy as np
import yaml
from numpy.typing import NDArray

from recognizer.cues import Cue
from recognizer.emotions import EMOTIONS

_PACKAGED = Path(str(files("recognizer") / "emoji_map.yaml"))
DEFAULT_PATH = _PACKAGED if _PACKAGED.exists() else _PACKAGED.parents[1] / "emoji_map.yaml"
"""In an installed wheel, the copy that the build put into the package; in a checkout, the file at the top level."""

EXPRESSES_FROM = 0.5
"""Minimum score of an emoji that counts as expressing an emotion."""
MIN_EMOJI_AN_EMOTION = 6
_SHARPNESS = 2.0
"""Exponent of the scores in P(emoji | emotion). Needed because people score related emotions high too: 😢 has 0.5 for
fear.
"""

_OWN_GAIN, _OWN_GAIN_ALWAYS = 4.0, 20.0
"""How much rather an emoji of a chat's own is offered than the one that it is like; the second one for those that fit
every intensity, which no cue speaks for.
"""
_LEAST_SCORE = 0.01
_MOST_BYTES = 256 * 1024
_MOST_DEPTH = 8
_VARIATION_SELECTOR = "\ufe0f"


class EmojiMapError(Exception):
    """The emoji map cannot be used; the message names the file, the line and what is expected there."""


@dataclass(frozen=True, eq=False)
class EmojiMap:
    """The `n` emoji that may be suggested. Every array follows the order of `emoji`.

    families: int64 `(n,)`, a number for each family. profiles: float64 `(n, 7)`, scores from 0 to 1 in the order of
    `EMOTIONS`. intensities: float64 `(n,)`, 0 to 1, NaN for one that fits all. weights: float64 `(n,)`, above 0. cues:
    bool `(n, k)` in the order of `Cue`. reactions: bool `(n, r)`, whether an emoji belongs to each of the
    `reaction_sets`, the `r` names used in the file (the bot names a set after each platform). lines: each emoji's line
    in the file. base: the map that this one was made of by `with_own`, None for one from a file.
    """

    path: Path
    emoji: tuple[str, ...]
    families: NDArray[np.int64]
    profiles: NDArray[np.float64]
    intensities: NDArray[np.float64]
    weights: NDArray[np.float64]
    cues: NDArray[np.bool_]
    reaction_sets: tuple[str, ...]
    reactions: NDArray[np.bool_]
    lines: tuple[int, ...]
    base: "EmojiMap | None" = None

    @classmethod
    def load(cls, path: Path = DEFAULT_PATH) -> "EmojiMap":
        """Read and check the map. Raise `EmojiMapError` if it cannot be used."""
        try:
            text = _read(path)
            _refuse_bombs(path, text)
            root = yaml.compose(text, Loader=yaml.CSafeLoader)
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

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """Return the profiles scaled to unit length, `(n, 7)`."""
        directions: NDArray[np.float64] = self.profiles / np.linalg.norm(self.profiles, axis=1, keepdims=True)
        return directions

    @cached_property
    def strongest(self) -> NDArray[np.bool_]:
        """Return whether each emotion is the one that an emoji expresses most, or one of them: bool `(n, 7)`."""
        strongest: NDArray[np.bool_] = self.profiles >= self.profiles.max(axis=1, keepdims=True)
        return strongest

    @cached_property
    def likelihoods(self) -> NDArray[np.float64]:
        """Return P(emoji | emotion) before personalisation, `(7, n)`; rows sum to 1."""
        raw = self.profiles.T**_SHARPNESS * self.weights
        likelihoods: NDArray[np.float64] = raw / raw.sum(axis=1, keepdims=True)
        return likelihoods

    def with_own(self, own: Sequence[tuple[str, str, bool]], reaction_set: str) -> "EmojiMap":
        """Return a map with some more emoji after its own.

        own: each with the emoji of this map that it is like, and whether it fits every intensity; those like none of
        the map's are left out. Each is offered rather than what it is like, is a family of its own, and belongs to
        `reaction_set` only.
        """
        index = {emoji: place for place, emoji in enumerate(self.emoji)}
        more = {symbol: index[like] for symbol, like, _ in own if like in index and symbol not in index}
        if not more:
            return self
        places = list(more.values())
        always = np.array([fits for symbol, _, fits in own if symbol in more])
        in_set = np.array([[name == reaction_set for name in self.reaction_sets]] * len(more))
        return EmojiMap(
            self.path,
            (*self.emoji, *more),
            np.r_[self.families, self.families.max() + 1 + np.arange(len(more))],
            np.r_[self.profiles, self.profiles[places]],
            np.r_[self.intensities, np.where(always, np.nan, self.intensities[places])],
            np.r_[self.weights, np.where(always, _OWN_GAIN_ALWAYS, _OWN_GAIN) * self.weights[places]],
            np.r_[self.cues, self.cues[places]],
            self.reaction_sets,
            np.r_[self.reactions, in_set],
            (*self.lines, *(self.lines[place] for place in places)),
            self,
        )

    def may_react(self, reaction_set: str) -> NDArray[np.bool_]:
        """Return which emoji belong to a reaction set, bool `(n,)`. Raise `ValueError` if the set is unknown."""
        allowed: NDArray[np.bool_] = self.reactions[:, self.reaction_sets.index(reaction_set)]
        return allowed

    def require_reaction_sets(self, names: Collection[str]) -> None:
        """Check that the file uses these names of reaction sets and no other, each for some emoji of every emotion.

        Raise `EmojiMapError`.
        """
        for name in self.reaction_sets:
            if name not in names:
                line = self.lines[int(self.may_react(name).argmax())]
                raise EmojiMapError(f"{self.path}, line {line}: unknown name {name!r}; expected {', '.join(names)}.")
        for name in names:
            allowed = self.may_react(name) if name in self.reaction_sets else np.zeros(len(self.emoji), np.bool_)
            for index, emotion in enumerate(EMOTIONS):
                if not (allowed & (self.profiles[:, index] >= EXPRESSES_FROM)).any():
                    raise EmojiMapError(
                        f"{self.path}: no emoji for {emotion} has {name} among its reactions; give it to one."
                    )

    def require_reactions(self, reaction_set: str, allowed: Collection[str]) -> None:
        """Raise `EmojiMapError` if an emoji of a reaction set is not among those allowed."""
        bare = {without_selector(emoji) for emoji in allowed}
        for emoji, line, may in zip(self.emoji, self.lines, self.may_react(reaction_set), strict=True):
            if may and without_selector(emoji) not in bare:
                raise EmojiMapError(
                    f"{self.path}, line {line}: {reaction_set} allows no reaction with {emoji}; take {reaction_set} "
                    f"out of its reactions. It allows {' '.join(sorted(allowed))}."
                )


def without_selector(emoji: str) -> str:
    """Return the emoji without U+FE0F, which some platforms omit and others require."""
    return emoji.replace(_VARIATION_SELECTOR, "")


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise EmojiMapError(f"{path} is larger than {_MOST_BYTES // 1024} kB; a map of emoji is not. Shorten it.")
    return content.decode("utf-8")


def _refuse_bombs(path: Path, text: str) -> None:
    """Reject aliases, which can expand to billions of nodes in a few lines, and nesting that no map needs."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise EmojiMapError(f"{path}, line {line}: anchors and aliases (& and *) are not used here; write it out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MOST_DEPTH:
            raise EmojiMapError(f"{path}, line {line}: nested too deeply; a map has families, emoji and their scores.")


@dataclass(frozen=True)
class _Entry:
    """One emoji of the file."""

    emoji: str
    family: int
    line: int
    profile: tuple[float, ...]
    intensity: float
    weight: float
    cues: tuple[bool, ...]
    reactions: frozenset[str]


class _Reader:
    """Reads the map from YAML nodes rather than plain values, because nodes know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def emoji_map(self, root: yaml.Node | None) -> EmojiMap:
        if root is None:
            raise EmojiMapError(f"{self._path} is empty; it needs `families:` with emoji in them.")
        entries = list(self._entries(self._fields(root, ("families",), ("families",))["families"]))
        reaction_sets = tuple(sorted({name for entry in entries for name in entry.reactions}))
        made = EmojiMap(
            path=self._path,
            emoji=tuple(entry.emoji for entry in entries),
            families=np.array([entry.family for entry in entries], np.int64),
            profiles=np.array([entry.profile for entry in entries], np.float64).reshape(-1, len(EMOTIONS)),
            intensities=np.array([entry.intensity for entry in entries]),
            weights=np.array([entry.weight for entry in entries]),
            cues=np.array([entry.cues for entry in entries], np.bool_).reshape(-1, len(Cue)),
            reaction_sets=reaction_sets,
            reactions=np.array(
                [name in entry.reactions for entry in entries for name in reaction_sets], np.bool_
            ).reshape(len(entries), len(reaction_sets)),
            lines=tuple(entry.line for entry in entries),
        )
        self._require_enough(made)
        return made

    def _require_enough(self, made: EmojiMap) -> None:
        """Reject a map with too few emoji for an emotion, or with a reaction set that has none for an emotion."""
        for index, emotion in enumerate(EMOTIONS):
            expressing = made.profiles[:, index] >= EXPRESSES_FROM
            if expressing.sum() < MIN_EMOJI_AN_EMOTION:
                raise EmojiMapError(
                    f"{self._path}: {emotion} has {expressing.sum()} emoji with a score of {EXPRESSES_FROM} or more; "
                    f"give it at least {MIN_EMOJI_AN_EMOTION}."
                )

    def _entries(self, families: yaml.Node) -> Iterator[_Entry]:
        lines: dict[str, int] = {}
        for family, (_, members) in enumerate(self._pairs(families)):
            for key, value in self._pairs(members):
                emoji = self._emoji(key)
                bare, line = without_selector(emoji), key.start_mark.line + 1
                if lines.setdefault(bare, line) != line:
                    raise self._fault(key, f"{emoji} stands on line {lines[bare]} already; keep one")
                yield self._entry(emoji, family, line, value)

    def _entry(self, emoji: str, family: int, line: int, node: yaml.Node) -> _Entry:
        known = (*EMOTIONS, "intensity", "weight", "cues", "reactions")
        fields = self._fields(node, known, ("intensity", "reactions"))
        scores = {name: self._share(fields[name], "a score") for name in EMOTIONS if name in fields}
        if max(scores.values(), default=0.0) < _LEAST_SCORE:
            raise self._fault(
                node, f"{emoji} needs a score of {_LEAST_SCORE} or more; name an emotion it has, such as `happy: 0.8`"
            )
        reactions = frozenset(self._list(fields["reactions"], "name, another"))
        if not reactions:
            raise self._fault(fields["reactions"], f"{emoji} can be sent on no platform; name one, as other emoji do")
        cues = self._names(fields["cues"], tuple(Cue)) if "cues" in fields else frozenset()
        return _Entry(
            emoji=emoji,
            family=family,
            line=line,
            profile=tuple(scores.get(name, 0.0) for name in EMOTIONS),
            intensity=self._share(fields["intensity"], "an intensity"),
            weight=self._weight(fields["weight"]) if "weight" in fields else 1.0,
            cues=tuple(cue in cues for cue in Cue),
            reactions=reactions,
        )

    def _fields(self, node: yaml.Node, known: Collection[str], needed: Collection[str]) -> dict[str, yaml.Node]:
        fields = {}
        for key, value in self._pairs(node):
            if key.value not in known:
                raise self._fault(key, f"unknown key {key.value!r}; expected {', '.join(known)}")
            fields[str(key.value)] = value
        missing = [name for name in needed if name not in fields]
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

    def _names(self, node: yaml.Node, known: Collection[str]) -> frozenset[str]:
        names = self._list(node, ", ".join(known))
        for item, name in zip(node.value, names, strict=True):
            if name not in known:
                raise self._fault(item, f"unknown name {name!r}; expected {', '.join(known)}")
        return frozenset(names)

    def _list(self, node: yaml.Node, example: str) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._fault(node, f"expected a list here, such as [{example}]")
        return [self._text(item) for item in node.value]

    def _emoji(self, node: yaml.Node) -> str:
        text = self._text(node)
        if unicode_emoji.EMOJI_DATA.get(text, {}).get("status") != unicode_emoji.STATUS["fully_qualified"]:
            raise self._fault(node, f"{text[:20]!r} is not an emoji that platforms know; write the emoji itself")
        return text

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self._fault(node, "expected one word, number or emoji here")
        return str(node.value)

    def _share(self, node: yaml.Node, what: str) -> float:
        return self._number(node, lambda number: 0 <= number <= 1, f"{what} is a number from 0 to 1")

    def _weight(self, node: yaml.Node) -> float:
        return self._number(node, lambda number: 0 < number <= 100, "a weight is a number above 0, at most 100")

    def _number(self, node: yaml.Node, is_sound: Callable[[float], bool], rule: str) -> float:
        try:
            number = float(self._text(node))
        except ValueError:
            number = float("nan")
        if not is_sound(number):
            raise self._fault(node, f"{rule}, not {str(node.value)[:20]!r}")
        return number

    def _fault(self, node: yaml.Node, problem: str) -> EmojiMapError:
        return EmojiMapError(f"{self._path}, line {node.start_mark.line + 1}: {problem}.")
