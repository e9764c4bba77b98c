"""Everything the bot decides, for every platform alike. Adapters translate events in and replies out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots import panel, texts
from bots.admin_desk import AdminDesk
from bots.admin_tokens import AdminToken, is_for_admins
from bots.admins import Admins
from bots.answers import MAX_FACES_LISTED, SURE_FROM, Outcome, answer_text
from bots.buttons import Action, Page, Token, TokenError, photo_rows, privacy_rows, rows_after
from bots.chat_settings import ChatSettings
from bots.events import AdminCommand, Button, Command, CommandName, MadePicture, Photo, Picture, Reply, Tap, TapReply
from bots.guest import Guest
from bots.inference import InferencePool
from bots.languages import Voice
from bots.map_watch import MapWatch
from bots.shadowing import Shadowing
from bots.studio import Answered, Studio
from bots.tastes import Tastes
from db import FaceReading, Person, Preferences, Store, StoredPhoto, StoredReading
from recognizer import EMOTIONS, EmojiMap, Face, PhotoError, Recognizer
from recognizer.ranking import rank, reaction
from recognizer.taste import Table

MOST_SUGGESTED = 63
"""How many emoji a face's buttons lead to: the candidates and three pages more."""

_SETTINGS_ACTIONS = frozenset(
    {Action.OPEN_SETTINGS, Action.SET_LANGUAGE, Action.SET_SKIN_TONE, Action.SET_PRESENTATION}
)
_VOTES = frozenset({Action.CHOOSE, Action.NONE, Action.CORRECT})

_log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class EmojiService:
    """Answers photos, taps and commands. Raises nothing for what people send: a failure is a friendly reply and a log
    line, and the next event is answered as ever."""

    def __init__(  # noqa: PLR0913  # what it is made of
        self,
        recognizer: Recognizer,
        store: Store,
        pool: InferencePool,
        studio: Studio,
        *,
        map_watch: MapWatch | None = None,
        shadowing: Shadowing | None = None,
        desk: AdminDesk | None = None,
        candidates: int = 3,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """map_watch: takes up an edited emoji map; without one the map stays. shadowing: lets another version read
        along; without it none does. desk: serves admins; without it nobody is one. candidates: how many emoji are
        offered as buttons at first, 1 to 5. clock: the time of day with its zone."""
        self._recognizer = recognizer
        self._store = store
        self._pool = pool
        self._studio = studio
        self._map_watch = map_watch
        self._shadowing = shadowing
        self._desk = desk
        self._chat_settings = ChatSettings(store)
        self._tastes = Tastes(store, clock)
        self._candidates = candidates

    @property
    def admins(self) -> Admins:
        """Who looks after the model."""
        return self._desk.admins if self._desk is not None else Admins()

    async def on_photo(self, photo: Photo) -> AsyncIterator[Reply]:
        """Answer a photo: perhaps first a word that it has to wait, then, last, the answer."""
        if self._pool.is_full:
            voice = await self.voice_for(photo.person, photo.language)
            yield Reply(voice.say(texts.BUSY), waiting=True)
        if self._map_watch is not None:
            await asyncio.to_thread(self._map_watch.refresh)
        emoji_map = self._recognizer.emoji_map
        outcomes = [await self._read(photo, picture) for picture in photo.pictures]
        guest = Guest.of(await self._preferences(photo.person), photo.language)
        if any(outcome.faces for outcome in outcomes):
            taste = await self._tastes.of(emoji_map, photo.person, photo.chat)
            outcomes = [_to_taste(outcome, emoji_map, taste) for outcome in outcomes]
            rows = await self._keep(photo, outcomes, guest)
            moods = (_mood(emoji_map, photo.chat.platform, outcome.faces, taste) for outcome in outcomes)
            reactions = tuple(mood and guest.dressed(mood) for mood in moods)
            yield Reply(answer_text(outcomes, guest), reactions, rows, picture=await self._numbered(photo, outcomes))
        else:
            yield Reply(answer_text(outcomes, guest), (None,) * len(outcomes))

    async def on_tap(self, tap: Tap) -> TapReply:
        """Answer a tap on a button of any age."""
        guest = Guest.of(await self._preferences(tap.person), tap.language)
        try:
            if is_for_admins(tap.token):
                return await self._admin_tap(tap, guest)
            return await self._tap(tap, guest)
        except TokenError:
            return TapReply(guest.voice.say(texts.GONE))
        except Exception:
            _log.exception("tap_failed", platform=tap.chat.platform)
            return TapReply(guest.voice.say(texts.FAILED))

    async def on_command(self, command: Command) -> Reply:
        """Answer a command."""
        preferences = await self._preferences(command.person)
        guest = Guest.of(preferences, command.language)
        try:
            return await self._command(command, preferences, guest)
        except Exception:
            _log.exception("command_failed", platform=command.chat.platform, command=command.name.value)
            return Reply(guest.voice.say(texts.FAILED))

    async def on_admin_command(self, command: AdminCommand) -> AsyncIterator[Reply]:
        """Answer a command of an admin; of several replies each takes the place of the one before. Anybody else is told
        who may."""
        desk = self._desk_for(command.person, command.name.value)
        if desk is None:
            yield Reply(_admins_only(command.person, await self.voice_for(command.person, command.language)))
            return
        async for reply in desk.on_command(command):
            yield reply

    async def on_emoji_me(self, photo: Photo) -> Reply:
        """Answer the wish for a photo with emoji in place of faces, in everybody's likeliest emoji."""
        guest = Guest.of(await self._preferences(photo.person), photo.language)
        picture = photo.pictures[0]
        if picture.is_clip:
            return Reply(guest.voice.say(texts.NO_CLIP))
        make = partial(self._studio.emoji_me, picture.content, ())
        made, problem = await self._made(photo.chat.platform, make)
        return Reply(guest.voice.say(problem or texts.EMOJI_ME_MADE), picture=made)

    async def voice_for(self, person: Person, language: str) -> Voice:
        """The voice to speak to a person with, for what an adapter has to say. language: as in `Photo`."""
        return Guest.of(await self._preferences(person), language).voice

    def _desk_for(self, person: Person, action: str) -> AdminDesk | None:
        """The desk, where this person is an admin; anybody else's try is logged."""
        if person in self.admins:
            return self._desk
        _log.warning("admin_refused", platform=person.platform, action=action)
        return None

    async def _admin_tap(self, tap: Tap, guest: Guest) -> TapReply:
        token = AdminToken.parse(tap.token)
        desk = self._desk_for(tap.person, token.action.name.lower())
        return await desk.on_tap(tap, token) if desk is not None else TapReply(_admins_only(tap.person, guest.voice))

    async def _preferences(self, person: Person) -> Preferences:
        """What the person set; without a database, nothing."""
        try:
            return await self._store.preferences(person)
        except Exception:
            _log.exception("preferences_not_read", platform=person.platform)
            return Preferences()

    async def _read(self, photo: Photo, picture: Picture) -> Outcome:
        read = self._recognizer.read_clip if picture.is_clip else self._recognizer.read
        try:
            reading = await self._pool.run(partial(read, picture.content))
        except PhotoError as error:
            _log.info("photo_refused", platform=photo.chat.platform, code=error.code.value)
            return Outcome(problem=texts.PHOTO_PROBLEMS[error.code])
        except Exception:
            _log.exception("photo_failed", platform=photo.chat.platform)
            return Outcome(problem=texts.FAILED)
        ms = {f"{step}_ms": round(getattr(reading.ms, step), 1) for step in ("decode", "detect", "classify", "rank")}
        _log.info("photo_read", platform=photo.chat.platform, faces=len(reading.faces), model=reading.model, **ms)
        return Outcome(reading.faces, model=reading.model) if reading.faces else Outcome(problem=texts.NO_FACE)

    async def _keep(self, photo: Photo, outcomes: Sequence[Outcome], guest: Guest) -> tuple[tuple[Button, ...], ...]:
        """Store the readings and make their buttons; without a database the answer still goes out, without buttons."""
        faces = [face for outcome in outcomes for face in outcome.faces]
        model = next(outcome.model for outcome in outcomes if outcome.faces)
        kept = [FaceReading(face.probabilities, face.emoji[:MOST_SUGGESTED], face.crop.tobytes()) for face in faces]
        comes_again = photo.comes_again and len(photo.pictures) == 1 and not photo.pictures[0].is_clip
        try:
            readings = await self._store.add_photo(photo.person, photo.chat, model, kept, comes_again=comes_again)
        except (SQLAlchemyError, OSError):
            _log.exception("photo_not_kept", platform=photo.chat.platform)
            return ()
        if self._shadowing is not None:
            self._shadowing.later([reading.id for reading in readings], [face.looks for face in faces])
        stored = StoredPhoto(True, readings, comes_again)
        return photo_rows(stored, self._candidates, guest)

    async def _numbered(self, photo: Photo, outcomes: Sequence[Outcome]) -> MadePicture | None:
        """The picture of several faces with their numbers; an album is answered in words."""
        if len(outcomes) > 1 or len(outcomes[0].faces) < 2 or photo.pictures[0].is_clip:
            return None
        listed = outcomes[0].faces[:MAX_FACES_LISTED]
        make = partial(self._studio.outlined, photo.pictures[0].content, listed)
        made, _ = await self._made(photo.chat.platform, make)
        return made

    async def _made(self, platform: str, make: Callable[[], MadePicture | None]) -> tuple[MadePicture | None, str]:
        """What the studio makes, or the sentence (of `texts`) that says why it does not."""
        try:
            made = await self._pool.run(make)
        except PhotoError as error:
            _log.info("photo_refused", platform=platform, code=error.code.value)
            return None, texts.PHOTO_PROBLEMS[error.code]
        except Exception:
            _log.exception("picture_failed", platform=platform)
            return None, texts.FAILED
        return made, "" if made is not None else texts.NO_FACE

    async def _tap(self, tap: Tap, guest: Guest) -> TapReply:
        token = Token.parse(tap.token)
        if token.action in _SETTINGS_ACTIONS:
            return await self._tapped_settings(tap, token)
        if token.action is Action.KEEP_FACES:
            return await self._choose_privacy(tap, guest, agreed=token.choice == 1)
        if token.action is Action.SET_EVERYONE_TAPS:
            return await self._chat_settings.change(tap.chat, tap.administers, guest, allowed=token.choice == 1)
        return await self._tap_on_photo(tap, token, guest)

    async def _tap_on_photo(self, tap: Tap, token: Token, guest: Guest) -> TapReply:
        stored = await self._store.photo_of(token.reading, tap.person)
        if stored is None:
            return TapReply(guest.voice.say(texts.GONE))
        if not stored.own:
            return await self._vote(tap, token, stored, guest)
        if token.action in (Action.EMOJI_ME, Action.STICKER):
            return await self._picture(tap, token, stored, guest)
        return await self._tapped(token, stored, guest)

    async def _vote(self, tap: Tap, token: Token, stored: StoredPhoto, guest: Guest) -> TapReply:
        """Keep what someone else than the sender says of a face, where the chat allows it; the answer stays as is."""
        if token.action not in _VOTES or not await self._store.feedback.takes_votes(token.reading, tap.chat):
            return TapReply(guest.voice.say(texts.NOT_YOURS))
        emoji = emotion = None
        if token.action is Action.CHOOSE:
            reading = next(reading for reading in stored.readings if reading.id == token.reading)
            if token.choice >= len(reading.suggestions):
                return TapReply(guest.voice.say(texts.GONE))
            emoji = reading.suggestions[token.choice]
        elif token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
        await self._store.add_tap(token.reading, emoji=emoji, emotion=emotion, voter=tap.person)
        return TapReply(guest.voice.say(texts.VOTED))

    async def _picture(self, tap: Tap, token: Token, stored: StoredPhoto, guest: Guest) -> TapReply:
        """Fetch the photo once more and make the picture of it that was asked for."""
        platform = tap.chat.platform
        picture = await tap.fetch() if tap.fetch is not None and stored.comes_again else None
        if picture is None:
            return TapReply(guest.voice.say(texts.PHOTO_GONE))
        answered = [
            Answered(reading.probabilities, guest.dressed(reading.chosen or reading.suggestions[0]))
            for reading in stored.readings
        ]
        if token.action is Action.EMOJI_ME:
            make, said = partial(self._studio.emoji_me, picture.content, answered), texts.EMOJI_ME_MADE
        else:
            make, said = partial(self._studio.sticker, picture.content, answered[0], platform), texts.STICKER_MADE
        made, problem = await self._made(platform, make)
        return TapReply(guest.voice.say(problem or said), picture=made)

    async def _tapped(self, token: Token, stored: StoredPhoto, guest: Guest) -> TapReply:
        reading = next(reading for reading in stored.readings if reading.id == token.reading)
        say = guest.voice.say
        if token.action is Action.CHOOSE:
            return await self._choose(token, stored, reading, guest)
        if token.action is Action.NONE:
            await self._store.add_tap(reading.id)
            return TapReply(say(texts.WHICH_EMOTION), rows_after(token, stored, self._candidates, guest))
        if token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
            await self._store.add_tap(reading.id, emotion=emotion)
            notice = say(texts.EMOTION_KEPT, feeling=say(texts.FEELINGS[emotion]))
            changed = stored.with_choice(reading.id, None)
            return TapReply(notice, photo_rows(changed, self._candidates, guest))
        notice = say(texts.MORE_SHOWN if token.action is Action.MORE else texts.BACK_SHOWN)
        rows = rows_after(token, stored, self._candidates, guest)
        return TapReply(notice, rows, is_obvious=True)

    async def _choose(self, token: Token, stored: StoredPhoto, reading: StoredReading, guest: Guest) -> TapReply:
        if token.choice >= len(reading.suggestions):
            return TapReply(guest.voice.say(texts.GONE))
        emoji = reading.suggestions[token.choice]
        await self._store.add_tap(reading.id, emoji=emoji)
        changed = stored.with_choice(reading.id, emoji)
        alone = len(stored.readings) == 1
        is_change = reading.chosen is not None and reading.chosen != emoji
        shown = guest.dressed(emoji)
        notice = guest.voice.say(texts.CORRECTED if is_change else texts.CHOSEN, emoji=shown)
        return TapReply(
            notice,
            photo_rows(changed, self._candidates, guest),
            text=notice if alone else None,
            reaction=shown if alone else None,
        )

    async def _choose_privacy(self, tap: Tap, guest: Guest, *, agreed: bool) -> TapReply:
        await self._store.set_keeps_faces(tap.person, agreed)
        notice = guest.voice.say(texts.FACES_ALLOWED if agreed else texts.FACES_REFUSED)
        return TapReply(notice, privacy_rows(agreed, guest), text=_privacy_text(agreed, guest.voice))

    async def _tapped_settings(self, tap: Tap, token: Token) -> TapReply:
        """Open a page of the settings, or set something, for whoever tapped, and speak as is set from now on."""
        before = await self._store.preferences(tap.person)  # one that could not be read must not be written over
        preferences = panel.after(token, before)
        if preferences != before:
            await self._store.set_preferences(tap.person, preferences)
        guest = Guest.of(preferences, tap.language)
        page = Page(token.choice) if token.action is Action.OPEN_SETTINGS else Page.OVERVIEW
        shown = panel.text(page, preferences, guest)
        notice = shown if token.action is Action.OPEN_SETTINGS else guest.voice.say(texts.SETTING_KEPT)
        return TapReply(notice, panel.rows(page, preferences, guest), text=shown)

    async def _command(self, command: Command, preferences: Preferences, guest: Guest) -> Reply:
        say = guest.voice.say
        match command.name:
            case CommandName.START:
                return Reply(say(texts.START))
            case CommandName.HELP:
                return Reply(f"{say(texts.HELPS[command.chat.platform])}\n{say(texts.OPENMOJI)}")
            case CommandName.SETTINGS:
                page = Page.OVERVIEW
                return Reply(panel.text(page, preferences, guest), rows=panel.rows(page, preferences, guest))
            case CommandName.PRIVACY:
                agreed = await self._store.keeps_faces(command.person)
                return Reply(_privacy_text(agreed, guest.voice), rows=privacy_rows(agreed, guest))
            case CommandName.CHAT_SETTINGS:
                return await self._chat_settings.show(command.chat, command.administers, guest)
            case CommandName.FORGET_ME:
                known = await self._store.forget(command.person)
                self._tastes.forget()
                return Reply(say(texts.FORGOTTEN if known else texts.NOTHING_TO_FORGET))


def _admins_only(person: Person, voice: Voice) -> str:
    return voice.say(texts.ADMINS_ONLY, id=f"{person.platform}:{person.id}")


def _to_taste(outcome: Outcome, emoji_map: EmojiMap, taste: Table) -> Outcome:
    """The same faces with their emoji in the order of whoever asks."""
    ranked = (replace(face, emoji=rank(emoji_map, face.expression, taste).emoji) for face in outcome.faces)
    return replace(outcome, faces=tuple(ranked))


def _mood(emoji_map: EmojiMap, platform: str, faces: Sequence[Face], taste: Table) -> str | None:
    """The reaction to one picture: the mood of all its faces, and none where that is unsure."""
    if not faces or np.mean([face.probabilities for face in faces], axis=0).max() < SURE_FROM:
        return None
    return reaction(emoji_map, platform, [face.expression for face in faces], taste)


def _privacy_text(agreed: bool, voice: Voice) -> str:
    return voice.say(texts.PRIVACY, choice=voice.say(texts.KEEPS_FACES if agreed else texts.KEEPS_NO_FACES))
