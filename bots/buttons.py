"""The buttons under an answer, and the tokens they carry. Nothing is remembered here: a token says all it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bots import texts
from bots.events import Button, Tone
from db import StoredPhoto, StoredReading
from recognizer import EMOTIONS, EmojiMap

MAX_ROWS = 5
BUTTONS_A_ROW = 5
"""Five rows of five buttons are what a Discord message may carry (https://discord.com/developers/docs/components)."""

_Rows = tuple[tuple[Button, ...], ...]


class TokenError(ValueError):
    """This is not a token of this bot."""


class Action(StrEnum):
    """What a button does; the value is its letter in a token."""

    CHOOSE = "e"
    MORE = "m"
    NONE = "n"
    CORRECT = "c"
    BACK = "b"
    KEEP_FACES = "k"


@dataclass(frozen=True)
class Token:
    """What a tap means: an action, the reading it is about, and a choice (a suggestion's place, an emotion's place, a
    page, or 1 for yes). As text `letter:reading:choice`, at most 64 ASCII bytes."""

    action: Action
    reading: int = 0
    choice: int = 0

    def __str__(self) -> str:
        return f"{self.action.value}:{self.reading}:{self.choice}"

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Read a token back. Raises `TokenError` on anything that `str` would not have written."""
        try:
            letter, reading, choice = text.split(":")
            token = cls(Action(letter), int(reading), int(choice))
        except ValueError as error:
            raise TokenError(text) from error
        is_sound = 0 <= token.reading < 2**63 and token.choice >= 0 and str(token) == text
        if not is_sound or (token.action is Action.CORRECT and token.choice >= len(EMOTIONS)):
            raise TokenError(text)
        return token


def photo_rows(readings: Sequence[StoredReading], candidates: int, emoji_map: EmojiMap) -> _Rows:
    """The buttons under a fresh answer: one face gets a row of candidates and a row of ways out; of several, each of
    the first five gets a row, its number on every button."""
    if len(readings) == 1:
        reading = readings[0]
        ways_out = (_more(reading, page=0), _none(reading))
        return (_candidates(reading, candidates, emoji_map), ways_out)
    shown = min(candidates, BUTTONS_A_ROW - 1)
    return tuple(
        (*_candidates(reading, shown, emoji_map, f"{number} "), _more(reading, page=0, prefix=f"{number} "))
        for number, reading in enumerate(readings[:MAX_ROWS], start=1)
    )


def rows_after(token: Token, stored: StoredPhoto, candidates: int, emoji_map: EmojiMap) -> _Rows:
    """The buttons after a tap on "more", "none of these" or "back"."""
    reading = next(reading for reading in stored.readings if reading.id == token.reading)
    if token.action is Action.MORE:
        return _more_rows(reading, token.choice, candidates, emoji_map)
    if token.action is Action.NONE:
        return _emotion_rows(reading)
    return photo_rows(stored.readings, candidates, emoji_map)


def privacy_rows(agreed: bool) -> _Rows:
    """The one button under the privacy notice: the opposite of what is chosen now."""
    label = texts.REFUSE_FACES if agreed else texts.ALLOW_FACES
    return ((Button(label, label, str(Token(Action.KEEP_FACES, choice=0 if agreed else 1))),),)


def _candidates(reading: StoredReading, count: int, emoji_map: EmojiMap, prefix: str = "") -> tuple[Button, ...]:
    """The first suggestions; what was chosen from further down takes the last place."""
    places = list(range(min(count, len(reading.suggestions))))
    if reading.chosen in reading.suggestions and reading.suggestions.index(reading.chosen) not in places:
        places[-1] = reading.suggestions.index(reading.chosen)
    return tuple(_choice(reading, place, emoji_map, prefix) for place in places)


def _choice(reading: StoredReading, place: int, emoji_map: EmojiMap, prefix: str = "") -> Button:
    emoji = reading.suggestions[place]
    tone = Tone.CHOSEN if emoji == reading.chosen else Tone.PLAIN
    return Button(prefix + emoji, prefix + emoji_map.name(emoji), str(Token(Action.CHOOSE, reading.id, place)), tone)


def _more_rows(reading: StoredReading, page: int, candidates: int, emoji_map: EmojiMap) -> _Rows:
    size = (MAX_ROWS - 1) * BUTTONS_A_ROW
    start = candidates + page * size
    places = range(start, min(start + size, len(reading.suggestions)))
    grid = [_choice(reading, place, emoji_map) for place in places]
    rest = len(reading.suggestions) > start + size
    ways_out = (*((_more(reading, page + 1),) if rest else ()), _none(reading), _back(reading))
    return (*_in_rows(grid, BUTTONS_A_ROW), ways_out)


def _emotion_rows(reading: StoredReading) -> _Rows:
    buttons = [
        Button(texts.FEELINGS[emotion], texts.FEELINGS[emotion], str(Token(Action.CORRECT, reading.id, place)))
        for place, emotion in enumerate(EMOTIONS)
    ]
    return (*_in_rows(buttons, 4), (_back(reading),))


def _in_rows(buttons: Sequence[Button], width: int) -> _Rows:
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))


def _more(reading: StoredReading, page: int, prefix: str = "") -> Button:
    label = f"{prefix}…" if prefix else texts.MORE
    token = str(Token(Action.MORE, reading.id, page))
    return Button(label, prefix + texts.MORE_MEANING, token, Tone.QUIET)


def _none(reading: StoredReading) -> Button:
    return Button(texts.NONE_FITS, texts.NONE_FITS, str(Token(Action.NONE, reading.id)), Tone.QUIET)


def _back(reading: StoredReading) -> Button:
    return Button(texts.BACK, texts.BACK, str(Token(Action.BACK, reading.id)), Tone.QUIET)
