"""Messages between the platforms' adapters and the service: frozen dataclasses, the same for all platforms."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum

from db import Chat, Person, PhotoContext

MOST_FILE_BYTES = 20 * 2**20
"""The largest file that the bot takes from any platform: what Telegram hands out
(https://core.telegram.org/bots/api#getfile), and the bot asks of the others.
"""


@dataclass(frozen=True, repr=False)
class Picture:
    """One file that was sent: a still picture or a clip, as its bytes say.

    has_spoiler: it was sent hidden, so whatever is made from it is sent hidden, too.
    """

    content: bytes
    has_spoiler: bool = False


class NotFetchedError(Exception):
    """A platform does not hand out a file; the message is the sentence (of `texts`) for where it was the only one."""


@dataclass(frozen=True, repr=False)
class PictureToFetch:
    """One file that was sent and is still with its platform.

    fetch: fetches it; raises `NotFetchedError`. most_bytes: as the platform says, else what it hands out at most.
    """

    fetch: Callable[[], Awaitable[Picture]]
    most_bytes: int = MOST_FILE_BYTES


class Form(Enum):
    """How a picture made by the bot is sent."""

    PHOTO = "photo"
    STICKER = "sticker"
    ANIMATION = "animation"


class StickerEmoji(IntEnum):
    """Where the emoji of a sticker is; the value is the choice in a token."""

    ON_FACE = 0
    BESIDE = 1
    NONE = 2


@dataclass(frozen=True)
class Cover:
    """What covers a place of a photo: an emoji, or None for a blur.

    x, y: its centre as shares of the photo's width and height. radius: as a share of its longer side. tilt_degrees:
    clockwise.
    """

    x: float
    y: float
    radius: float
    tilt_degrees: float
    emoji: str | None


MOST_COVERS = 100
"""Covers of a photo that a person may arrange."""


@dataclass(frozen=True)
class FaceCover:
    """What covers a face of a photo, and the emoji that may do so instead, the best first."""

    cover: Cover
    choices: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class MadePicture:
    """A picture made by the bot: the bytes of a file and how to send it.

    A photo is a JPEG. A sticker is WebP on Telegram and PNG elsewhere. An animation is MP4 on Telegram and GIF
    elsewhere. has_spoiler: it is sent hidden; it is never a sticker then, since those cannot be.
    """

    content: bytes
    form: Form
    has_spoiler: bool = False


@dataclass(frozen=True, repr=False)
class MadeFile:
    """A file for a person to keep, with its name."""

    name: str
    content: bytes


Fetch = Callable[[], Awaitable[Picture | None]]
"""Fetches the photo again that an answer belongs to; returns None if the platform no longer has it."""


Administers = Callable[[], Awaitable[bool]]
"""Asks the platform whether a person administers the chat; true in their own private chat."""


Alias = Callable[[], Awaitable[Person | None]]
"""Asks the platform for the identity, other than their own, under which a person may have sent the photo that a button
belongs to: that of the chat for its anonymous administrators, or of a channel for its own. None if there is none."""


async def _nobody() -> bool:
    return False


async def _no_alias() -> None:
    return None


@dataclass(frozen=True)
class PhotoMessage:
    """One message with a picture, or an album of several, to be answered once.

    person: who asks. sender: who sent the photo, if that is another person. language: that of the person who asks, as
    the platform reports it (a tag or a browser's list of them); empty if unknown. pictures: in memory, or still with
    the platform. comes_again: the photo can be fetched again when a button of the answer is tapped. is_automatic:
    nobody asked, the chat has automatic reactions. messages: the platform's ids of the messages with the pictures.
    missing: the sentence (of `texts`) about files of the same message that could not be fetched; empty if there are
    none. pictures may be empty then. replies_to: the platform's id of the message that this one replies to, empty for
    none. is_new: the pictures came with the message that asks, neither in one that it replies to nor forwarded. name:
    what the person who asks is called in the chat. forgettings: how often somebody had been forgotten when it was asked
    about, None if nobody looked. shows_each_face: the platform shows every face of the answer apart, from left to
    right, with buttons of its own. context: what is known of the person and the chat, None if nobody looked.
    """

    person: Person
    chat: Chat
    pictures: tuple[Picture | PictureToFetch, ...]
    language: str = ""
    comes_again: bool = False
    sender: Person | None = None
    is_automatic: bool = False
    messages: tuple[str, ...] = ()
    missing: str = ""
    replies_to: str = ""
    name: str = ""
    is_new: bool = True
    forgettings: int | None = None
    shows_each_face: bool = False
    context: PhotoContext | None = None

    @property
    def known(self) -> PhotoContext:
        """Return what is known of the person and the chat: nothing if nobody looked."""
        return self.context or PhotoContext()


@dataclass(frozen=True)
class Tap:
    """A button was tapped.

    token: that of the button. language: as in `PhotoMessage`. fetch: fetches the photo that the button's message
    answered; None if the platform cannot. most_bytes: that this photo may have. in_public: others see the button's
    message. administers: checks whether the person who tapped administers the chat. alias: asked only if the photo is
    not the person's own. sender: who sent the photo that the button's message answered, None if that is not known.
    author: who sent it at first, if it was forwarded.
    photo_message: the platform's id of the message with that photo, empty if there is none. sees_all_photos: as in
    `Command`. shows_each_face: as in `PhotoMessage`; the buttons are those of one face.
    """

    person: Person
    chat: Chat
    token: str
    language: str = ""
    fetch: Fetch | None = None
    in_public: bool = False
    administers: Administers = _nobody
    alias: Alias = _no_alias
    sender: Person | None = None
    author: Person | None = None
    photo_message: str = ""
    sees_all_photos: bool = True
    most_bytes: int = MOST_FILE_BYTES
    shows_each_face: bool = False


@dataclass(frozen=True)
class PeopleReaction:
    """A person put their own reactions on a message with a photo, or on the bot's answer to it.

    message: the platform's id of that message. emoji: the reactions of this person that are there now; empty if they
    took the last one away.
    """

    person: Person
    chat: Chat
    message: str
    emoji: tuple[str, ...]


class CommandName(StrEnum):
    """The commands that the service answers in the same way on all platforms."""

    START = "start"
    HELP = "help"
    SETTINGS = "settings"
    PRIVACY = "privacy"
    PLAY = "play"
    MY_DATA = "my_data"
    FORGET_ME = "forget_me"
    CHAT_SETTINGS = "chat_settings"


@dataclass(frozen=True)
class Command:
    """A command without arguments.

    language: as in `PhotoMessage`. administers: checks whether the person administers the chat. sees_all_photos: False
    where the platform shows the bot only photos with which somebody turns to it. in_public: others would see the
    answer.
    """

    person: Person
    chat: Chat
    name: CommandName
    language: str = ""
    administers: Administers = _nobody
    sees_all_photos: bool = True
    in_public: bool = False


@dataclass(frozen=True)
class ChatEmojiCommand:
    """The command that maps an emoji of a chat's own.

    words: the emoji, as `bots.custom_emoji` writes it, and what it means; empty to list what is mapped. language and
    administers: as in `Command`.
    """

    person: Person
    chat: Chat
    words: str = ""
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
    https://core.telegram.org/bots/api#inlinekeyboardbutton). icon: a custom emoji to show before the label, as
    `bots.custom_emoji` writes it, empty for none; the label alone must do where it cannot be shown.
    """

    label: str
    meaning: str
    token: str
    tone: Tone = Tone.PLAIN
    icon: str = ""


ButtonRows = tuple[tuple[Button, ...], ...]
"""Rows of buttons, at most five of five: the limit of a Discord message
(https://discord.com/developers/docs/components).
"""


def in_rows(buttons: Sequence[Button], width: int) -> ButtonRows:
    """Return the buttons in rows of `width`; the last row has the rest."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))


@dataclass(frozen=True)
class FaceReply:
    """One face of the reply to a photo, for platforms that show each face apart.

    box: left, top, width and height as shares of the upright picture's width and height. emoji: the one ranked first.
    feeling: the word for what the face shows. text: what is said of the face. rows: its buttons, empty where nothing
    can be remembered.
    """

    box: tuple[float, float, float, float]
    emoji: str
    feeling: str
    text: str
    rows: ButtonRows = ()


@dataclass(frozen=True)
class Reply:
    """The reply to a photo or a command.

    text: empty if nothing is to be said and only the reactions are to be set. reactions: one for each picture, None
    for no reaction; empty if there is nothing to react to. rows: buttons, at most five rows of five (Discord's limit).
    waiting: the final answer is still to come. picture: sent with the text. file: sent with the text. photo: the number
    under which the answered photo is stored, 0 for none; the adapter hands it to `EmojiService.note_answer` with the
    id of the message that it sent. game: the number of a round that this message asks for, 0 for none; handed to
    `EmojiService.note_round` in the same way. faces: for a platform that shows each face apart, all of them; the rows
    are then those of the whole photo. is_failure: nothing was done, for no reason in what was sent, and the same may
    be sent again.
    """

    text: str
    reactions: tuple[str | None, ...] = ()
    rows: ButtonRows = ()
    waiting: bool = False
    picture: MadePicture | None = None
    file: MadeFile | None = None
    photo: int = 0
    game: int = 0
    faces: tuple[FaceReply, ...] = ()
    is_failure: bool = False


@dataclass(frozen=True)
class TapReply:
    """The reply to a tap.

    notice: a short text for the person who tapped only. is_obvious: the new buttons already say it, so the notice may
    be omitted. rows: the message's new buttons, None to keep them. text: the message's new text, None to keep it.
    reaction: the photo's new reaction, None to keep it. feeling: the new word for what the face shows, on platforms
    that show every face apart, None to keep it. picture: sent as a separate message, unless is_whole: then
    text, picture (or none) and rows replace the whole message with the button; if there is nothing in any of them, the
    message goes. is_for_pack: the sticker with the button goes into the person's own pack, and the notice is said only
    where there is none. picture_rows: buttons under a picture that is sent as a separate message. photo: as in `Reply`,
    for the message with the button. covers: the token with which `EmojiService.on_covers` says what covers the faces of
    the picture, empty if nobody can change that. question: sent as a message of its own after the rest, which only the
    person who tapped may see. has_forgotten: everything about the person who tapped was deleted; the adapter deletes
    what it made for them on the platform.
    """

    notice: str
    rows: ButtonRows | None = None
    text: str | None = None
    reaction: str | None = None
    is_obvious: bool = False
    picture: MadePicture | None = None
    is_whole: bool = False
    photo: int = 0
    picture_rows: ButtonRows = ()
    is_for_pack: bool = False
    covers: str = ""
    question: Reply | None = None
    has_forgotten: bool = False
    feeling: str | None = None


@dataclass(frozen=True)
class CoversReply:
    """What covers the faces of a photo, from left to right.

    text: why there is nothing to be covered, else empty. names: of all emoji that may cover them, in the person's
    language.
    """

    text: str
    covers: tuple[FaceCover, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
