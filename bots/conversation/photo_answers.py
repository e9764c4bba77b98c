"""Answer photos: read them, rank the emoji for the person who asks, store what was read, and compose the reply."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import texts
from bots.conversation.answers import MAX_FACES_LISTED, Outcome, answer_text
from bots.conversation.buttons import photo_rows
from bots.conversation.chat_emoji import ChatEmojiMaps
from bots.conversation.picture_making import make_picture
from bots.conversation.recipient import Recipient
from bots.conversation.tastes import Tastes
from bots.messages import MadePicture, PhotoMessage, Picture, Reply
from bots.pictures.maker import PictureMaker
from bots.serving.emoji_map_watch import EmojiMapWatch
from bots.serving.fair_queue import TooManyError, Whose
from bots.serving.inference_pool import InferencePool
from bots.serving.shadowing import Shadowing
from db import FaceReading, Store, StoredPhoto
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

    emoji_map_watch: reloads an edited emoji map; None keeps the map. shadowing: lets another version read the same
    faces; None for no other. candidates: number of emoji first offered as buttons, 1 to 5.
    """

    recognizer: Recognizer
    store: Store
    pool: InferencePool
    picture_maker: PictureMaker
    tastes: Tastes
    chat_emoji: ChatEmojiMaps
    emoji_map_watch: EmojiMapWatch | None
    shadowing: Shadowing | None
    candidates: int


class PhotoAnswers:
    """Answers photos. Raises nothing: what cannot be read or stored becomes a sentence or an answer without buttons."""

    def __init__(self, parts: ReadingParts) -> None:
        self._parts = parts

    async def answer(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply:
        """Return the answer to a photo that somebody asked about. most_faces: of one picture, None for all."""
        outcomes = await self._outcomes(photo, most_faces)
        missing = (recipient.voice.say(photo.missing),) if photo.missing else ()
        if not any(outcome.faces for outcome in outcomes):
            said = (answer_text(outcomes, recipient),) if outcomes else ()
            return Reply("\n".join((*said, *missing)), (None,) * len(outcomes))
        reply = await self._answered(photo, outcomes, recipient)
        return replace(reply, text="\n".join((reply.text, *missing)))

    async def react(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply | None:
        """Return the reactions to a photo that nobody asked about, without words; None if there is no face in it."""
        outcomes = await self._outcomes(photo, most_faces)
        if not any(outcome.faces for outcome in outcomes):
            return None
        _, reactions, stored = await self._ranked(photo, outcomes, recipient, least=0.0)
        return Reply("", reactions, photo=stored.id if stored is not None else 0)

    async def offer(self, photo: PhotoMessage, recipient: Recipient, most_faces: int | None) -> Reply | None:
        """Return the answer to a photo that nobody asked about; None if there is no face in it."""
        outcomes = await self._outcomes(photo, most_faces)
        if not any(outcome.faces for outcome in outcomes):
            return None
        return await self._answered(photo, outcomes, recipient)

    async def read(self, photo: PhotoMessage) -> list[Outcome]:
        """Return what is read in each picture of a message, by the taste of the map alone; store nothing."""
        return await self._outcomes(photo, None)

    async def keep(self, photo: PhotoMessage, outcomes: Sequence[Outcome], shows: str) -> None:
        """Store what was read of a photo in which the first face was to show an emotion."""
        await self._keep(photo, outcomes, shows)

    async def shows_faces(self, photo: PhotoMessage) -> bool:
        """Return whether there is a face in a photo; store nothing."""
        return any(outcome.faces for outcome in await self._outcomes(photo, None))

    async def _answered(self, photo: PhotoMessage, outcomes: Sequence[Outcome], recipient: Recipient) -> Reply:
        """Return the answer to pictures of which one at least shows a face."""
        outcomes, reactions, stored = await self._ranked(photo, outcomes, recipient)
        return Reply(
            answer_text(outcomes, recipient, offers_choice=stored is not None),
            reactions,
            photo_rows(stored, self._parts.candidates, recipient) if stored is not None else (),
            picture=await self._numbered(photo, outcomes),
            photo=stored.id if stored is not None else 0,
        )

    async def _ranked(
        self, photo: PhotoMessage, outcomes: Sequence[Outcome], recipient: Recipient, least: float = SURE_FROM
    ) -> tuple[list[Outcome], tuple[str | None, ...], StoredPhoto | None]:
        """Return what was read with its emoji ranked for the person who asks, a reaction to each picture, and what was
        stored of it. least: as in `_mood`.
        """
        emoji_map = await self._parts.chat_emoji.of(photo.chat)
        taste = await self._parts.tastes.of(emoji_map, photo.person, photo.chat)
        ranked = [_to_taste(outcome, emoji_map, taste) for outcome in outcomes]
        stored = await self._keep(photo, ranked)
        moods = (_mood(emoji_map, photo.chat.platform, outcome.faces, taste, least) for outcome in ranked)
        return ranked, tuple(mood and recipient.variant_of(mood) for mood in moods), stored

    async def _outcomes(self, photo: PhotoMessage, most_faces: int | None) -> list[Outcome]:
        if self._parts.emoji_map_watch is not None:
            await asyncio.to_thread(self._parts.emoji_map_watch.refresh)
        # while the photo is read
        self._parts.tastes.prepare(await self._parts.chat_emoji.of(photo.chat), photo.person, photo.chat)
        outcomes = [await self._read(photo, picture) for picture in photo.pictures]
        return [replace(outcome, faces=outcome.faces[:most_faces]) for outcome in outcomes]

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
        return Outcome(reading.faces, model=reading.model) if reading.faces else Outcome(problem=texts.NO_FACE)

    async def _keep(
        self, photo: PhotoMessage, outcomes: Sequence[Outcome], shows: str | None = None
    ) -> StoredPhoto | None:
        """Store the readings and return them; None if the database is unavailable."""
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
            )
        except (SQLAlchemyError, OSError):
            _log.exception("photo_not_kept", platform=photo.chat.platform)
            return None
        if self._parts.shadowing is not None:
            numbers = [reading.id for reading in stored.readings]
            self._parts.shadowing.later(numbers, [face.framings for face in faces])
        return stored

    async def _numbered(self, photo: PhotoMessage, outcomes: Sequence[Outcome]) -> MadePicture | None:
        """Return the picture of several faces with their numbers; None for albums, whose answer is text only."""
        if len(outcomes) > 1 or len(outcomes[0].faces) < 2:
            return None
        listed = outcomes[0].faces[:MAX_FACES_LISTED]
        make = partial(self._parts.picture_maker.outlined, photo.pictures[0].content, listed)
        made, _ = await make_picture(self._parts.pool, photo.person, photo.chat, make, photo.pictures[0])
        return made


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
