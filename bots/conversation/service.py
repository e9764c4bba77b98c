"""The decisions of the bot, the same for all platforms. Adapters translate events to its input and its replies back."""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.admin.allowlist import Allowlist
from bots.admin.commands import AdminCommands
from bots.admin.tokens import AdminToken, is_for_admins
from bots.conversation import chat_settings, privacy, settings_pages, texts
from bots.conversation.buttons import Action, SettingsPage, Token
from bots.conversation.chat_emoji import ChatEmojiMaps
from bots.conversation.emoji_variants import plain
from bots.conversation.emotions import Emotions
from bots.conversation.fetching import opened, opened_again
from bots.conversation.languages import Voice
from bots.conversation.photo_answers import PhotoAnswers, ReadingParts
from bots.conversation.picture_making import attempt, make_picture
from bots.conversation.play import Play
from bots.conversation.recipient import Recipient
from bots.conversation.taps import PhotoTaps
from bots.conversation.tastes import Tastes
from bots.conversation.waiting_notice import waiting_notice
from bots.custom_emoji import CustomEmoji
from bots.messages import (
    AdminCommand,
    Button,
    ChatEmojiCommand,
    Command,
    CommandName,
    Cover,
    CoversReply,
    MadePicture,
    NotFetchedError,
    PeopleReaction,
    PhotoMessage,
    Picture,
    Reply,
    Tap,
    TapReply,
    TokenError,
)
from bots.pictures.maker import PictureMaker
from bots.serving.fair_queue import TooManyError, Whose
from bots.serving.inference_pool import InferencePool
from bots.serving.journal import Journal
from bots.serving.order import Order
from bots.serving.shadowing import Shadowing
from bots.serving.supervision import BackgroundTasks
from db import Automatic, Chat, ChatChoices, Game, OwnEmoji, Person, Preferences, Store, utc_now
from recognizer import Reading, Recognizer
from recognizer.emoji_map import without_selector

_SETTINGS_ACTIONS = frozenset(
    {
        Action.OPEN_SETTINGS,
        Action.SET_LANGUAGE,
        Action.SET_SKIN_TONE,
        Action.SET_PRESENTATION,
        Action.SET_HAIR,
        Action.SET_HAIR_COLOUR,
    }
)

_PLAYING_ACTIONS = frozenset({Action.PLAY, Action.CHANGE_ROUND, Action.STOP_PLAYING})

_log = structlog.get_logger()


class EmojiService:
    """Answers photos, taps and commands.

    Raises nothing, whatever people send: a failure becomes a friendly reply and a log entry, and later events are
    answered as usual. journal: what is being answered, for the adapters to enter.
    """

    def __init__(  # noqa: PLR0913  # its parts
        self,
        recognizer: Recognizer,
        store: Store,
        pool: InferencePool,
        picture_maker: PictureMaker,
        *,
        shadowing: Shadowing | None = None,
        admin_commands: AdminCommands | None = None,
        candidates: int = 3,
        clock: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
    ) -> None:
        """Assemble the service from its parts.

        shadowing: lets another version read the same faces; None for no other. admin_commands: answers admins; None for
        no admins. candidates: number of emoji first offered as buttons, 1 to 5. clock: the current time with its zone.
        chance: decides what comes up in games; None for the system's.
        """
        self._recognizer = recognizer
        self._store = store
        self.journal = Journal(store)
        self._pool = pool
        self._picture_maker = picture_maker
        self._admin_commands = admin_commands
        self._emotions = Emotions(lambda: recognizer.emoji_map)
        self._chat_settings = chat_settings.ChatSettings(store, clock)
        self._taps_on_photos = PhotoTaps(
            store, pool, picture_maker, candidates, self._prepare_taste, self._own_emoji, self._emotions
        )
        self._tastes = Tastes(store, clock)
        self._chat_emoji = ChatEmojiMaps(store, lambda: recognizer.emoji_map)
        self._privacy = privacy.Privacy(store, self._tastes.forget)
        self._preparing = BackgroundTasks()
        self._answers_in_order = Order()
        self._photo_answers = PhotoAnswers(
            ReadingParts(
                recognizer,
                store,
                pool,
                picture_maker,
                self._tastes,
                self._chat_emoji,
                shadowing,
                candidates,
            )
        )
        self._play = Play(
            store, self._photo_answers, lambda: recognizer.emoji_map, clock, chance or random.SystemRandom()
        )

    @property
    def admins(self) -> Allowlist:
        """Return the allowlist of admins."""
        return self._admin_commands.admins if self._admin_commands is not None else Allowlist()

    async def close(self) -> None:
        """Wait for what goes on in the background."""
        await self._preparing.finish()
        await self._tastes.close()

    async def is_automatic(self, chat: Chat) -> bool:
        """Return whether a photo in a chat is to be answered now though nobody asked."""
        return await self._chat_settings.automatic(chat) is not Automatic.OFF

    async def on_photo(self, photo: PhotoMessage) -> AsyncIterator[Reply]:
        """Yield the replies to a photo: possibly a notice that it has to wait, then the answer, after those to the
        photos that the same person sent before.

        To one that nobody asked about, yield at most one, and none if there is nothing to react to.
        """
        async with self._answers_in_order.of(Whose(photo.chat, photo.person)) as turn:
            async for reply in self._replies(await self.begun(photo)):
                if not reply.waiting:
                    await turn()
                yield reply

    async def begun(self, photo: PhotoMessage) -> PhotoMessage:
        """Return a photo with what is known of the person and the chat; of whoever is forgotten from now on it is not
        stored. Without the database nothing is known.
        """
        if photo.context is not None:
            return photo
        with self._tolerated("photo_context_not_read", photo.chat):
            context = await self._store.photo_contexts.of(photo.person, photo.chat)
            since = photo.forgettings if photo.forgettings is not None else context.forgettings
            return replace(photo, context=context, forgettings=since)
        return photo

    async def _replies(self, photo: PhotoMessage) -> AsyncIterator[Reply]:
        game = await self._play.game_of(photo)
        recipient, choices = recipient_in(photo), photo.known.choices
        ahead = self._pool.wait_of(Whose(photo.chat, photo.person))
        if not photo.is_automatic and ahead:
            yield Reply(waiting_notice(recipient.voice, ahead), waiting=True)
        if game is not None:
            yield await self._attempt(photo, game, recipient)
            return
        if not photo.is_automatic:
            yield await self._photo_answers.answer(photo, recipient, choices.most_faces)
            return
        reply = await self._unasked(photo, recipient, choices)
        if reply is not None:
            yield reply

    async def note_answer(self, chat: Chat, photo: int, message: str) -> None:
        """Remember that a message is the answer to a stored photo, so that people's reactions on it are understood.

        photo: as in `Reply`. message: the platform's id.
        """
        with self._tolerated("answer_not_noted", chat):
            await self._store.taps.note_messages(photo, [chat.message(message)])

    async def plays_on(self, chat: Chat, message: str) -> bool:
        """Return whether a message of the bot asks for a round of a game, so that photos in reply to it are attempts.

        message: the platform's id.
        """
        return await self._play.is_round(chat, message)

    async def note_round(self, chat: Chat, game: int, message: str) -> None:
        """Remember that a message asks for a round. game: as in `Reply`. message: the platform's id."""
        with self._tolerated("round_not_noted", chat):
            await self._store.games.note_message(game, chat.message(message))

    async def on_reaction(self, reaction: PeopleReaction) -> None:
        """Take a person's reaction on their photo, or on the answer to it, for a tap that says less than a button."""
        emoji = await self._known(reaction.emoji, reaction.chat)
        if emoji is None and reaction.emoji:
            return  # no word about the face
        with self._tolerated("reaction_not_kept", reaction.chat):
            if await self._store.taps.react(reaction.chat.message(reaction.message), reaction.person, emoji):
                self._prepare_taste(reaction.person, reaction.chat)

    async def recent_emoji(self, person: Person, most: int) -> tuple[str, ...]:
        """Return the last `most` different emoji that a person chose, the newest first; none without the database."""
        since = datetime.min.replace(tzinfo=UTC)
        try:
            choices = await self._store.choices.of_person(person, since, 10 * most)
        except (SQLAlchemyError, OSError):
            _log.exception("choices_not_read", platform=person.platform)
            return ()
        recipient = Recipient.of(await self._preferences(person), "")
        own = (recipient.variant_of(each.emoji) for each in choices if CustomEmoji.parse(each.emoji) is None)
        return tuple(dict.fromkeys(own))[:most]

    async def on_chat_moved(self, old: Chat, new: Chat) -> None:
        """Let everything known of a chat be known of the one that it became."""
        with self._tolerated("chat_not_moved", new):
            await self._store.chats.move(old, new)
            self._tastes.forget()

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

    async def on_covers(self, tap: Tap) -> CoversReply:
        """Return what covers the faces in the picture that this tap made before. tap: as `TapReply.covers` says."""
        recipient = Recipient.of(await self._preferences(tap.person), tap.language)
        try:
            return await self._taps_on_photos.covers(tap, Token.parse(tap.token), recipient)
        except TokenError:
            return CoversReply(recipient.voice.say(texts.GONE))
        except (SQLAlchemyError, OSError):
            _log.exception("tap_failed", platform=tap.chat.platform)
            return CoversReply(recipient.voice.say(texts.FAILED))

    async def on_arranged(self, photo: PhotoMessage, covers: Sequence[Cover]) -> Reply:
        """Answer a request for a photo with covers where the person put them. photo: with one picture, in memory."""
        picture = photo.pictures[0]
        assert isinstance(picture, Picture)
        say = (await self.voice_for(photo.person, photo.language)).say
        make = partial(self._picture_maker.arranged, picture.content, covers)
        made, problem = await make_picture(self._pool, photo.person, photo.chat, make, picture)
        return Reply(say(problem or texts.EMOJI_ME_MADE), picture=made, is_failure=problem in texts.FAILURES)

    async def cover_image(self, emoji: str, person: Person, chat: Chat) -> bytes | None:
        """Return what covers a face where this emoji does, as a PNG; None if that cannot be drawn now.

        emoji: one that `can_draw` knows. person and chat: for whom it is drawn.
        """
        image, _ = await attempt(self._pool, person, chat, partial(self._picture_maker.cover_image, emoji))
        return image

    def can_draw(self, emoji: str) -> bool:
        """Return whether there is a drawing of an emoji, so that it can cover a face."""
        return self._picture_maker.can_draw(emoji)

    async def on_command(self, command: Command) -> Reply:
        """Answer a command."""
        preferences = await self._preferences(command.person)
        recipient = Recipient.of(preferences, command.language)
        try:
            return await self._command(command, preferences, recipient)
        except Exception:
            _log.exception("command_failed", platform=command.chat.platform, command=command.name.value)
            return Reply(recipient.voice.say(texts.FAILED), is_failure=True)

    async def on_chat_emoji(self, command: ChatEmojiCommand) -> Reply:
        """Answer the command that maps an emoji of a chat's own."""
        recipient = Recipient.of(await self._preferences(command.person), command.language)
        try:
            return await self._chat_emoji.command(command, recipient)
        except Exception:
            _log.exception("command_failed", platform=command.chat.platform, command="chat_emoji")
            return Reply(recipient.voice.say(texts.FAILED), is_failure=True)

    async def on_admin_command(self, command: AdminCommand) -> AsyncIterator[Reply]:
        """Yield the replies to an admin's command; each replaces the one before. Refuse anyone else politely."""
        admin_commands = self._commands_for(command.person, command.name.value)
        if admin_commands is None:
            yield Reply(_admins_only(command.person, await self.voice_for(command.person, command.language)))
            return
        async for reply in admin_commands.on_command(command):
            yield reply

    async def on_emoji_me(self, photo: PhotoMessage) -> Reply:
        """Answer a request for a photo with emoji in place of faces, each the one ranked first.

        Of several pictures, the first that can be fetched counts.
        """
        recipient = Recipient.of(await self._preferences(photo.person), photo.language)
        problems, say = set(), recipient.voice.say
        for each in photo.pictures:
            try:
                async with opened(self._pool, each, Whose(photo.chat, photo.person)) as picture:
                    make = partial(self._picture_maker.emoji_me, picture.content, (), photo.chat.platform)
                    made, problem = await make_picture(self._pool, photo.person, photo.chat, make, picture)
                    return Reply(
                        say(problem or texts.EMOJI_ME_MADE), picture=made, is_failure=problem in texts.FAILURES
                    )
            except TooManyError:
                return Reply(say(texts.SLOW_DOWN), is_failure=True)
            except NotFetchedError as error:
                problems.add(str(error))
        return Reply(say(next(each for each in texts.SOME_MISSING if each in problems)))

    async def preview(self, photo: PhotoMessage) -> MadePicture | None:
        """Return the one picture of a message, which is in memory, as a JPEG in the size at which it is read; None if
        it cannot be read.
        """
        picture = photo.pictures[0]
        assert isinstance(picture, Picture)
        make = partial(self._picture_maker.outlined, picture.content, ())
        made, _ = await make_picture(self._pool, photo.person, photo.chat, make, picture)
        return made

    async def follow(self, frame: bytes, before: Reading | None, whose: Whose) -> Reading:
        """Read a frame of a live picture, and keep nothing of it. before: what was returned for the frame before.

        Raise `PhotoError` if it cannot be read, `TooManyError` if too much of the person waits.
        """
        return await self._pool.run(partial(self._recognizer.follow, frame, before), whose)

    def emoji_of(self, emotion: str) -> str:
        """Return the emoji of a face that shows this emotion, of `EMOTIONS`, and nothing else."""
        return self._emotions.emoji_of(emotion)

    async def recipient_of(self, person: Person, language: str) -> Recipient:
        """Return how a person is written to: their voice, and the appearance of emoji. language: as in
        `PhotoMessage`.
        """
        return Recipient.of(await self._preferences(person), language)

    async def voice_for(self, person: Person, language: str) -> Voice:
        """Return the voice for an adapter's own sentences to a person. language: as in `PhotoMessage`."""
        return (await self.recipient_of(person, language)).voice

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

    async def _own_emoji(self, chat: Chat) -> tuple[OwnEmoji, ...]:
        return await self._chat_emoji.own(chat)

    def _prepare_taste(self, person: Person, chat: Chat) -> None:
        self._preparing.start("taste", self._prepare(person, chat))

    async def _prepare(self, person: Person, chat: Chat) -> None:
        self._tastes.prepare(await self._chat_emoji.of(chat), person, chat)

    async def _preferences(self, person: Person) -> Preferences:
        """Return the person's preferences; the defaults if the database is unavailable."""
        try:
            return await self._store.preferences(person)
        except Exception:
            _log.exception("preferences_not_read", platform=person.platform)
            return Preferences()

    async def _attempt(self, photo: PhotoMessage, game: Game, recipient: Recipient) -> Reply:
        try:
            return await self._play.answer(photo, game, recipient)
        except (SQLAlchemyError, OSError):
            _log.exception("attempt_failed", platform=photo.chat.platform)
            return Reply(recipient.voice.say(texts.FAILED), is_failure=True)

    async def _unasked(self, photo: PhotoMessage, recipient: Recipient, choices: ChatChoices) -> Reply | None:
        """Return what is to happen to a photo that nobody asked about, None for nothing."""
        match self._chat_settings.automatic_by(choices):
            case Automatic.REACT:
                return await self._photo_answers.react(photo, recipient, choices.most_faces)
            case Automatic.OFFER:
                return await self._photo_answers.offer(photo, recipient, choices.most_faces)
            case Automatic.ASK if await self._photo_answers.shows_faces(photo):
                label = recipient.voice.say(texts.YES_PLEASE)
                return Reply(
                    recipient.voice.say(texts.SHALL_I), rows=((Button(label, label, str(Token(Action.READ))),),)
                )
        return None

    async def _read(self, tap: Tap, recipient: Recipient) -> TapReply:
        """Answer a photo after its sender was asked and said yes."""
        say = recipient.voice.say
        if tap.sender is None or tap.sender not in (tap.person, await tap.alias()):
            return TapReply(say(texts.NOT_YOURS_TO_ASK))
        asked = PhotoMessage(
            tap.person,
            tap.chat,
            (),
            tap.language,
            comes_again=True,
            sender=tap.author if tap.author != tap.sender else None,
            messages=(tap.photo_message,) if tap.photo_message else (),
        )
        asked = await self.begun(asked)
        most_faces = asked.known.choices.most_faces
        try:
            async with opened_again(self._pool, tap) as picture:
                photo = replace(asked, pictures=(picture,))
                reply = await self._photo_answers.answer(photo, recipient, most_faces)
        except TooManyError:
            return TapReply(say(texts.SLOW_DOWN))
        except NotFetchedError as error:
            return TapReply(say(str(error)))
        reaction = next((each for each in reply.reactions if each is not None), None)
        return TapReply("", reply.rows, reply.text, reaction, picture=reply.picture, is_whole=True, photo=reply.photo)

    async def _known(self, emoji: Sequence[str], chat: Chat) -> str | None:
        """Return the last of these that the emoji map has, in its spelling; None if it has none."""
        spellings = {without_selector(each): each for each in (await self._chat_emoji.of(chat)).emoji}
        found = (spellings.get(without_selector(form)) for each in reversed(emoji) for form in (each, plain(each)))
        return next((each for each in found if each is not None), None)

    @contextmanager
    def _tolerated(self, event: str, chat: Chat) -> Iterator[None]:
        """Log what fails in this context, and go on after it: nobody waits for an answer."""
        try:
            yield
        except (SQLAlchemyError, OSError):
            _log.exception(event, platform=chat.platform)

    async def _tap(self, tap: Tap, recipient: Recipient) -> TapReply:  # noqa: PLR0911  # one for each kind of button
        token = Token.parse(tap.token)
        if token.action in _SETTINGS_ACTIONS:
            return await self._tapped_settings(tap, token)
        if token.action in privacy.ACTIONS:
            return await self._privacy.tapped(tap, token, recipient)
        if token.action in chat_settings.ACTIONS:
            return await self._chat_settings.tapped(tap, token, recipient)
        if token.action in _PLAYING_ACTIONS:
            return await self._play.tapped(tap, token, recipient)
        if token.action is Action.READ:
            return await self._read(tap, recipient)
        if token.action is Action.AVATAR and not token.reading:
            return await self._taps_on_photos.avatar(tap, "happy", recipient)
        answer = await self._taps_on_photos.answer(tap, token, recipient)
        if token.action is not Action.CHOOSE or answer.rows is None:
            return answer
        return replace(answer, question=await self._privacy.question(tap, recipient))

    async def _tapped_settings(self, tap: Tap, token: Token) -> TapReply:
        """Open a page of the settings or change one for the person who tapped; the reply uses the new settings."""
        before = await self._store.preferences(tap.person)  # fail rather than overwrite unread ones
        preferences = settings_pages.after(token, before)
        if preferences != before:
            await self._store.set_preferences(tap.person, preferences)
        recipient = Recipient.of(preferences, tap.language)
        is_opening = token.action is Action.OPEN_SETTINGS
        page = SettingsPage(token.choice) if is_opening else settings_pages.page_after(token.action)
        shown = settings_pages.text(page, preferences, recipient)
        notice = shown if is_opening else recipient.voice.say(texts.SETTING_KEPT)
        return TapReply(notice, settings_pages.rows(page, preferences, recipient), text=shown)

    async def _command(  # noqa: PLR0911  # one for each command
        self, command: Command, preferences: Preferences, recipient: Recipient
    ) -> Reply:
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
                return await self._privacy.show(command, recipient)
            case CommandName.CHAT_SETTINGS:
                return await self._chat_settings.show(command, recipient)
            case CommandName.PLAY:
                return await self._play.start(command, recipient)
            case CommandName.MY_DATA:
                return await self._privacy.my_data(command, recipient)
            case CommandName.FORGET_ME:
                return self._privacy.ask_to_forget(command, recipient)


def recipient_in(photo: PhotoMessage) -> Recipient:
    """Return how the person is written to who asks about a photo, by what is known of them."""
    return Recipient.of(photo.known.preferences, photo.language)


def _admins_only(person: Person, voice: Voice) -> str:
    return voice.say(texts.ADMINS_ONLY, id=f"{person.platform}:{person.id}")
