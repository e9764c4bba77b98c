"""Answer photos: read them, rank the emoji for the person who asks, store what was read, and compose the reply."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import texts
from bots.conversation.answers import MAX_FACES_LISTED, Outcome, answer_text, face_text
from bots.conversation.buttons import face_rows, making_rows, photo_rows
from bots.conversation.chat_emoji import ChatEmojiMaps
from bots.conversation.fetching import opened
from bots.conversation.picture_making import make_picture
from bots.conversation.recipient import Recipient
from bots.conversation.tastes import Tastes
from bots.messages import FaceReply, MadePicture, NotFetchedError, PhotoMessage, Picture, PictureToFetch, Reply
from bots.pictures.maker import PictureMaker
from bots.serving.fair_queue import TooManyError, Whose
from bots.serving.inference_pool import InferencePool
from bots.serving.shadowing import Shadowing
from db import FaceReading, ForgottenError, Platform, Store, StoredPhoto, TasteRevision
from recognizer import EmojiMap, Face, PhotoError, Recognizer
from recognizer.ranking import rank, reaction
from recognizer.taste import Table
from recognizer.verdict import SURE_FROM

MOST_SUGGESTED = 63
"""Number of emoji that a face's buttons lead to: the candidates and three more pages."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class ReadingParts:
    """What reads photos and stores the result.

    shadowing: lets another version read the same faces; None for no other. candidates: number of emoji first offered as
    buttons, 1 to 5.
    """

    recognizer: Recognizer
    store: Store
    pool: InferencePool
    picture_maker: PictureMaker
    tastes: Tastes
    chat_emoji: ChatEmojiMaps
    shadowing: Shadowing | None
    candidates: int


@dataclass
class _Read:
    """What was read of a message.

    not_fetched: a sentence for each picture that could not be fetched. picture: the only one, while it is in memory.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    not_fetched: list[str] = field(default_factory=list)
    picture: Picture | None = None

    @property
    def shows_faces(self) -> bool:
        return any(outcome.faces for outcome in self.outcomes)

    @property
    def has_failed(self) -> bool:
        """Return whether nothing could be read, for no reason in what was sent."""
        problems = [outcome.problem for outcome in self.outcomes]
        return bool(problems) and texts.FAILURES.issuperset(problems)

    def missing(self, photo: PhotoMessage, recipient: Recipient) -> tuple[str, ...]:
        """Return what to say about pictures that are not there."""
        known = [sentence for sentence in texts.SOME_MISSING if sentence in self.not_fetched]
        if not known:
            return (recipient.voice.say(photo.missing),) if photo.missing else ()
        return (recipient.voice.say(texts.SOME_MISSING[known[0]] if self.outcomes else known[0]),)


class PhotoAnswers:
    """Answers photos. Raises nothing: what cannot be read or stored becomes a sentence or an answer without buttons."""

    def __init__(self, parts: ReadingParts) -> None:
        self._parts = parts

    async def answer(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply:
        """Return the answer to a photo that somebody asked about. most_faces: of one picture, None for all."""
        async with self._reading(photo, most_faces) as read:
            missing = read.missing(photo, recipient)
            if not read.shows_faces:
                said = (answer_text(read.outcomes, recipient),) if read.outcomes else ()
                reactions = (None,) * len(read.outcomes)
                return Reply("\n".join((*said, *missing)), reactions, is_failure=read.has_failed)
            reply = await self._answered(photo, read, recipient)
        return replace(reply, text="\n".join((reply.text, *missing)))

    async def react(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply | None:
        """Return the reactions to a photo that nobody asked about, without words; None if there is no face in it."""
        async with self._reading(photo, most_faces) as read:
            if not read.shows_faces:
                return None
        _, reactions, stored = await self._ranked(photo, read.outcomes, recipient, least=0.0)
        return Reply("", reactions, photo=stored.id if stored is not None else 0)

    async def offer(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply | None:
        """Return the answer to a photo that nobody asked about; None if there is no face in it."""
        async with self._reading(photo, most_faces) as read:
            return await self._answered(photo, read, recipient) if read.shows_faces else None

    async def read(self, photo: PhotoMessage) -> list[Outcome]:
        """Return what is read in each picture of a message, by the taste of the map alone; store nothing."""
        async with self._reading(photo, None) as read:
            return [*read.outcomes, *(Outcome(problem=sentence) for sentence in read.not_fetched)]

    async def keep(self, photo: PhotoMessage, outcomes: Sequence[Outcome], shows: str) -> None:
        """Store what was read of a photo in which the first face was to show an emotion."""
        await self._keep(photo, outcomes, shows)

    async def shows_faces(self, photo: PhotoMessage) -> bool:
        """Return whether there is a face in a photo; store nothing."""
        async with self._reading(photo, None) as read:
            return read.shows_faces

    async def _answered(self, photo: PhotoMessage, read: "_Read", recipient: Recipient) -> Reply:
        """Return the answer to pictures of which one at least shows a face."""
        found = list(map(_from_left_to_right, read.outcomes)) if photo.shows_each_face else read.outcomes
        outcomes, reactions, stored = await self._ranked(photo, found, recipient)
        if photo.shows_each_face:
            return self._face_by_face(outcomes, reactions, stored, recipient)
        said = answer_text(outcomes, recipient, offers_choice=stored is not None)
        if stored is not None and not stored.is_introduced and not _has_read_the_start(photo):
            said = f"{said}\n{recipient.voice.say(texts.INTRODUCTION)}"
            await self._note_introduced(photo)
        return Reply(
            said,
            reactions,
            photo_rows(stored, self._parts.candidates, recipient) if stored is not None else (),
            picture=await self._numbered(photo, outcomes, read.picture),
            photo=stored.id if stored is not None else 0,
        )

    def _face_by_face(
        self,
        outcomes: Sequence[Outcome],
        reactions: tuple[str | None, ...],
        stored: StoredPhoto | None,
        recipient: Recipient,
    ) -> Reply:
        """Return the answer for a platform that shows every face apart."""
        found = [(outcome, face) for outcome in outcomes for face in outcome.faces]
        rows = (
            [face_rows(reading, self._parts.candidates, recipient) for reading in stored.readings]
            if stored is not None
            else [()] * len(found)
        )
        faces = tuple(
            FaceReply(
                face.box.shares_of(outcome.width, outcome.height),
                recipient.variant_of(face.emoji[0]),
                recipient.voice.say(texts.FEELINGS[face.emotion]),
                face_text(face, recipient, offers_choice=stored is not None),
                buttons,
            )
            for (outcome, face), buttons in zip(found, rows, strict=True)
        )
        said = faces[0].text if len(faces) == 1 else recipient.voice.count(texts.FACES_APART, len(faces))
        making = making_rows(stored, recipient) if stored is not None else ()
        return Reply(said, reactions, making, photo=stored.id if stored is not None else 0, faces=faces)

    async def _note_introduced(self, photo: PhotoMessage) -> None:
        try:
            await self._parts.store.consents.note_introduced(photo.person)
        except (SQLAlchemyError, OSError):
            _log.exception("introduction_not_noted", platform=photo.chat.platform)

    async def _ranked(
        self, photo: PhotoMessage, outcomes: Sequence[Outcome], recipient: Recipient, least: float = SURE_FROM
    ) -> tuple[list[Outcome], tuple[str | None, ...], StoredPhoto | None]:
        """Return what was read with its emoji ranked for the person who asks, a reaction to each picture, and what was
        stored of it. least: as in `_mood`.
        """
        emoji_map, revision = self._known_of(photo)
        taste = await self._parts.tastes.of(emoji_map, photo.person, photo.chat, revision)
        ranked = [_to_taste(outcome, emoji_map, taste) for outcome in outcomes]
        stored = await self._keep(photo, ranked)
        moods = (_mood(emoji_map, photo.chat.platform, outcome.faces, taste, least) for outcome in ranked)
        return ranked, tuple(mood and recipient.variant_of(mood) for mood in moods), stored

    @asynccontextmanager
    async def _reading(self, photo: PhotoMessage, most_faces: int | None) -> AsyncIterator["_Read"]:
        """Read the pictures of a message, one after the other; only one that is alone stays in memory in this
        context.
        """
        emoji_map, revision = self._known_of(photo)
        self._parts.tastes.prepare(emoji_map, photo.person, photo.chat, revision)  # while the photo is read
        read = _Read()
        if len(photo.pictures) != 1:
            for each in photo.pictures:
                async with self._opened(photo, each, read) as picture:
                    await self._add(photo, picture, read, most_faces)
            yield read
            return
        async with self._opened(photo, photo.pictures[0], read) as picture:
            await self._add(photo, picture, read, most_faces)
            read.picture = picture
            yield read

    def _known_of(self, photo: PhotoMessage) -> tuple[EmojiMap, TasteRevision | None]:
        """Return the map of a photo's chat, and what tells whether the taste of who asks has changed."""
        return self._parts.chat_emoji.with_own(photo.chat.platform, photo.known.own_emoji), photo.known.revision

    @asynccontextmanager
    async def _opened(
        self, photo: PhotoMessage, picture: Picture | PictureToFetch, read: "_Read"
    ) -> AsyncIterator[Picture | None]:
        """Hold a picture in memory; None, and why in `read`, if it cannot be fetched."""
        async with AsyncExitStack() as stack:
            fetched: Picture | None = None
            try:
                whose = Whose(photo.chat, photo.person)
                fetched = await stack.enter_async_context(opened(self._parts.pool, picture, whose))
            except TooManyError:
                read.outcomes.append(Outcome(problem=texts.SLOW_DOWN))
            except NotFetchedError as error:
                read.not_fetched.append(str(error))
            yield fetched

    async def _add(self, photo: PhotoMessage, picture: Picture | None, read: "_Read", most_faces: int | None) -> None:
        if picture is not None:
            outcome = await self._read(photo, picture)
            read.outcomes.append(replace(outcome, faces=outcome.faces[:most_faces]))

    async def _read(self, photo: PhotoMessage, picture: Picture) -> Outcome:
        whose = Whose(photo.chat, photo.person)
        try:
            reading = await self._parts.pool.run(partial(self._parts.recognizer.read, picture.content), whose)
        except TooManyError:
            return Outcome(problem=texts.SLOW_DOWN)
        except PhotoError as error:
            _log.info("photo_refused", platform=photo.chat.platform, code=error.code.value)
            return Outcome(problem=texts.PHOTO_PROBLEMS[error.code])
        except Exception:
            _log.exception("photo_failed", platform=photo.chat.platform)
            return Outcome(problem=texts.FAILED)
        ms = {f"{step}_ms": round(getattr(reading.ms, step), 1) for step in ("decode", "detect", "classify", "rank")}
        _log.info("photo_read", platform=photo.chat.platform, faces=len(reading.faces), model=reading.model, **ms)
        if not reading.faces:
            return Outcome(problem=texts.NO_FACE)
        return Outcome(reading.faces, model=reading.model, width=reading.width, height=reading.height)

    async def _keep(
        self, photo: PhotoMessage, outcomes: Sequence[Outcome], shows: str | None = None
    ) -> StoredPhoto | None:
        """Store the readings and return them; None if the database is unavailable, or somebody concerned was forgotten
        meanwhile."""
        faces = [face for outcome in outcomes for face in outcome.faces]
        model = next(outcome.model for outcome in outcomes if outcome.faces)
        kept = [FaceReading(face.probabilities, face.emoji[:MOST_SUGGESTED], face.crop.tobytes()) for face in faces]
        comes_again = photo.comes_again and len(photo.pictures) == 1
        try:
            stored = await self._parts.store.add_photo(
                photo.person,
                photo.chat,
                model,
                kept,
                comes_again=comes_again,
                sender=photo.sender,
                messages=photo.messages,
                shows=shows,
                forgettings=photo.forgettings or 0,
            )
        except ForgottenError:
            _log.info("photo_of_forgotten_not_kept", platform=photo.chat.platform)
            return None
        except (SQLAlchemyError, OSError):
            _log.exception("photo_not_kept", platform=photo.chat.platform)
            return None
        if self._parts.shadowing is not None:
            numbers = [reading.id for reading in stored.readings]
            self._parts.shadowing.later(numbers, [face.framings for face in faces])
        return stored

    async def _numbered(
        self, photo: PhotoMessage, outcomes: Sequence[Outcome], picture: Picture | None
    ) -> MadePicture | None:
        """Return the picture of several faces with their numbers; None for albums, whose answer is text only."""
        if picture is None or len(outcomes[0].faces) < 2:
            return None
        listed = outcomes[0].faces[:MAX_FACES_LISTED]
        make = partial(self._parts.picture_maker.outlined, picture.content, listed)
        made, _ = await make_picture(self._parts.pool, photo.person, photo.chat, make, picture)
        return made


def _has_read_the_start(photo: PhotoMessage) -> bool:
    """Return whether the platform shows everybody what the bot is before they can send a photo here: the web page does,
    and Telegram's apps send /start before anything else in a private chat.
    """
    is_alone = photo.chat.id == photo.person.id
    return photo.chat.platform is Platform.WEB or (photo.chat.platform is Platform.TELEGRAM and is_alone)


def _from_left_to_right(outcome: Outcome) -> Outcome:
    return replace(outcome, faces=tuple(sorted(outcome.faces, key=lambda face: face.box.x + face.box.width / 2)))


def _to_taste(outcome: Outcome, emoji_map: EmojiMap, taste: Table) -> Outcome:
    """Return the same faces with their emoji ranked for the person who asks."""
    ranked = (replace(face, emoji=rank(emoji_map, face.expression, taste).emoji) for face in outcome.faces)
    return replace(outcome, faces=tuple(ranked))


def _mood(
    emoji_map: EmojiMap, platform: str, faces: Sequence[Face], taste: Table, least: float = SURE_FROM
) -> str | None:
    """Return the reaction to one picture, by the mood of all its faces; None if that is less sure than `least`."""
    if not faces or np.mean([face.probabilities for face in faces], axis=0).max() < least:
        return None
    return reaction(emoji_map, platform, [face.expression for face in faces], taste)
