"""Messages between the platforms' adapters and the service: frozen dataclasses, the same for all platforms."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from db import Chat, Person


@dataclass(frozen=True, repr=False)
class Picture:
    """One file that was sent. is_clip: it is a short video (a video note), not a still picture."""

    content: bytes
    is_clip: bool = False


class Form(Enum):
    """How a picture made by the bot is sent."""

    PHOTO = "photo"
    STICKER = "sticker"


@dataclass(frozen=True, repr=False)
class MadePicture:
    """A picture made by the bot: the bytes of a file and how to send it.

    A photo is a JPEG. A sticker is WebP on Telegram and PNG elsewhere.
    """

    content: bytes
    form: Form


Fetch = Callable[[], Awaitable[Picture | None]]
"""Fetches the photo again that an answer belongs to; returns None if the platform no longer has it."""


Administers = Callable[[], Awaitable[bool]]
"""Asks the platform whether a person administers the chat; true in their own private chat."""


async def _nobody() -> bool:
    return False


@dataclass(frozen=True)
class PhotoMessage:
    """One message with a picture, or an album of several, to be answered once.

    language: the sender's, as the platform reports it (a tag or a browser's list of them); empty if unknown.
    comes_again: the photo can be fetched again when a button of the answer is tapped.
    """

    person: Person
    chat: Chat
    pictures: tuple[Picture, ...]
    language: str = ""
    comes_again: bool = False


@dataclass(frozen=True)
class Tap:
    """A button was tapped.

    token: that of the button. language: as in `PhotoMessage`. fetch: fetches the photo that the button's message
    answered; None if the platform cannot. in_public: others see the button's message. administers: checks whether the
    person who tapped administers the chat.
    """

    person: Person
    chat: Chat
    token: str
    language: str = ""
    fetch: Fetch | None = None
    in_public: bool = False
    administers: Administers = _nobody


class CommandName(StrEnum):
    """The commands that the service answers in the same way on all platforms."""

    START = "start"
    HELP = "help"
    SETTINGS = "settings"
    PRIVACY = "privacy"
    FORGET_ME = "forget_me"
    CHAT_SETTINGS = "chat_settings"


@dataclass(frozen=True)
class Command:
    """A command without arguments.

    language: as in `PhotoMessage`. administers: checks whether the person administers the chat.
    """

    person: Person
    chat: Chat
    name: CommandName
    language: str = ""
    administers: Administers = _nobody


class AdminCommandName(StrEnum):
    """The commands for admins of the model."""

    REVIEW = "review"
    RETRAIN = "retrain"
    MODELS = "models"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


@dataclass(frozen=True)
class AdminCommand:
    """A command for admins; the sender need not be one.

    words: the text after the command's name. language: as in `PhotoMessage`. in_public: others would see the answer.
    """

    person: Person
    name: AdminCommandName
    words: str = ""
    language: str = ""
    in_public: bool = False


class TokenError(ValueError):
    """The text is not a token of this bot."""


class Tone(Enum):
    """The style of a button, on platforms that can show it."""

    PLAIN = "plain"
    CHOSEN = "chosen"
    QUIET = "quiet"


@dataclass(frozen=True)
class Button:
    """A button: its label, its meaning in words (for screen readers), and the token of its `Tap`.

    token: at most 64 bytes of ASCII (Telegram's callback_data,
    https://core.telegram.org/bots/api#inlinekeyboardbutton).
    """

    label: str
    meaning: str
    token: str
    tone: Tone = Tone.PLAIN


ButtonRows = tuple[tuple[Button, ...], ...]
"""Rows of buttons, at most five of five: the limit of a Discord message
(https://discord.com/developers/docs/components).
"""


def in_rows(buttons: Sequence[Button], width: int) -> ButtonRows:
    """Return the buttons in rows of `width`; the last row has the rest."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))


@dataclass(frozen=True)
class Reply:
    """The reply to a photo or a command.

    reactions: one for each picture, None for no reaction; empty if there is nothing to react to. rows: buttons, at most
    five rows of five (Discord's limit). waiting: the final answer is still to come. picture: sent with the text.
    """

    text: str
    reactions: tuple[str | None, ...] = ()
    rows: ButtonRows = ()
    waiting: bool = False
    picture: MadePicture | None = None


@dataclass(frozen=True)
class TapReply:
    """The reply to a tap.

    notice: a short text for the person who tapped only. is_obvious: the new buttons already say it, so the notice may
    be omitted. rows: the message's new buttons, None to keep them. text: the message's new text, None to keep it.
    reaction: the photo's new reaction, None to keep it. picture: sent as a separate message, unless is_whole: then
    text, picture (or none) and rows replace the whole message with the button.
    """

    notice: str
    rows: ButtonRows | None = None
    text: str | None = None
    reaction: str | None = None
    is_obvious: bool = False
    picture: MadePicture | None = None
    is_whole: bool = False
