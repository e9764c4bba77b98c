"""The tables. Change them here and add a migration (`alembic revision --autogenerate`); a test compares the two."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only for INTEGER keys


class Base(DeclarativeBase):
    """Every table; constraints have names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _now() -> datetime:
    return datetime.now(UTC)


class ChatRow(Base):
    """A conversation, by its hash."""

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64))


class PersonRow(Base):
    """A person, by their hash. keeps_faces: they agreed that 48x48 crops of their faces are kept. language, skin_tone
    and presentation: what they set for themselves, empty where they set nothing."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64))
    keeps_faces: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(16))
    skin_tone: Mapped[str | None] = mapped_column(String(16))
    presentation: Mapped[str | None] = mapped_column(String(16))


class PhotoRow(Base):
    """One message with a picture (or an album): who sent it, where, when, and the model that read it. comes_again: the
    platform can be asked for the picture once more."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), index=True)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)
    model: Mapped[str] = mapped_column(String(64))
    comes_again: Mapped[bool] = mapped_column(default=False, server_default=false())


class ReadingRow(Base):
    """One face of a photo. probabilities: seven, in the order of `recognizer.EMOTIONS`. suggestions: emoji, best
    first. crop: 48x48 grey bytes in row order, only with consent."""

    __tablename__ = "readings"
    __table_args__ = ({"sqlite_autoincrement": True},)  # a forgotten reading's number, still on a button, never returns

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), index=True)
    probabilities: Mapped[list[float]] = mapped_column(JSON)
    suggestions: Mapped[list[str]] = mapped_column(JSON)
    crop: Mapped[bytes | None] = mapped_column(LargeBinary)


class TapRow(Base):
    """One tap; the latest of a reading is the one that counts. emoji: what was chosen. emotion: what the sender says
    the face really showed. Both empty: none of the suggestions fitted."""

    __tablename__ = "taps"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.id", ondelete="CASCADE"), index=True)
    tapped_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)
    emoji: Mapped[str | None] = mapped_column(String(32))
    emotion: Mapped[str | None] = mapped_column(String(16))
