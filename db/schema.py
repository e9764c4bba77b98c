"""The tables. Change them here and add a migration (`alembic revision --autogenerate`); a test compares the two."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.enums import Automatic, TapOrigin
from db.moments import utc_now

_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER keys only


class Base(DeclarativeBase):
    """The base of every table; constraints have names, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _any_number() -> int:
    """Return a random start for a counter, so that a row created again after a deletion does not repeat an earlier
    count.
    """
    return secrets.randbits(48)


class ChatRow(Base):
    """A conversation, by its hash.

    everyone_taps: its administrators let people other than the sender say what a face shows. taste_revision: counts the
    changes to the taps of its photos' senders. automatic: a `db.Automatic`. quiet_from, quiet_until: the hours, 0 to
    23, between which nothing is automatic; empty for none. utc_offset_minutes: what the chat's clocks are ahead of UTC.
    most_faces: how many faces of a photo are answered, empty for as many as there are. allows_play: people may play a
    round with a scoreboard.
    """

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64))
    everyone_taps: Mapped[bool] = mapped_column(default=False, server_default=false())
    taste_revision: Mapped[int] = mapped_column(_Key, default=_any_number, server_default="1")
    automatic: Mapped[str] = mapped_column(String(8), default=Automatic.OFF.value, server_default=Automatic.OFF.value)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    utc_offset_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    most_faces: Mapped[int | None]
    allows_play: Mapped[bool] = mapped_column(default=False, server_default=false())


class PersonRow(Base):
    """A person, by their hash.

    keeps_faces: they agreed that 48x48 crops of their faces are stored. consent_version and consent_days: the words of
    `db.consent` that they answered, 0 for none, and the days that these named, 0 for ever. asked_version and
    asked_days: those that they were last asked about. is_introduced: they were told that a machine reads their faces.
    language, skin_tone, presentation, hair and hair_colour: what they set for themselves, empty if they set nothing.
    taste_revision: counts the changes to their taps on their own photos. known_since: how often somebody had been
    forgotten when they were stored.
    """

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64))
    keeps_faces: Mapped[bool] = mapped_column(default=False)
    consent_version: Mapped[int] = mapped_column(default=0, server_default="0")
    consent_days: Mapped[int] = mapped_column(default=0, server_default="0")
    asked_version: Mapped[int] = mapped_column(default=0, server_default="0")
    asked_days: Mapped[int] = mapped_column(default=0, server_default="0")
    is_introduced: Mapped[bool] = mapped_column(default=False, server_default=false())
    language: Mapped[str | None] = mapped_column(String(16))
    skin_tone: Mapped[str | None] = mapped_column(String(16))
    presentation: Mapped[str | None] = mapped_column(String(16))
    hair: Mapped[str | None] = mapped_column(String(16))
    hair_colour: Mapped[str | None] = mapped_column(String(16))
    known_since: Mapped[int] = mapped_column(_Key, default=0, server_default="0")
    taste_revision: Mapped[int] = mapped_column(_Key, default=_any_number, server_default="1")


class PhotoRow(Base):
    """One message with a picture (or an album): who asked about it, where, when, and the model that read it.

    author_id: who sent it, if somebody else asked; deleted with them by `Store.forget`. comes_again: the platform can
    be asked for the picture once more.
    """

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), index=True)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now, index=True)
    model: Mapped[str] = mapped_column(String(64))
    comes_again: Mapped[bool] = mapped_column(default=False, server_default=false())
    author_id: Mapped[int | None] = mapped_column(_Key, index=True)


class ChatEmojiRow(Base):
    """An emoji of a chat's own that is offered there.

    symbol: as the platform's adapter writes it. meaning: what an administrator said it stands for, an emotion or an
    emoji. stands_for: the emoji of the map that it counts as.
    """

    __tablename__ = "chat_emoji"
    __table_args__ = (UniqueConstraint("chat_id", "symbol"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), index=True)
    symbol: Mapped[str] = mapped_column(String(64))
    meaning: Mapped[str] = mapped_column(String(32))
    stands_for: Mapped[str] = mapped_column(String(32))


class GameRow(Base):
    """A game that is on in a chat.

    person_id: who plays alone, empty for a round of everybody. round: from 1. emotion and emoji: what is to be copied.
    asked: the emotions of all rounds so far. points: so far. message_hash: of the message that asks.
    """

    __tablename__ = "games"
    __table_args__ = (
        UniqueConstraint("chat_id", "person_id"),
        UniqueConstraint("message_hash"),
        {"sqlite_autoincrement": True},  # never reuse the number of a game that is over
    )

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    round: Mapped[int]
    emotion: Mapped[str] = mapped_column(String(16))
    emoji: Mapped[str] = mapped_column(String(32))
    asked: Mapped[list[str]] = mapped_column(JSON)
    points: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    message_hash: Mapped[str | None] = mapped_column(String(64))


class AttemptRow(Base):
    """What somebody got in a round of everybody: the best of their attempts."""

    __tablename__ = "attempts"

    game_id: Mapped[int] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True)
    points: Mapped[int]


class ScoreRow(Base):
    """What somebody has on the scoreboard of a chat, under the name that they are called there."""

    __tablename__ = "scores"

    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(64))
    points: Mapped[int]
    rounds: Mapped[int]


class MessageRow(Base):
    """A message with a photo, or the bot's answer to it, by its hash: people react on either."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(64))


class OpenMessageRow(Base):
    """A message with a photo that is being answered; removed once it is.

    message_hash, person_hash, chat_hash: of the message that asks, who asks, and where. address: what the platform
    needs to find the message again, ids and no content. holder, held_until: the process that answers it, and until when
    nobody else does. is_sending: its answer may have been sent already. forgettings: how often somebody
    had been forgotten when it was asked about.
    """

    __tablename__ = "open_messages"
    __table_args__ = (UniqueConstraint("message_hash"), {"sqlite_autoincrement": True})  # a number names one message

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    message_hash: Mapped[str] = mapped_column(String(64))
    person_hash: Mapped[str] = mapped_column(String(64), index=True)
    chat_hash: Mapped[str] = mapped_column(String(64), index=True)
    address: Mapped[dict[str, Any]] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    holder: Mapped[str] = mapped_column(String(32), index=True)
    held_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_sending: Mapped[bool]
    forgettings: Mapped[int] = mapped_column(_Key, default=0, server_default="0")


class AnsweredMessageRow(Base):
    """A message that was answered, by its hash, for as long as a platform may bring it again."""

    __tablename__ = "answered_messages"

    message_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_hash: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class LeaseRow(Base):
    """Something that only one process does at a time: by its name, which process that is, and until when no other."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    held_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class UpdateClaimRow(Base):
    """An update of Telegram that a process has taken: by the bot's number and its own, which say nothing of anybody.

    held_until: until when it is left to that process; empty for good. at: when it was taken.
    """

    __tablename__ = "update_claims"

    bot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(String(32), index=True)
    held_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class ForgettingsRow(Base):
    """How often somebody was forgotten, in one row."""

    __tablename__ = "forgettings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(_Key)


class ReadingRow(Base):
    """One face of a photo.

    probabilities: seven, in the order of `recognizer.EMOTIONS`. suggestions: emoji, best first. crop: 48x48 grey bytes
    in row order, only with consent, as `db.crop_sealing` stores them.
    """

    __tablename__ = "readings"
    __table_args__ = ({"sqlite_autoincrement": True},)  # never reuse a deleted reading's number: buttons still carry it

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), index=True)
    probabilities: Mapped[list[float]] = mapped_column(JSON)
    suggestions: Mapped[list[str]] = mapped_column(JSON)
    crop: Mapped[bytes | None] = mapped_column(LargeBinary)


class TapRow(Base):
    """One tap; the latest of a person on a reading counts.

    person_id: who tapped, empty if the one who asked about the photo did; of others, only the latest is stored. emoji:
    what was chosen. emotion: what they say the face shows, or were asked to show. Both empty: none of the suggestions
    fitted. origin: a `db.TapOrigin`. sender_id and chat_id: `person_id` and `chat_id` of the photo, copied, so that
    the newest taps of either are found by an index.
    """

    __tablename__ = "taps"
    __table_args__ = (
        Index("ix_taps_sender_id_tapped_at", "sender_id", "tapped_at"),
        Index("ix_taps_chat_id_tapped_at", "chat_id", "tapped_at"),
        Index("ix_taps_reading_id_person_id", "reading_id", "person_id", unique=True),
    )

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sender_id: Mapped[int] = mapped_column(_Key)
    chat_id: Mapped[int] = mapped_column(_Key)
    tapped_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now, index=True)
    emoji: Mapped[str | None] = mapped_column(String(64))
    emotion: Mapped[str | None] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(8), default=TapOrigin.BUTTON.value, server_default="button")


class LabelRow(Base):
    """What an admin, or a set of labelled faces, says a face shows.

    person_id: the admin, empty once they were forgotten. verdict: an emotion, "not_a_face" or "unsure". Labels are
    added and deleted, never overwritten.
    """

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    labelled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now, index=True)
    source: Mapped[str] = mapped_column(String(8))
    verdict: Mapped[str] = mapped_column(String(16))


class ModelRow(Base):
    """One version of the model.

    artefact: the bytes of its folder in one file, empty once they were deleted. role: "active" or "shadow", each at
    most once. metrics: how it was judged. fingerprint: SHA-256 of the labels it learned from.
    """

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("version"), UniqueConstraint("role"))

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now)
    origin: Mapped[str] = mapped_column(String(8))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))
    artefact: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    fingerprint: Mapped[str] = mapped_column(String(64))
    role: Mapped[str | None] = mapped_column(String(8))


class PromotionRow(Base):
    """The promotion of a version to the active one: in place of which, when, by whom and why.

    by: the name that admins are shown. by_hash: the admin's hash. Both are emptied if the admin asks to be forgotten.
    """

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"), index=True)
    replaced_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now)
    by: Mapped[str] = mapped_column(String(64))
    by_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)


class LessonRow(Base):
    """A face that a version learned from or was judged by.

    part: "learn" or "judge". label: a weight for each of `recognizer.EMOTIONS`, summing to 1. is_played: somebody was
    asked to show an emotion in a game.
    """

    __tablename__ = "lessons"

    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"), primary_key=True, index=True)
    part: Mapped[str] = mapped_column(String(8))
    weight: Mapped[float] = mapped_column(Float)
    label: Mapped[list[float]] = mapped_column(JSON)
    is_played: Mapped[bool] = mapped_column(default=False, server_default=false())


class ShadowRow(Base):
    """How a version in shadow read a face that the active one answered; seven probabilities."""

    __tablename__ = "shadows"

    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"), primary_key=True, index=True)
    probabilities: Mapped[list[float]] = mapped_column(JSON)


class RetrainingRow(Base):
    """One retraining.

    slot: 1 while it runs, so that there is one at a time. asked_by and asked_by_hash: as `by` and `by_hash` of a
    promotion. beat_at: when its process last reported. progress: 0 to 1. erasures: how often something that it may have
    learned from was deleted since it started.
    """

    __tablename__ = "retrainings"
    __table_args__ = (UniqueConstraint("slot"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    slot: Mapped[int | None]
    depth: Mapped[str] = mapped_column(String(8))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_by_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    beat_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(200))
    progress: Mapped[float] = mapped_column(Float)
    cancel: Mapped[bool]
    erasures: Mapped[int] = mapped_column(default=0, server_default="0")
    message: Mapped[str] = mapped_column(Text)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id"))


class ClockRow(Base):
    """What was seen of the clock, in one row: by one that leapt nothing is deleted at first.

    believed_at: the time at which it was last believed. doubted_at: the time that it showed when it was first far from
    that.
    """

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    believed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    doubted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
