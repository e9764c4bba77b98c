"""The decisions of the bot, the same for all platforms. Adapters translate events to its input and its replies back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.admin.allowlist import Allowlist
from bots.admin.commands import AdminCommands
from bots.admin.tokens import AdminToken, is_for_admins
from bots.conversation import settings_pages, texts
from bots.conversation.answers import MAX_FACES_LISTED, SURE_FROM, Outcome, answer_text
from bots.conversation.buttons import Action, SettingsPage, Token, photo_rows, privacy_rows
from bots.conversation.chat_settings import ChatSettings
from bots.conversation.languages import Voice
from bots.conversation.picture_making import make_picture
from bots.conversation.recipient import Recipient
from bots.conversation.taps import PhotoTaps
from bots.conversation.tastes import Tastes
from bots.messages import (
    AdminCommand,
    ButtonRows,
    Command,
    CommandName,
    MadePicture,
    PhotoMessage,
    Picture,
    Reply,
    Tap,
    TapReply,
    TokenError,
)
from bots.pictures.maker import PictureMaker
from bots.serving.emoji_map_watch import EmojiMapWatch
from bots.serving.inference_pool import InferencePool
from bots.serving.shadowing import Shadowing
from db import Chat, FaceReading, Person, Preferences, Store, StoredPhoto
from recognizer import EmojiMap, Face, PhotoError, Recognizer
from recognizer.decoding.clip import is_clip
from recognizer.ranking import rank, reaction
from recognizer.taste import Table

MOST_SUGGESTED = 63
"""Number of emoji that a face's buttons lead to: the candidates and three more pages."""

_SETTINGS_ACTIONS = frozenset(
    {Action.OPEN_SETTINGS, Action.SET_LANGUAGE, Action.SET_SKIN_TONE, Action.SET_PRESENTATION}
)

_log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class EmojiService:
    """Answers photos, taps and commands.

    Raises nothing, whatever people send: a failure becomes a friendly reply and a log entry, and later events are
    answered as usual.
    """

    def __init__(  # noqa: PLR0913  # its parts
        self,
        recognizer: Recognizer,
        store: Store,
        pool: InferencePool,
        picture_maker: PictureMaker,
        *,
        emoji_map_watch: EmojiMapWatch | None = None,
        shadowing: Shadowing | None = None,
        admin_commands: AdminCommands | None = None,
        candidates: int = 3,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Assemble the service from its parts.

        emoji_map_watch: reloads an edited emoji map; None keeps the map. shadowing: lets another version read the same
        faces; None for no other. admin_commands: answers admins; None for no admins. candidates: number of emoji first
        offered as buttons, 1 to 5. clock: the current time with its zone.
        """
        self._recognizer = recognizer
        self._store = store
        self._pool = pool
        self._picture_maker = picture_maker
        self._map_watch = emoji_map_watch
        self._shadowing = shadowing
        self._admin_commands = admin_commands
        self._chat_settings = ChatSettings(store)
        self._taps_on_photos = PhotoTaps(store, pool, picture_maker, candidates, self._prepare_taste)
        self._tastes = Tastes(store, clock)
        self._candidates = candidates

    @property
    def admins(self) -> Allowlist:
        """Return the allowlist of admins."""
        return self._admin_commands.admins if self._admin_commands is not None else Allowlist()

    async def close(self) -> None:
        """Wait for what goes on in the background."""
        await self._tastes.close()

    async def on_photo(self, photo: PhotoMessage) -> AsyncIterator[Reply]:
        """Yield the replies to a photo: possibly a notice that it has to wait, then the answer."""
        if self._pool.is_full:
            voice = await self.voice_for(photo.person, photo.language)
            yield Reply(voice.say(texts.BUSY), waiting=True)
        if self._map_watch is not None:
            await asyncio.to_thread(self._map_watch.refresh)
        emoji_map = self._recognizer.emoji_map
        self._prepare_taste(photo.person, photo.chat)  # while the photo is read
        outcomes = [await self._read(photo, picture) for picture in photo.pictures]
        recipient = Recipient.of(await self._preferences(photo.person), photo.language)
        if any(outcome.faces for outcome in outcomes):
            taste = await self._tastes.of(emoji_map, photo.person, photo.chat)
            outcomes = [_to_taste(outcome, emoji_map, taste) for outcome in outcomes]
            rows = await self._keep(photo, outcomes, recipient)
            moods = (_mood(emoji_map, photo.chat.platform, outcome.faces, taste) for outcome in outcomes)
            reactions = tuple(mood and recipient.variant_of(mood) for mood in moods)
            yield Reply(
                answer_text(outcomes, recipient), reactions, rows, picture=await self._numbered(photo, outcomes)
            )
        else:
            yield Reply(answer_text(outcomes, recipient), (None,) * len(outcomes))

    async def on_tap(self, tap: Tap) -> TapReply:
        """Answer a tap on a button of any age."""
        recipient = Recipient.of(await self._preferences(tap.person), tap.language)
        try:
            if is_for_admins(tap.token):
                return await self._admin_tap(tap, recipient)
            return await self._tap(tap, recipient)
        except TokenError:
            return TapReply(recipient.voice.say(texts.GONE))
        except Exception:
            _log.exception("tap_failed", platform=tap.chat.platform)
            return TapReply(recipient.voice.say(texts.FAILED))

    async def on_command(self, command: Command) -> Reply:
        """Answer a command."""
        preferences = await self._preferences(command.person)
        recipient = Recipient.of(preferences, command.language)
        try:
            return await self._command(command, preferences, recipient)
        except Exception:
            _log.exception("command_failed", platform=command.chat.platform, command=command.name.value)
            return Reply(recipient.voice.say(texts.FAILED))

    async def on_admin_command(self, command: AdminCommand) -> AsyncIterator[Reply]:
        """Yield the replies to an admin's command; each replaces the one before. Refuse anyone else politely."""
        admin_commands = self._commands_for(command.person, command.name.value)
        if admin_commands is None:
            yield Reply(_admins_only(command.person, await self.voice_for(command.person, command.language)))
            return
        async for reply in admin_commands.on_command(command):
            yield reply

    async def on_emoji_me(self, photo: PhotoMessage) -> Reply:
        """Answer a request for a photo with emoji in place of faces, each the one ranked first."""
        recipient = Recipient.of(await self._preferences(photo.person), photo.language)
        picture = photo.pictures[0]
        if is_clip(picture.content):
            return Reply(recipient.voice.say(texts.NO_CLIP))
        make = partial(self._picture_maker.emoji_me, picture.content, ())
        made, problem = await make_picture(self._pool, photo.chat.platform, make)
        return Reply(recipient.voice.say(problem or texts.EMOJI_ME_MADE), picture=made)

    async def voice_for(self, person: Person, language: str) -> Voice:
        """Return the voice for an adapter's own sentences to a person. language: as in `PhotoMessage`."""
        return Recipient.of(await self._preferences(person), language).voice

    def _commands_for(self, person: Person, action: str) -> AdminCommands | None:
        """Return the admin commands if this person is an admin; log the attempt of anyone else."""
        if person in self.admins:
            return self._admin_commands
        _log.warning("admin_refused", platform=person.platform, action=action)
        return None

    async def _admin_tap(self, tap: Tap, recipient: Recipient) -> TapReply:
        token = AdminToken.parse(tap.token)
        admin_commands = self._commands_for(tap.person, token.action.name.lower())
        return (
            await admin_commands.on_tap(tap, token)
            if admin_commands is not None
            else TapReply(_admins_only(tap.person, recipient.voice))
        )

    def _prepare_taste(self, person: Person, chat: Chat) -> None:
        self._tastes.prepare(self._recognizer.emoji_map, person, chat)

    async def _preferences(self, person: Person) -> Preferences:
        """Return the person's preferences; the defaults if the database is unavailable."""
        try:
            return await self._store.preferences(person)
        except Exception:
            _log.exception("preferences_not_read", platform=person.platform)
            return Preferences()

    async def _read(self, photo: PhotoMessage, picture: Picture) -> Outcome:
        try:
            reading = await self._pool.run(partial(self._recognizer.read, picture.content))
        except PhotoError as error:
            _log.info("photo_refused", platform=photo.chat.platform, code=error.code.value)
            return Outcome(problem=texts.PHOTO_PROBLEMS[error.code])
        except Exception:
            _log.exception("photo_failed", platform=photo.chat.platform)
            return Outcome(problem=texts.FAILED)
        ms = {f"{step}_ms": round(getattr(reading.ms, step), 1) for step in ("decode", "detect", "classify", "rank")}
        _log.info("photo_read", platform=photo.chat.platform, faces=len(reading.faces), model=reading.model, **ms)
        return Outcome(reading.faces, model=reading.model) if reading.faces else Outcome(problem=texts.NO_FACE)

    async def _keep(self, photo: PhotoMessage, outcomes: Sequence[Outcome], recipient: Recipient) -> ButtonRows:
        """Store the readings and return their buttons; none if the database is unavailable."""
        faces = [face for outcome in outcomes for face in outcome.faces]
        model = next(outcome.model for outcome in outcomes if outcome.faces)
        kept = [FaceReading(face.probabilities, face.emoji[:MOST_SUGGESTED], face.crop.tobytes()) for face in faces]
        comes_again = photo.comes_again and len(photo.pictures) == 1 and not is_clip(photo.pictures[0].content)
        try:
            readings = await self._store.add_photo(photo.person, photo.chat, model, kept, comes_again=comes_again)
        except (SQLAlchemyError, OSError):
            _log.exception("photo_not_kept", platform=photo.chat.platform)
            return ()
        if self._shadowing is not None:
            self._shadowing.later([reading.id for reading in readings], [face.framings for face in faces])
        stored = StoredPhoto(True, readings, comes_again)
        return photo_rows(stored, self._candidates, recipient)

    async def _numbered(self, photo: PhotoMessage, outcomes: Sequence[Outcome]) -> MadePicture | None:
        """Return the picture of several faces with their numbers; None for albums, whose answer is text only."""
        if len(outcomes) > 1 or len(outcomes[0].faces) < 2 or is_clip(photo.pictures[0].content):
            return None
        listed = outcomes[0].faces[:MAX_FACES_LISTED]
        make = partial(self._picture_maker.outlined, photo.pictures[0].content, listed)
        made, _ = await make_picture(self._pool, photo.chat.platform, make)
        return made

    async def _tap(self, tap: Tap, recipient: Recipient) -> TapReply:
        token = Token.parse(tap.token)
        if token.action in _SETTINGS_ACTIONS:
            return await self._tapped_settings(tap, token)
        if token.action is Action.KEEP_FACES:
            return await self._choose_privacy(tap, recipient, agreed=token.choice == 1)
        if token.action is Action.SET_EVERYONE_TAPS:
            return await self._chat_settings.change(tap.chat, tap.administers, recipient, allowed=token.choice == 1)
        return await self._taps_on_photos.answer(tap, token, recipient)

    async def _choose_privacy(self, tap: Tap, recipient: Recipient, *, agreed: bool) -> TapReply:
        await self._store.set_keeps_faces(tap.person, agreed)
        notice = recipient.voice.say(texts.FACES_ALLOWED if agreed else texts.FACES_REFUSED)
        return TapReply(notice, privacy_rows(agreed, recipient), text=_privacy_text(agreed, recipient.voice))

    async def _tapped_settings(self, tap: Tap, token: Token) -> TapReply:
        """Open a page of the settings or change one for the person who tapped; the reply uses the new settings."""
        before = await self._store.preferences(tap.person)  # fail rather than overwrite unread ones
        preferences = settings_pages.after(token, before)
        if preferences != before:
            await self._store.set_preferences(tap.person, preferences)
        recipient = Recipient.of(preferences, tap.language)
        page = SettingsPage(token.choice) if token.action is Action.OPEN_SETTINGS else SettingsPage.OVERVIEW
        shown = settings_pages.text(page, preferences, recipient)
        notice = shown if token.action is Action.OPEN_SETTINGS else recipient.voice.say(texts.SETTING_KEPT)
        return TapReply(notice, settings_pages.rows(page, preferences, recipient), text=shown)

    async def _command(self, command: Command, preferences: Preferences, recipient: Recipient) -> Reply:
        say = recipient.voice.say
        match command.name:
            case CommandName.START:
                return Reply(say(texts.START))
            case CommandName.HELP:
                return Reply(f"{say(texts.HELPS[command.chat.platform])}\n{say(texts.OPENMOJI)}")
            case CommandName.SETTINGS:
                page = SettingsPage.OVERVIEW
                return Reply(
                    settings_pages.text(page, preferences, recipient),
                    rows=settings_pages.rows(page, preferences, recipient),
                )
            case CommandName.PRIVACY:
                agreed = await self._store.keeps_faces(command.person)
                return Reply(_privacy_text(agreed, recipient.voice), rows=privacy_rows(agreed, recipient))
            case CommandName.CHAT_SETTINGS:
                return await self._chat_settings.show(command.chat, command.administers, recipient)
            case CommandName.FORGET_ME:
                known = await self._store.forget(command.person)
                self._tastes.forget()
                return Reply(say(texts.FORGOTTEN if known else texts.NOTHING_TO_FORGET))


def _admins_only(person: Person, voice: Voice) -> str:
    return voice.say(texts.ADMINS_ONLY, id=f"{person.platform}:{person.id}")


def _to_taste(outcome: Outcome, emoji_map: EmojiMap, taste: Table) -> Outcome:
    """Return the same faces with their emoji ranked for the person who asks."""
    ranked = (replace(face, emoji=rank(emoji_map, face.expression, taste).emoji) for face in outcome.faces)
    return replace(outcome, faces=tuple(ranked))


def _mood(emoji_map: EmojiMap, platform: str, faces: Sequence[Face], taste: Table) -> str | None:
    """Return the reaction to one picture, by the mood of all its faces; None if that is uncertain."""
    if not faces or np.mean([face.probabilities for face in faces], axis=0).max() < SURE_FROM:
        return None
    return reaction(emoji_map, platform, [face.expression for face in faces], taste)


def _privacy_text(agreed: bool, voice: Voice) -> str:
    return voice.say(texts.PRIVACY, choice=voice.say(texts.KEEPS_FACES if agreed else texts.KEEPS_NO_FACES))
