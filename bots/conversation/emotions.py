"""Which emoji stands for an emotion, and which emotion for an emoji, by the map alone."""

from collections.abc import Callable

from recognizer import EMOTIONS, EmojiMap
from recognizer.emoji_map import without_selector
from recognizer.expression import Expression
from recognizer.ranking import rank


class Emotions:
    """Translates between emotions and emoji."""

    def __init__(self, emoji_map: Callable[[], EmojiMap]) -> None:
        """emoji_map: returns the current map."""
        self._emoji_map = emoji_map

    def emoji_of(self, emotion: str) -> str:
        """Return the emoji of a face that shows this emotion, of `EMOTIONS`, and nothing else."""
        alone = Expression.of(tuple(float(each == emotion) for each in EMOTIONS))
        return rank(self._emoji_map(), alone).emoji[0]

    def emotion_of(self, emoji: str) -> str | None:
        """Return the emotion for which an emoji is likeliest; None if it is not in the map."""
        emoji_map, wanted = self._emoji_map(), without_selector(emoji)
        place = next((place for place, each in enumerate(emoji_map.emoji) if without_selector(each) == wanted), None)
        return EMOTIONS[int(emoji_map.likelihoods[:, place].argmax())] if place is not None else None
