"""The buttons under an answer and their tokens. No state is kept: a token contains all that is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from bots.conversation import texts
from bots.conversation.emoji_variants import Presentation, SkinTone
from bots.conversation.languages import OWN_NAMES
from bots.conversation.recipient import Recipient
from bots.custom_emoji import CustomEmoji, spoken
from bots.messages import Button, ButtonRows, StickerEmoji, TokenError, Tone, in_rows
from bots.pictures.looks import Hair, HairColour
from db import CONSENT_VERSION, Automatic, Consent, StoredPhoto, StoredReading
from recognizer import EMOTIONS

MAX_ROWS = 5
BUTTONS_A_ROW = 5
"""A Discord message may have five rows of five buttons (https://discord.com/developers/docs/components)."""


class Action(StrEnum):
    """What a button does; the value is its letter in a token."""

    CHOOSE = "e"
    MORE = "m"
    NONE = "n"
    CORRECT = "c"
    BACK = "b"
    EMOJI_ME = "i"
    BLUR = "B"
    STICKER = "x"
    CHANGE_STICKER = "X"
    KEEP_FACES = "k"
    FORGET = "F"
    OPEN_SETTINGS = "s"
    SET_LANGUAGE = "l"
    SET_SKIN_TONE = "t"
    SET_PRESENTATION = "p"
    SET_HAIR = "H"
    SET_HAIR_COLOUR = "C"
    AVATAR = "A"
    SET_EVERYONE_TAPS = "v"
    OPEN_CHAT_SETTINGS = "o"
    SET_AUTOMATIC = "a"
    SET_QUIET_HOURS = "q"
    SET_CLOCK = "h"
    SET_MOST_FACES = "f"
    READ = "r"
    COVER = "j"
    COVER_WITH = "d"
    SWAP = "u"
    PACK = "P"
    SET_PLAY = "y"
    PLAY = "g"
    CHANGE_ROUND = "w"
    STOP_PLAYING = "z"


class ConsentAnswer(IntEnum):
    """What a person says about keeping crops of their faces; the value is the choice in a token."""

    NO = 0
    YES = 1
    MORE = 2


class SettingsPage(IntEnum):
    """A page of the settings; the value is the choice in a token."""

    OVERVIEW = 0
    LANGUAGE = 1
    SKIN_TONE = 2
    PRESENTATION = 3
    AVATAR = 4
    HAIR_COLOUR = 5


class ChatSettingsPage(IntEnum):
    """A page of a chat's settings; the value is the choice in a token."""

    OVERVIEW = 0
    AUTOMATIC = 1
    MOST_FACES = 2
    QUIET_HOURS = 3


QUIET_HOURS = (None, (20, 7), (21, 7), (22, 7), (22, 8), (23, 7), (23, 8), (0, 8), (0, 9))
"""The quiet hours that may be chosen, from and until; None for none."""
CLOCK_STEP_MINUTES = 30
EARLIEST_CLOCK_MINUTES, LATEST_CLOCK_MINUTES = -12 * 60, 14 * 60
"""What clocks of the world are ahead of UTC."""
MOST_FACES = (None, 1, 3, 10)
"""How many faces of a photo may be answered; None for as many as there are."""

_CHOICES = {
    Action.KEEP_FACES: len(ConsentAnswer),
    Action.FORGET: 2,
    Action.CORRECT: len(EMOTIONS),
    Action.OPEN_SETTINGS: len(SettingsPage),
    Action.SET_LANGUAGE: 1 + len(OWN_NAMES),
    Action.SET_SKIN_TONE: 1 + len(SkinTone),
    Action.SET_PRESENTATION: 1 + len(Presentation),
    Action.SET_HAIR: 1 + len(Hair),
    Action.SET_HAIR_COLOUR: len(HairColour),
    Action.AVATAR: 1,
    Action.SET_EVERYONE_TAPS: 2,
    Action.OPEN_CHAT_SETTINGS: len(ChatSettingsPage),
    Action.SET_AUTOMATIC: len(Automatic),
    Action.SET_QUIET_HOURS: len(QUIET_HOURS),
    Action.SET_CLOCK: 1 + (LATEST_CLOCK_MINUTES - EARLIEST_CLOCK_MINUTES) // CLOCK_STEP_MINUTES,
    Action.SET_MOST_FACES: len(MOST_FACES),
    Action.READ: 1,
    Action.SET_PLAY: 2,
    Action.STICKER: len(StickerEmoji),
    Action.CHANGE_STICKER: len(StickerEmoji),
    Action.PACK: 1,
    Action.PLAY: 1,
    Action.CHANGE_ROUND: 1,
    Action.STOP_PLAYING: 1,
}
"""The number of choices of an action, if it does not depend on a reading."""
_CHOOSING = frozenset(
    {
        Action.CHOOSE,
        Action.CORRECT,
        Action.COVER_WITH,
        Action.SET_LANGUAGE,
        Action.SET_SKIN_TONE,
        Action.SET_PRESENTATION,
        Action.SET_HAIR,
        Action.SET_HAIR_COLOUR,
        Action.SET_AUTOMATIC,
        Action.SET_QUIET_HOURS,
        Action.SET_MOST_FACES,
    }
)
"""Actions whose buttons stand beside each other, one of them for what holds."""
_MAKING = frozenset(
    {Action.EMOJI_ME, Action.BLUR, Action.STICKER, Action.CHANGE_STICKER, Action.COVER_WITH, Action.SWAP}
)


@dataclass(frozen=True)
class Token:
    """The meaning of a tap. As text `letter:reading:choice`, at most 64 ASCII bytes.

    action: what to do. reading: the reading it refers to; of `Action.KEEP_FACES` the version of the words that were
    shown, of `Action.FORGET` the mark of the person who asked; of `Action.AVATAR` 0 for no face. choice: the index of a
    suggestion or emotion, a page, 1 for yes, or the index of a setting, where 0 is none if it may be none.
    """

    action: Action
    reading: int = 0
    choice: int = 0

    def __str__(self) -> str:
        return f"{self.action.value}:{self.reading}:{self.choice}"

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Parse a token. Raise `TokenError` for any text that `str` would not have produced."""
        try:
            letter, reading, choice = text.split(":")
            token = cls(Action(letter), int(reading), int(choice))
        except ValueError as error:
            raise TokenError(text) from error
        is_sound = 0 <= token.reading < 2**63 and token.choice >= 0 and str(token) == text
        if not is_sound or token.choice >= _CHOICES.get(token.action, token.choice + 1):
            raise TokenError(text)
        return token


def photo_rows(stored: StoredPhoto, candidates: int, recipient: Recipient) -> ButtonRows:
    """Return the buttons under a new answer.

    A single face gets a row of candidates and a row of alternatives. Of several faces, each of the first few gets a
    row, with its number on every button. A photo that can be fetched again also gets a row of pictures.
    """
    readings, pictures = stored.readings, making_rows(stored, recipient)
    if len(readings) == 1:
        return (*face_rows(readings[0], candidates, recipient), *pictures)
    shown = min(candidates, BUTTONS_A_ROW - 1)
    rows = tuple(
        (*_candidates(reading, shown, recipient, f"{number} "), _more(reading, recipient, 0, f"{number} "))
        for number, reading in enumerate(readings[: MAX_ROWS - len(pictures)], start=1)
    )
    return (*rows, *pictures)


def face_rows(reading: StoredReading, candidates: int, recipient: Recipient) -> ButtonRows:
    """Return the buttons of one face that is shown apart: a row of candidates and a row of alternatives."""
    ways_out = (_more(reading, recipient, page=0), _none(reading, recipient))
    return (_candidates(reading, candidates, recipient), ways_out)


def making_rows(stored: StoredPhoto, recipient: Recipient) -> ButtonRows:
    """Return one row: if the photo can be fetched again, it with emoji for faces and, for a single person, a sticker,
    for several, all blurred; and the avatar of who sent a photo of a single person, if they have one.
    """
    reading, is_single = stored.readings[0].id, len(stored.readings) == 1
    shown = []
    if stored.comes_again:
        shown.append((texts.EMOJI_ME, Token(Action.EMOJI_ME, reading)))
        if is_single:
            shown.append((texts.STICKER, Token(Action.STICKER, reading, StickerEmoji.BESIDE)))
        else:
            shown.append((texts.BLUR, Token(Action.BLUR, reading)))
    if is_single and recipient.look is not None and not stored.of_another:
        shown.append((texts.AVATAR, Token(Action.AVATAR, reading)))
    labels = [(recipient.voice.say(sentence), str(token)) for sentence, token in shown]
    return (tuple(Button(label, label, token, Tone.QUIET) for label, token in labels),) if labels else ()


def face_rows_after(token: Token, reading: StoredReading, candidates: int, recipient: Recipient) -> ButtonRows:
    """Return what `rows_after` does for a face that is shown apart, whose "more" has all that there are in one row."""
    if token.action is Action.MORE:
        return (tuple(_choice(reading, place, recipient) for place in range(len(reading.suggestions))),)
    if token.action is Action.NONE:
        return _emotion_rows(reading, recipient)
    return face_rows(reading, candidates, recipient)


def needs_photo(token: str) -> bool:
    """Return whether a tap on the button of this token makes a picture of the photo that it belongs to."""
    return token.partition(":")[0] in _MAKING


def is_choice(token: str) -> bool:
    """Return whether the button of this token is one of several of which one holds, rather than one that does
    something.
    """
    return token.partition(":")[0] in _CHOOSING


def shows_more(token: str) -> bool:
    """Return whether the button of this token leads to more emoji."""
    return token.partition(":")[0] == Action.MORE


def rows_after(token: Token, stored: StoredPhoto, candidates: int, recipient: Recipient) -> ButtonRows:
    """Return the buttons after a tap on "more", "none of these" or "back"."""
    reading = next(reading for reading in stored.readings if reading.id == token.reading)
    if token.action is Action.MORE:
        shown = candidates if len(stored.readings) == 1 else min(candidates, BUTTONS_A_ROW - 1)
        return _more_rows(reading, token.choice, shown, recipient)
    if token.action is Action.NONE:
        return _emotion_rows(reading, recipient)
    return photo_rows(stored, candidates, recipient)


def cover_rows(stored: StoredPhoto, turn: int, recipient: Recipient) -> ButtonRows:
    """Return the buttons under a picture in which several faces are covered: a number for each of the first few, which
    leads to what may cover it, and one that lets the faces swap their emoji.

    turn: how often they were swapped.
    """
    shown = swapped([_cover_of(reading) for reading in stored.readings], turn)
    numbers = [
        Button(
            f"{number} {spoken(recipient.variant_of(shown[number - 1]))}",
            recipient.voice.say(texts.WHAT_COVERS, number=number),
            str(Token(Action.COVER, reading.id)),
        )
        for number, reading in enumerate(stored.readings[: (MAX_ROWS - 1) * BUTTONS_A_ROW], start=1)
    ]
    label = recipient.voice.say(texts.SWAP)
    token = str(Token(Action.SWAP, stored.readings[0].id, (turn + 1) % len(stored.readings)))
    return (*in_rows(numbers, BUTTONS_A_ROW), (Button(label, label, token, Tone.QUIET),))


def sticker_rows(
    stored: StoredPhoto, emoji_place: StickerEmoji, recipient: Recipient, *, has_packs: bool
) -> ButtonRows:
    """Return the buttons under a sticker: one that puts it into the person's own pack, where there are packs, and the
    other places of its emoji, if the photo is the person's own.
    """
    reading = stored.readings[0].id
    others = tuple(
        Button(said := recipient.voice.say(texts.STICKER_EMOJI[each.name]), said, token, Tone.QUIET)
        for each in StickerEmoji
        if each is not emoji_place and (token := str(Token(Action.CHANGE_STICKER, reading, each)))
    )
    return (*(pack_rows(reading, recipient) if has_packs else ()), *(() if stored.of_another else (others,)))


def pack_rows(reading: int, recipient: Recipient) -> ButtonRows:
    """Return the button under a sticker that puts it into the pack of the person to whom the reading belongs."""
    label = recipient.voice.say(texts.PACK_ADD)
    return ((Button(label, label, str(Token(Action.PACK, reading)), Tone.QUIET),),)


def covering_rows(reading: StoredReading, recipient: Recipient) -> ButtonRows:
    """Return the buttons with what may cover one face: the first suggestions."""
    places = range(min(len(reading.suggestions), (MAX_ROWS - 1) * BUTTONS_A_ROW))
    buttons = [
        replace(_choice(reading, place, recipient), token=str(Token(Action.COVER_WITH, reading.id, place)))
        for place in places
    ]
    return in_rows(buttons, BUTTONS_A_ROW)


def swapped(emoji: Sequence[str], turn: int) -> tuple[str, ...]:
    """Return the emoji of faces after they were handed on `turn` times, each face to the next."""
    start = -turn % len(emoji)
    return (*emoji[start:], *emoji[:start])


def _cover_of(reading: StoredReading) -> str:
    return reading.chosen or reading.suggestions[0]


def privacy_rows(consent: Consent, recipient: Recipient) -> ButtonRows:
    """Return the buttons under the privacy notice: the opposite of the current choice; both if it is outdated."""
    allow = _consent_button(texts.ALLOW_FACES, ConsentAnswer.YES, recipient)
    refuse = _consent_button(texts.REFUSE_FACES, ConsentAnswer.NO, recipient)
    if consent.is_outdated:
        return ((allow,), (refuse,))
    return ((refuse if consent.agreed else allow,),)


def consent_rows(recipient: Recipient) -> ButtonRows:
    """Return the buttons under the question whether crops of faces may be kept."""
    more = _consent_button(texts.CONSENT_MORE, ConsentAnswer.MORE, recipient)
    return (
        (
            _consent_button(texts.ALLOW_FACES, ConsentAnswer.YES, recipient),
            _consent_button(texts.DECLINE_FACES, ConsentAnswer.NO, recipient),
        ),
        (replace(more, tone=Tone.QUIET),),
    )


def forget_rows(mark: int, recipient: Recipient) -> ButtonRows:
    """Return the buttons under the question whether everything is to be deleted. mark: of the person who may answer."""
    labels = [recipient.voice.say(sentence) for sentence in (texts.FORGET_NO, texts.FORGET_YES)]
    return tuple(
        (Button(label, label, str(Token(Action.FORGET, mark, choice))),) for choice, label in enumerate(labels)
    )


def _consent_button(sentence: str, answer: ConsentAnswer, recipient: Recipient) -> Button:
    label = recipient.voice.say(sentence)
    return Button(label, label, str(Token(Action.KEEP_FACES, CONSENT_VERSION, answer)))


def _candidates(reading: StoredReading, count: int, recipient: Recipient, prefix: str = "") -> tuple[Button, ...]:
    """Return the first suggestions; a chosen emoji from further down takes the last place."""
    return tuple(_choice(reading, place, recipient, prefix) for place in _first_places(reading, count))


def _first_places(reading: StoredReading, count: int) -> list[int]:
    places = list(range(min(count, len(reading.suggestions))))
    if reading.chosen in reading.suggestions and reading.suggestions.index(reading.chosen) not in places:
        places[-1] = reading.suggestions.index(reading.chosen)
    return places


def _choice(reading: StoredReading, place: int, recipient: Recipient, prefix: str = "") -> Button:
    emoji = reading.suggestions[place]
    tone = Tone.CHOSEN if emoji == reading.chosen else Tone.PLAIN
    token = str(Token(Action.CHOOSE, reading.id, place))
    if CustomEmoji.parse(emoji) is not None:
        return Button(prefix + spoken(emoji), prefix + spoken(emoji), token, tone, icon=emoji)
    return Button(prefix + recipient.variant_of(emoji), prefix + recipient.name_of(emoji), token, tone)


def _more_rows(reading: StoredReading, page: int, candidates: int, recipient: Recipient) -> ButtonRows:
    size = (MAX_ROWS - 1) * BUTTONS_A_ROW
    first = _first_places(reading, candidates)
    others = [place for place in range(len(reading.suggestions)) if place not in first]
    grid = [_choice(reading, place, recipient) for place in others[page * size : (page + 1) * size]]
    rest = len(others) > (page + 1) * size
    ways_out = (
        *((_more(reading, recipient, page + 1),) if rest else ()),
        _none(reading, recipient),
        _back(reading, recipient),
    )
    return (*in_rows(grid, BUTTONS_A_ROW), ways_out)


def _emotion_rows(reading: StoredReading, recipient: Recipient) -> ButtonRows:
    feelings = [recipient.voice.say(texts.FEELINGS[emotion]) for emotion in EMOTIONS]
    buttons = [
        Button(feeling, feeling, str(Token(Action.CORRECT, reading.id, place)))
        for place, feeling in enumerate(feelings)
    ]
    return (*in_rows(buttons, 4), (_back(reading, recipient),))


def _more(reading: StoredReading, recipient: Recipient, page: int, prefix: str = "") -> Button:
    label = f"{prefix}…" if prefix else recipient.voice.say(texts.MORE)
    token = str(Token(Action.MORE, reading.id, page))
    return Button(label, prefix + recipient.voice.say(texts.MORE_MEANING), token, Tone.QUIET)


def _none(reading: StoredReading, recipient: Recipient) -> Button:
    label = recipient.voice.say(texts.NONE_FITS)
    return Button(label, label, str(Token(Action.NONE, reading.id)), Tone.QUIET)


def _back(reading: StoredReading, recipient: Recipient) -> Button:
    label = recipient.voice.say(texts.BACK)
    return Button(label, label, str(Token(Action.BACK, reading.id)), Tone.QUIET)
