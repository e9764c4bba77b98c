"""The shapes of what the web interface answers, as JSON: the replies of the service, translated."""

import base64
from typing import Literal, Self

from pydantic import BaseModel, Field

from bots.conversation.buttons import is_choice, needs_photo, shows_more
from bots.conversation.languages import Voice
from bots.messages import (
    Button,
    ButtonRows,
    Cover,
    CoversReply,
    FaceCover,
    FaceReply,
    Form,
    MadeFile,
    MadePicture,
    Reply,
    TapReply,
)
from bots.web.wording import without_commands

_KINDS = {
    Form.PHOTO: ("image/jpeg", "emoji.jpg"),
    Form.STICKER: ("image/png", "sticker.png"),
    Form.ANIMATION: ("image/gif", "emoji.gif"),
}
"""The media type and the name of a file for each form of a picture that the bot made."""


MOST_EMOJI = 32
"""Characters of an emoji: a family of four with skin tones has 11."""


class ButtonShape(BaseModel):
    """A button. meaning: its label in words. token: what a tap on it sends back. needs_photo: together with the photo
    that the answer belongs to. shows_more: its answer's rows are all emoji that fit, and take no other button's place.
    is_choice: it is one of several of which one holds, the one with the tone "chosen"; any other does something.
    """

    label: str
    meaning: str
    token: str
    tone: Literal["plain", "chosen", "quiet"]
    needs_photo: bool
    shows_more: bool
    is_choice: bool

    @classmethod
    def of(cls, button: Button) -> Self:
        """Translate a button."""
        return cls(
            label=button.label,
            meaning=button.meaning,
            token=button.token,
            tone=button.tone.value,
            needs_photo=needs_photo(button.token),
            shows_more=shows_more(button.token),
            is_choice=is_choice(button.token),
        )


Rows = list[list[ButtonShape]]


class FaceShape(BaseModel):
    """One face, from left to right. box: left, top, width and height as shares of the upright photo's sides. emoji: the
    one that fits best. feeling: the word for what the face shows.
    """

    box: tuple[float, float, float, float]
    emoji: str
    feeling: str
    text: str
    rows: Rows

    @classmethod
    def of(cls, face: FaceReply) -> Self:
        """Translate a face."""
        return cls(box=rounded(face.box), emoji=face.emoji, feeling=face.feeling, text=face.text, rows=_rows(face.rows))


class FileShape(BaseModel):
    """A file to show or to keep. type: its media type. content: its bytes in base64."""

    name: str
    type: str
    content: str

    @classmethod
    def of_picture(cls, picture: MadePicture) -> Self:
        """Translate a picture that the bot made."""
        kind, name = _KINDS[picture.form]
        return cls(name=name, type=kind, content=base64.b64encode(picture.content).decode())

    @classmethod
    def of_file(cls, file: MadeFile) -> Self:
        """Translate a file for a person to keep."""
        return cls(name=file.name, type="application/json", content=base64.b64encode(file.content).decode())


class ReplyShape(BaseModel):
    """The answer to a photo or a command. reaction: to the photo as a whole, null for none. rows: of the whole answer.
    preview: the photo as a JPEG, where it was asked for and the photo can be opened.
    """

    text: str
    reaction: str | None = None
    faces: list[FaceShape] = Field(default_factory=list)
    rows: Rows = Field(default_factory=list)
    picture: FileShape | None = None
    file: FileShape | None = None
    preview: FileShape | None = None

    @classmethod
    def of(cls, reply: Reply, voice: Voice) -> Self:
        """Translate a reply, without a preview."""
        return cls(
            text=without_commands(reply.text, voice),
            reaction=next(iter(reply.reactions), None),
            faces=[FaceShape.of(face) for face in reply.faces],
            rows=_rows(reply.rows),
            picture=FileShape.of_picture(reply.picture) if reply.picture is not None else None,
            file=FileShape.of_file(reply.file) if reply.file is not None else None,
        )


class TapReplyShape(BaseModel):
    """The answer to a tap. notice: a sentence about the tap. is_obvious: what changes says it already. text, reaction,
    feeling, rows: what is new in what the button belongs to, null for what stays. picture: shown as an answer of its
    own, with picture_rows; if is_whole, text, picture and rows replace the answer that the button belongs to. question:
    asked as an answer of its own. covers: the token with which `POST /covers` says what covers the faces of the
    picture, null if nothing can be changed. has_forgotten: everything about the person was deleted. language: the
    person's own from now on.
    """

    notice: str
    is_obvious: bool = False
    text: str | None = None
    reaction: str | None = None
    feeling: str | None = None
    rows: Rows | None = None
    picture: FileShape | None = None
    picture_rows: Rows = Field(default_factory=list)
    is_whole: bool = False
    covers: str | None = None
    question: ReplyShape | None = None
    has_forgotten: bool = False
    language: str

    @classmethod
    def of(cls, reply: TapReply, voice: Voice) -> Self:
        """Translate a reply to a tap. voice: the person's own from now on."""
        return cls(
            notice=without_commands(reply.notice, voice),
            is_obvious=reply.is_obvious,
            text=without_commands(reply.text, voice) if reply.text is not None else None,
            reaction=reply.reaction,
            feeling=reply.feeling,
            rows=_rows(reply.rows) if reply.rows is not None else None,
            picture=FileShape.of_picture(reply.picture) if reply.picture is not None else None,
            picture_rows=_rows(reply.picture_rows),
            is_whole=reply.is_whole,
            covers=reply.covers or None,
            question=ReplyShape.of(reply.question, voice) if reply.question is not None else None,
            has_forgotten=reply.has_forgotten,
            language=voice.language,
        )


class CoverShape(BaseModel):
    """What covers a place of a photo. x, y: its centre as shares of the upright photo's width and height. radius: as a
    share of its longer side. tilt: degrees, clockwise. emoji: null for a blur.
    """

    x: float = Field(ge=-1, le=2, allow_inf_nan=False)
    y: float = Field(ge=-1, le=2, allow_inf_nan=False)
    radius: float = Field(ge=0.001, le=2, allow_inf_nan=False)
    tilt: float = Field(ge=-360, le=360, allow_inf_nan=False)
    emoji: str | None = Field(max_length=MOST_EMOJI)

    @property
    def cover(self) -> Cover:
        """Translate it back."""
        return Cover(self.x, self.y, self.radius, self.tilt, self.emoji)


class FaceCoverShape(BaseModel):
    """What covers a face. x, y, radius, tilt, emoji: as in `CoverShape`, where they may lie beyond its limits. choices:
    emoji that may cover it, the best first.
    """

    x: float
    y: float
    radius: float
    tilt: float
    emoji: str | None
    choices: list[str]

    @classmethod
    def of(cls, face: FaceCover) -> Self:
        """Translate what covers a face."""
        cover = face.cover
        x, y, radius = (round(share, 4) for share in (cover.x, cover.y, cover.radius))
        return cls(
            x=x, y=y, radius=radius, tilt=round(cover.tilt_degrees, 1), emoji=cover.emoji, choices=list(face.choices)
        )


class CoversShape(BaseModel):
    """What covers the faces of a photo, from left to right.

    text: why there is nothing to be covered, else empty. names: of the emoji that may cover them, in the person's
    language.
    """

    text: str
    covers: list[FaceCoverShape]
    names: dict[str, str]

    @classmethod
    def of(cls, reply: CoversReply) -> Self:
        """Translate what covers the faces."""
        covers = [FaceCoverShape.of(each) for each in reply.covers]
        return cls(text=reply.text, covers=covers, names=dict(reply.names))


class WaitingShape(BaseModel):
    """A line before the answer: the photo waits for its turn."""

    waiting: Literal[True]
    text: str


class ProblemShape(BaseModel):
    """Why nothing was done, in the person's language. again: the same may be sent once more."""

    text: str
    again: bool


def rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the shares of a box in a ten-thousandth of a side."""
    left, top, width, height = (round(share, 4) for share in box)
    return (left, top, width, height)


def _rows(rows: ButtonRows) -> Rows:
    return [[ButtonShape.of(button) for button in row] for row in rows]
