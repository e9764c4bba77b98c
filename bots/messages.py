"""What goes between a platform's adapter and the service: plain frozen facts, the same for every platform."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from db import Chat, Person


@dataclass(frozen=True, repr=False)
class Picture:
    """One file that was sent: its bytes, and whether it is a clip (a video note) rather than a still."""

    content: bytes
    is_clip: bool = False


class Form(Enum):
    """What a picture that the bot made is sent as."""

    PHOTO = "photo"
    STICKER = "sticker"


@dataclass(frozen=True, repr=False)
class MadePicture:
    """A picture that the bot made: the bytes of a file, and what to send it as. A photo is a JPEG; a sticker is WebP on
    Telegram and PNG elsewhere."""

    content: bytes
    form: Form


Fetch = Callable[[], Awaitable[Picture | None]]
"""Brings the photo that an answer was given to once more, or None where the platform no longer has it."""


Administers = Callable[[], Awaitable[bool]]
"""Asks the platform whether a person administers the chat they are in; in a chat of their own they do."""


async def _nobody() -> bool:
    return False


@dataclass(frozen=True)
class PhotoMessage:
    """One message with a picture, or an album of several, to be answered once.

    language: the sender's, as the platform tells it (a tag or a browser's list of them), empty where it tells none.
    comes_again: a tap on the answer's buttons will be able to fetch the photo once more.
    """

    person: Person
    chat: Chat
    pictures: tuple[Picture, ...]
    language: str = ""
    comes_again: bool = False


@dataclass(frozen=True)
class Tap:
    """A button was pressed; `token` is the one the button was made with. language: as in `Photo`. fetch: brings the
    photo that the button's message answered, None where the platform cannot. in_public: others see the button's
    message. administers: whether whoever tapped administers the chat."""

    person: Person
    chat: Chat
    token: str
    language: str = ""
    fetch: Fetch | None = None
    in_public: bool = False
    administers: Administers = _nobody


class CommandName(StrEnum):
    """The commands the service answers in the same way everywhere."""

    START = "start"
    HELP = "help"
    SETTINGS = "settings"
    PRIVACY = "privacy"
    FORGET_ME = "forget_me"
    CHAT_SETTINGS = "chat_settings"


@dataclass(frozen=True)
class Command:
    """A command without arguments. language: as in `Photo`. administers: whether that person administers the chat."""

    person: Person
    chat: Chat
    name: CommandName
    language: str = ""
    administers: Administers = _nobody


class AdminCommandName(StrEnum):
    """The commands for those who look after the model."""

    REVIEW = "review"
    RETRAIN = "retrain"
    MODELS = "models"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


@dataclass(frozen=True)
class AdminCommand:
    """A command of an admin, or of someone who would like to be one. words: what stands after its name. language: as in
    `Photo`. in_public: others would see the answer."""

    person: Person
    name: AdminCommandName
    words: str = ""
    language: str = ""
    in_public: bool = False


class TokenError(ValueError):
    """This is not a token of this bot."""


class Tone(Enum):
    """How a button should look where the platform can show it."""

    PLAIN = "plain"
    CHOSEN = "chosen"
    QUIET = "quiet"


@dataclass(frozen=True)
class Button:
    """A button: what is on it, what it means in words (for screen readers), and the token of its `Tap`.

    token: at most 64 bytes of ASCII (Telegram's callback_data, https://core.telegram.org/bots/api#inlinekeyboardbutton).
    """

    label: str
    meaning: str
    token: str
    tone: Tone = Tone.PLAIN


ButtonRows = tuple[tuple[Button, ...], ...]
"""Rows of buttons, at most five of five: what a Discord message may carry
(https://discord.com/developers/docs/components)."""


def in_rows(buttons: Sequence[Button], width: int) -> ButtonRows:
    """Return the buttons in rows of `width`, the last row with what is left."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))


@dataclass(frozen=True)
class Reply:
    """What to say to a photo or a command.

    reactions: one a picture, None for no reaction; empty where nothing is reacted to. rows: buttons, at most five rows
    of five (Discord's limit). waiting: it is said while the answer is still being made. picture: goes with the text.
    """

    text: str
    reactions: tuple[str | None, ...] = ()
    rows: ButtonRows = ()
    waiting: bool = False
    picture: MadePicture | None = None


@dataclass(frozen=True)
class TapReply:
    """What to do about a tap.

    notice: a short word for the person who tapped only. is_obvious: the new buttons say as much, so that it may be left
    unsaid. rows: the buttons the message has from now on, None to leave them. text: the message's new text, None to
    leave it. reaction: the photo's new reaction, None to leave it. picture: to be sent as a message of its own, unless
    is_whole: then text, picture (or none) and rows are all that the button's message has from now on.
    """

    notice: str
    rows: ButtonRows | None = None
    text: str | None = None
    reaction: str | None = None
    is_obvious: bool = False
    picture: MadePicture | None = None
    is_whole: bool = False
