"""The only access to the database. Every method is one transaction."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import ColumnElement, Select, delete, exists, insert, or_, select, union, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

from db import sqlite
from db.chat_emoji import ChatEmoji
from db.chats import Chats, has_default_choices
from db.choices import Choices
from db.consent import CONSENT_VERSION, Consents, covers
from db.crop_keys import CropKeys
from db.crop_sealing import CropKeyError, CropSealing
from db.enums import TapOrigin
from db.feedback import Feedback
from db.forgettings import ForgottenError, count_forgetting, may_be_forgotten
from db.games import Games
from db.identity import Chat, Person
from db.journal import Journal, forget_sender
from db.keeping import Keeping
from db.leases import Leases
from db.migrate import upgrade
from db.people import row_of, rows_of_all
from db.personal_data import PersonalData
from db.photo_context import PhotoContexts
from db.preferences import COLUMNS, Preferences, preferences_in
from db.retention import Retention
from db.retrainings import Retrainings, note_erasure
from db.schema import (
    AnsweredMessageRow,
    Base,
    ChatEmojiRow,
    ChatRow,
    GameRow,
    OpenMessageRow,
    PersonRow,
    PhotoRow,
    PromotionRow,
    ReadingRow,
    RetrainingRow,
    ScoreRow,
    TapRow,
)
from db.taps import Taps, change_tastes, note
from db.transactions import Transactions
from db.update_claims import UpdateClaims
from db.versions import Versions

_KEEPING, _UNSEALED = Keeping(), CropSealing()
_MOST_MIGRATING_S = 120.0
"""How long to wait for another replica that migrates the same SQLite file."""
_CONNECTED_WITHIN_S = 10
"""How long to wait for a server that does not answer at all; the driver's own limit is a minute."""
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class StoreError(Exception):
    """The database cannot be used; the message says what to check, never a password."""


@dataclass(frozen=True)
class FaceReading:
    """One face to store: seven probabilities, the emoji suggested, and its 48x48 grey bytes."""

    probabilities: tuple[float, ...]
    suggestions: tuple[str, ...]
    crop: bytes


@dataclass(frozen=True)
class StoredReading:
    """One stored face, with the emoji last tapped for it, or the emotion that was said to be the right one, if any."""

    id: int
    probabilities: tuple[float, ...]
    suggestions: tuple[str, ...]
    chosen: str | None = None
    emotion: str | None = None


@dataclass(frozen=True)
class StoredPhoto:
    """The readings of one message, in the order they were added.

    own: the person who wants to know is the one who asked about it. comes_again: the platform can be asked for its
    picture once more. id: its number. of_another: somebody else than the one who asked had sent it. is_introduced: the
    person who asked was told before that a machine reads their faces.
    """

    own: bool
    readings: tuple[StoredReading, ...]
    comes_again: bool = False
    id: int = 0
    of_another: bool = False
    is_introduced: bool = True

    def with_choice(self, reading_id: int, emoji: str | None) -> "StoredPhoto":
        """Return the same photo after `emoji` was chosen for one of its readings."""
        changed = (replace(each, chosen=emoji) if each.id == reading_id else each for each in self.readings)
        return replace(self, readings=tuple(changed))


class Store:
    """People, photos and readings. People and chats are stored as hashes under `secret`.

    taps, chats, chat_emoji, photo_contexts, games, journal, leases, update_claims, personal_data, feedback, choices,
    consents, retention, crop_keys, versions and retrainings: the other parts of the same database. keeping: how long
    what is stored is kept. transactions: for what none of them offers.
    """

    def __init__(
        self,
        transactions: Transactions,
        secret: str,
        keeping: Keeping = _KEEPING,
        sealing: CropSealing = _UNSEALED,
    ) -> None:
        self.transactions = transactions
        self.keeping = keeping
        self._secret = secret
        self._sealing = sealing
        self.consents = Consents(transactions, secret, keeping)
        self.retention = Retention(transactions, keeping)
        self.crop_keys = CropKeys(transactions, sealing)
        self.feedback = Feedback(transactions, secret, sealing)
        self.choices = Choices(transactions, secret)
        self.chats = Chats(transactions, secret)
        self.taps = Taps(transactions, secret)
        self.chat_emoji = ChatEmoji(transactions, secret)
        self.photo_contexts = PhotoContexts(transactions, secret)
        self.games = Games(transactions, secret)
        self.journal = Journal(transactions, secret)
        self.leases = Leases(transactions)
        self.update_claims = UpdateClaims(transactions)
        self.personal_data = PersonalData(transactions, secret, sealing)
        self.versions = Versions(transactions, secret)
        self.retrainings = Retrainings(transactions, secret)

    @classmethod
    async def open(
        cls,
        url: str,
        secret: str,
        *,
        keeping: Keeping = _KEEPING,
        sealing: CropSealing = _UNSEALED,
        before_statement: Callable[[str], None] | None = None,
    ) -> "Store":
        """Connect and migrate the schema to the newest one. Raise `StoreError`.

        keeping: how long what is stored is kept. sealing: encrypts the crops of faces. before_statement: as in
        `Transactions`; not called for the migrations.
        """
        address = _async_url(url)
        file = _file_of(address)
        try:
            engine = await _connected(address, file, secret)
        except (SQLAlchemyError, OSError, ImportError, TypeError) as error:  # TypeError: options it does not know
            shown = _without_password(address)
            reason = next(iter(str(getattr(error, "orig", error)).splitlines()), type(error).__name__)
            raise StoreError(f"Cannot open the database {shown}: check DATABASE_URL ({reason}).") from error
        except CommandError as error:
            raise StoreError(
                f"The database {_without_password(address)} was written by a newer version of Mugmoji ({error}): "
                "update, or restore a backup of before."
            ) from error
        transactions = Transactions(engine, before_statement, file, partial(_migrate, secret=secret))
        return cls(transactions, secret, keeping, sealing)

    async def require_crop_key(self) -> None:
        """Raise `StoreError` if the keys at hand do not fit what is stored."""
        try:
            await self.crop_keys.require()
        except CropKeyError as error:
            raise StoreError(str(error)) from error

    async def close(self) -> None:
        """Close every connection."""
        await self.transactions.close()

    async def add_photo(  # noqa: PLR0913  # what is known of a photo
        self,
        person: Person,
        chat: Chat,
        model: str,
        faces: Sequence[FaceReading],
        *,
        comes_again: bool = False,
        sender: Person | None = None,
        messages: Sequence[str] = (),
        shows: str | None = None,
        forgettings: int | None = None,
    ) -> StoredPhoto:
        """Store what was read in one message; the crops only if everybody concerned agreed to it.

        person: who asked. sender: who sent the photo, if that is another person. messages: the ids, in the chat, of the
        messages with the pictures. shows: the emotion that the person was asked to show with the first face.
        forgettings: their count when the photo was asked about, None if that is just now. Raise `ForgottenError`.
        """
        concerned = [person, *([sender] if sender is not None else [])]
        async with self.transactions.write() as session:
            if forgettings is not None and await may_be_forgotten(session, forgettings, concerned, self._secret):
                raise ForgottenError
            rows, where = await rows_of_all(session, concerned, chat, self._secret)
            who = rows[person]
            author = rows[sender] if sender is not None and sender != person else None
            photo = {
                "person_id": who.id,
                "author_id": author.id if author is not None else None,
                "chat_id": where.id,
                "model": model,
                "comes_again": comes_again,
            }
            number: int = (await session.execute(_ADD_PHOTO, photo)).scalar_one()
            await note(session, number, [chat.message(each).hashed(self._secret) for each in messages])
            is_agreed = covers(who, self.keeping) and (author is None or covers(author, self.keeping))
            faces_read = [
                {
                    "photo_id": number,
                    "probabilities": list(face.probabilities),
                    "suggestions": list(face.suggestions),
                    "crop": self._sealing.seal(face.crop) if is_agreed else None,
                }
                for face in faces
            ]
            numbers = (await session.execute(_ADD_READINGS, faces_read)).scalars().all() if faces_read else ()
            if shows is not None and numbers:
                copied = {"sender_id": who.id, "chat_id": where.id, "origin": TapOrigin.PLAY.value}
                session.add(TapRow(reading_id=numbers[0], emotion=shows, **copied))
            stored = tuple(
                StoredReading(reading, face.probabilities, face.suggestions)
                for reading, face in zip(numbers, faces, strict=True)
            )
            return StoredPhoto(True, stored, comes_again, number, author is not None, who.is_introduced)

    async def photo_of(self, reading_id: int, asked_by: Person) -> StoredPhoto | None:
        """Return the photo that a reading belongs to; None if it is not there (any more)."""
        sender = (
            select(PhotoRow.id, PhotoRow.comes_again, PhotoRow.author_id, PersonRow.hash)
            .join(PersonRow, PhotoRow.person_id == PersonRow.id)
            .join(ReadingRow, ReadingRow.photo_id == PhotoRow.id)
            .where(ReadingRow.id == reading_id)
        )
        async with self.transactions.read() as session:
            found = (await session.execute(sender)).one_or_none()
            if found is None:
                return None
            photo_id, comes_again, author, asker_hash = found
            siblings = select(ReadingRow).where(ReadingRow.photo_id == photo_id).order_by(ReadingRow.id)
            rows = (await session.scalars(siblings)).all()
            of_asker = TapRow.reading_id.in_([row.id for row in rows]), TapRow.person_id.is_(None)
            taps = select(TapRow).where(*of_asker).order_by(TapRow.id)
            said = {tap.reading_id: tap for tap in await session.scalars(taps)}
            own = asker_hash == asked_by.hashed(self._secret)
            stored = tuple(_stored(row, said.get(row.id)) for row in rows)
            return StoredPhoto(own, stored, comes_again, photo_id, author is not None)

    async def keeps_faces(self, person: Person) -> bool:
        """Return whether this person agreed that crops of their faces are stored; False if they have not chosen, or
        agreed to older words."""
        return (await self.consents.of(person)).agreed

    async def set_keeps_faces(self, person: Person, agreed: bool) -> None:
        """Store the answer to the present words of consent; a no also deletes the crops that are stored, and those that
        are being stored at that moment.
        """
        async with self.transactions.write(alone=not agreed) as session:
            row = await row_of(session, PersonRow, person, self._secret)
            row.keeps_faces = agreed
            row.consent_version = row.asked_version = CONSENT_VERSION
            row.consent_days = row.asked_days = self.keeping.longest_crop_days
            if not agreed:
                photos = select(PhotoRow.id).where(_concerns(row.id))
                kept = update(ReadingRow).where(ReadingRow.photo_id.in_(photos), ReadingRow.crop.is_not(None))
                if (await session.scalars(kept.values(crop=None).returning(ReadingRow.id))).all():
                    await note_erasure(session)
        if not agreed:
            await self._scrub()

    async def _scrub(self) -> None:
        """Let what was deleted be readable nowhere; where that fails, the next deletion or the log's end does it."""
        with suppress(SQLAlchemyError, OSError):
            await self.transactions.scrub()

    async def preferences(self, person: Person) -> Preferences:
        """Return what this person set; empty preferences if nothing is known of them."""
        async with self.transactions.read() as session:
            query = select(*COLUMNS).where(PersonRow.hash == person.hashed(self._secret))
            found = (await session.execute(query)).one_or_none()
            return preferences_in(found) if found is not None else Preferences()

    async def set_preferences(self, person: Person, preferences: Preferences) -> None:
        """Store all of a person's preferences in place of the previous ones."""
        async with self.transactions.write() as session:
            row = await row_of(session, PersonRow, person, self._secret)
            for name, value in asdict(preferences).items():
                setattr(row, name, value)

    def mark_of(self, person: Person) -> int:
        """Return a number below 2**60 that tells this person from others and says nothing about them; it is stored
        nowhere.
        """
        return int(Person(person.platform, f"mark:{person.id}").hashed(self._secret)[:15], 16)

    async def forget(self, person: Person) -> bool:
        """Delete everything of this person, and chats in which nobody else did or set anything; return whether there
        was anything.

        Promotions and retrainings that they asked for stay, but no longer say who did. What is being read of them is
        not stored afterwards.
        """
        alone = Chat(person.platform, person.id)  # what most platforms call the chat with one person
        async with self.transactions.write(alone=True) as session:
            await count_forgetting(session)
            await forget_sender(session, person)
            was_known = await self._forget(session, person.hashed(self._secret), alone.hashed(self._secret))
        await self._scrub()
        return was_known

    async def _forget(self, session: AsyncSession, digest: str, alone: str) -> bool:
        promoted = update(PromotionRow).where(PromotionRow.by_hash == digest).values(by="", by_hash=None)
        asked = update(RetrainingRow).where(RetrainingRow.asked_by_hash == digest)
        acts = [
            *await session.scalars(promoted.returning(PromotionRow.id)),
            *await session.scalars(asked.values(asked_by="", asked_by_hash=None).returning(RetrainingRow.id)),
        ]
        waiting = delete(OpenMessageRow).where(OpenMessageRow.person_hash == digest)
        answered = delete(AnsweredMessageRow).where(AnsweredMessageRow.person_hash == digest)
        messages = [
            *await session.scalars(waiting.returning(OpenMessageRow.message_hash)),
            *await session.scalars(answered.returning(AnsweredMessageRow.message_hash)),
        ]
        who = await session.scalar(select(PersonRow.id).where(PersonRow.hash == digest).with_for_update())
        if who is None:
            return bool(acts or messages)
        places = (
            select(PhotoRow.chat_id).where(_concerns(who)),
            select(GameRow.chat_id).where(GameRow.person_id == who),
            select(ScoreRow.chat_id).where(ScoreRow.person_id == who),
        )
        chats = (await session.scalars(union(*places))).all()
        sent = PhotoRow.author_id == who
        others = (await session.scalars(select(PhotoRow.person_id).where(sent).distinct())).all()
        if await session.scalar(_taught_by(who)) is not None:
            await note_erasure(session)
        await session.execute(delete(PhotoRow).where(sent))
        await session.execute(delete(PersonRow).where(PersonRow.id == who))
        await change_tastes(session, others, chats)
        used = [exists().where(table.chat_id == ChatRow.id) for table in (PhotoRow, ScoreRow, GameRow, ChatEmojiRow)]
        is_empty = ChatRow.id.in_(chats) & ~or_(*used) & has_default_choices()
        await session.execute(delete(ChatRow).where(or_(is_empty, ChatRow.hash == alone)))
        return True


def _concerns(person: int) -> ColumnElement[bool]:
    """Return the condition that a person asked about a photo, or sent it."""
    return or_(PhotoRow.person_id == person, PhotoRow.author_id == person)


def _taught_by(person: int) -> "Select[int]":
    """Return the query for a face that may be learned from, and that is a person's or was judged by them."""
    own = select(PhotoRow.id).where(_concerns(person))
    said = exists().where(TapRow.reading_id == ReadingRow.id, TapRow.person_id == person)
    return select(ReadingRow.id).where(ReadingRow.crop.is_not(None), or_(ReadingRow.photo_id.in_(own), said)).limit(1)


_PHOTOS, _READINGS = (Base.metadata.tables[row.__tablename__] for row in (PhotoRow, ReadingRow))
_ADD_PHOTO = insert(_PHOTOS).returning(_PHOTOS.c.id)
_ADD_READINGS = insert(_READINGS).returning(_READINGS.c.id, sort_by_parameter_order=True)
"""Without mapped objects, which take several times as long as the statements."""


def _stored(row: ReadingRow, said: TapRow | None) -> StoredReading:
    chosen, emotion = (said.emoji, said.emotion) if said is not None else (None, None)
    return StoredReading(row.id, tuple(row.probabilities), tuple(row.suggestions), chosen, emotion)


def _async_url(url: str) -> URL:
    try:
        address = make_url(url)
        address = address.set(drivername=_DRIVERS[address.drivername.split("+")[0]])
    except (ArgumentError, KeyError, ValueError) as error:
        raise StoreError(
            "DATABASE_URL is not understood; write sqlite:///data/mugmoji.db or postgresql://user:password@host/name."
        ) from error
    return address


def _without_password(address: URL) -> str:
    return address.set(query={}).render_as_string(hide_password=True)


def _file_of(address: URL) -> sqlite.DatabaseFile | None:
    """Return the file of a SQLite database; None for one in memory, and for other databases."""
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return sqlite.DatabaseFile(Path(str(address.database)))


async def _connected(address: URL, file: sqlite.DatabaseFile | None, secret: str) -> AsyncEngine:
    """Return an engine whose database has the newest schema; a new SQLite file and its folder are created."""
    is_sqlite = address.get_backend_name() == "sqlite"
    opened = file.prepare() if file is not None else None
    options = {"async_creator_fn": sqlite.connection} if is_sqlite else {"timeout": _CONNECTED_WITHIN_S}
    engine = create_async_engine(address, pool_pre_ping=True, connect_args=options, hide_parameters=True)
    if is_sqlite:
        sqlite.listen(engine.sync_engine)
    try:
        await _migrate(engine, secret)
    except BaseException:
        await engine.dispose()
        raise
    if file is not None and opened is not None:
        file.know(opened)
    return engine


async def _migrate(engine: AsyncEngine, secret: str) -> None:
    """Bring a database to the newest schema; wait for others that do so at the same time."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(sqlite.is_busy),
        stop=stop_after_delay(_MOST_MIGRATING_S),
        wait=wait_random(0.05, 0.2),
        reraise=True,
    ):
        with attempt:
            async with engine.execution_options(**sqlite.WRITING).begin() as connection:
                await connection.run_sync(upgrade, secret)
