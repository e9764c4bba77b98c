"""Everything the bot decides, for every platform alike. Adapters translate events in and replies out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots import texts
from bots.buttons import Action, Token, TokenError, photo_rows, privacy_rows, rows_after
from bots.events import Button, Command, CommandName, Photo, Picture, Reply, Tap, TapReply
from bots.inference import InferencePool
from db import FaceReading, Store, StoredPhoto, StoredReading
from recognizer import EMOTIONS, Face, PhotoError, Recognizer
from recognizer.ranking import reaction

SURE_FROM = 0.5
"""Probability of the likeliest emotion from which the bot gives a verdict; below it, it offers choices only."""
MAX_FACES_LISTED = 40
MOST_SUGGESTED = 63
"""How many emoji a face's buttons lead to: the candidates and three pages more."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Outcome:
    """What came of one picture: its faces, or the sentence that says why there are none."""

    faces: tuple[Face, ...] = ()
    problem: str = ""


class EmojiService:
    """Answers photos, taps and commands. Raises nothing for what people send: a failure is a friendly reply and a log
    line, and the next event is answered as ever."""

    def __init__(self, recognizer: Recognizer, store: Store, pool: InferencePool, candidates: int = 3) -> None:
        """candidates: how many emoji are offered as buttons at first, 1 to 5."""
        self._recognizer = recognizer
        self._store = store
        self._pool = pool
        self._candidates = candidates

    async def on_photo(self, photo: Photo) -> AsyncIterator[Reply]:
        """Answer a photo: perhaps first a word that it has to wait, then, last, the answer."""
        if self._pool.is_full:
            yield Reply(texts.BUSY, waiting=True)
        outcomes = [await self._read(photo, picture) for picture in photo.pictures]
        faces = [face for outcome in outcomes for face in outcome.faces]
        rows = await self._keep(photo, faces) if faces else ()
        reactions = tuple(self._mood(photo.chat.platform, outcome.faces) for outcome in outcomes)
        yield Reply(_answer_text(outcomes), reactions, rows)

    async def on_tap(self, tap: Tap) -> TapReply:
        """Answer a tap on a button of any age."""
        try:
            token = Token.parse(tap.token)
            if token.action is Action.KEEP_FACES:
                return await self._choose_privacy(tap, agreed=token.choice == 1)
            stored = await self._store.photo_of(token.reading, tap.person)
            if stored is None:
                return TapReply(texts.GONE)
            if not stored.own:
                return TapReply(texts.NOT_YOURS)
            return await self._tapped(token, stored)
        except TokenError:
            return TapReply(texts.GONE)
        except Exception:
            _log.exception("tap_failed", platform=tap.chat.platform)
            return TapReply(texts.FAILED)

    async def on_command(self, command: Command) -> Reply:
        """Answer a command."""
        try:
            return await self._command(command)
        except Exception:
            _log.exception("command_failed", platform=command.chat.platform, command=command.name.value)
            return Reply(texts.FAILED)

    async def _read(self, photo: Photo, picture: Picture) -> _Outcome:
        read = self._recognizer.read_clip if picture.is_clip else self._recognizer.read
        try:
            reading = await self._pool.run(partial(read, picture.content))
        except PhotoError as error:
            _log.info("photo_refused", platform=photo.chat.platform, code=error.code.value)
            return _Outcome(problem=str(error))
        except Exception:
            _log.exception("photo_failed", platform=photo.chat.platform)
            return _Outcome(problem=texts.FAILED)
        ms = {f"{step}_ms": round(getattr(reading.ms, step), 1) for step in ("decode", "detect", "classify", "rank")}
        _log.info("photo_read", platform=photo.chat.platform, faces=len(reading.faces), model=reading.model, **ms)
        return _Outcome(reading.faces) if reading.faces else _Outcome(problem=texts.NO_FACE)

    async def _keep(self, photo: Photo, faces: Sequence[Face]) -> tuple[tuple[Button, ...], ...]:
        """Store the readings and make their buttons; without a database the answer still goes out, without buttons."""
        kept = [FaceReading(face.probabilities, face.emoji[:MOST_SUGGESTED], face.crop.tobytes()) for face in faces]
        try:
            readings = await self._store.add_photo(photo.person, photo.chat, self._recognizer.version, kept)
        except (SQLAlchemyError, OSError):
            _log.exception("photo_not_kept", platform=photo.chat.platform)
            return ()
        return photo_rows(readings, self._candidates, self._recognizer.emoji_map)

    def _mood(self, platform: str, faces: Sequence[Face]) -> str | None:
        """The reaction to one picture: for the average of its faces, and none where that is unsure."""
        if not faces or np.mean([face.probabilities for face in faces], axis=0).max() < SURE_FROM:
            return None
        return reaction(self._recognizer.emoji_map, platform, [face.expression for face in faces])

    async def _tapped(self, token: Token, stored: StoredPhoto) -> TapReply:
        reading = next(reading for reading in stored.readings if reading.id == token.reading)
        emoji_map = self._recognizer.emoji_map
        if token.action is Action.CHOOSE:
            return await self._choose(token, stored, reading)
        if token.action is Action.NONE:
            await self._store.add_tap(reading.id)
            return TapReply(texts.WHICH_EMOTION, rows_after(token, stored, self._candidates, emoji_map))
        if token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
            await self._store.add_tap(reading.id, emotion=emotion)
            notice = texts.EMOTION_KEPT.format(feeling=texts.FEELINGS[emotion])
            readings = stored.with_choice(reading.id, None).readings
            return TapReply(notice, photo_rows(readings, self._candidates, emoji_map))
        notice = texts.MORE_SHOWN if token.action is Action.MORE else texts.BACK_SHOWN
        return TapReply(notice, rows_after(token, stored, self._candidates, emoji_map))

    async def _choose(self, token: Token, stored: StoredPhoto, reading: StoredReading) -> TapReply:
        if token.choice >= len(reading.suggestions):
            return TapReply(texts.GONE)
        emoji = reading.suggestions[token.choice]
        await self._store.add_tap(reading.id, emoji=emoji)
        readings = stored.with_choice(reading.id, emoji).readings
        alone = len(readings) == 1
        is_change = reading.chosen is not None and reading.chosen != emoji
        notice = (texts.CORRECTED if is_change else texts.CHOSEN).format(emoji=emoji)
        return TapReply(
            notice,
            photo_rows(readings, self._candidates, self._recognizer.emoji_map),
            text=notice if alone else None,
            reaction=emoji if alone else None,
        )

    async def _choose_privacy(self, tap: Tap, *, agreed: bool) -> TapReply:
        await self._store.set_keeps_faces(tap.person, agreed)
        notice = texts.FACES_ALLOWED if agreed else texts.FACES_REFUSED
        return TapReply(notice, privacy_rows(agreed), text=_privacy_text(agreed))

    async def _command(self, command: Command) -> Reply:
        match command.name:
            case CommandName.START:
                return Reply(texts.START)
            case CommandName.HELP:
                return Reply(texts.HELPS[command.chat.platform])
            case CommandName.PRIVACY:
                agreed = await self._store.keeps_faces(command.person)
                return Reply(_privacy_text(agreed), rows=privacy_rows(agreed))
            case CommandName.FORGET_ME:
                known = await self._store.forget(command.person)
                return Reply(texts.FORGOTTEN if known else texts.NOTHING_TO_FORGET)


def _privacy_text(agreed: bool) -> str:
    return texts.PRIVACY.format(choice=texts.KEEPS_FACES if agreed else texts.KEEPS_NO_FACES)


def _answer_text(outcomes: Sequence[_Outcome]) -> str:
    if len(outcomes) == 1:
        return _picture_text(outcomes[0], first_number=1)
    lines, number = [], 1
    for index, outcome in enumerate(outcomes, start=1):
        lines.append(texts.OF_PICTURE.format(number=index, text=_numbered(outcome, number) or outcome.problem))
        number += len(outcome.faces)
    return "\n".join(lines)


def _picture_text(outcome: _Outcome, first_number: int) -> str:
    if outcome.problem:
        return outcome.problem
    if len(outcome.faces) > 1:
        heading = texts.SEVERAL_FACES.format(count=len(outcome.faces))
        return f"{heading}\n{_numbered(outcome, first_number)}"
    face = outcome.faces[0]
    if face.confidence < SURE_FROM:
        return texts.UNSURE.format(first=_likeliest(face, 0), second=_likeliest(face, 1))
    return texts.ONE_FACE.format(emoji=face.emoji[0], feeling=texts.FEELINGS[face.emotion])


def _numbered(outcome: _Outcome, first_number: int) -> str:
    listed = outcome.faces[:MAX_FACES_LISTED]
    words = [
        (texts.NUMBERED_FACE if face.confidence >= SURE_FROM else texts.NUMBERED_UNSURE).format(
            number=number, emoji=face.emoji[0]
        )
        for number, face in enumerate(listed, start=first_number)
    ]
    if len(outcome.faces) > len(listed):
        words.append(texts.MORE_FACES.format(count=len(outcome.faces) - len(listed)))
    return "  ".join(words)


def _likeliest(face: Face, place: int) -> str:
    """The feeling at a place of the ranking, 0 being the likeliest."""
    return texts.FEELINGS[EMOTIONS[int(np.argsort(face.probabilities)[::-1][place])]]
