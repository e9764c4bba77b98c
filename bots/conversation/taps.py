"""Handle taps on the buttons under an answered photo: votes, corrections, more emoji, and pictures to share."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import structlog

from bots.conversation import texts
from bots.conversation.buttons import (
    Action,
    Token,
    cover_rows,
    covering_rows,
    face_rows,
    face_rows_after,
    pack_rows,
    photo_rows,
    rows_after,
    sticker_rows,
    swapped,
)
from bots.conversation.emotions import Emotions
from bots.conversation.fetching import opened_again
from bots.conversation.picture_making import attempt, make_picture
from bots.conversation.recipient import Recipient
from bots.custom_emoji import CustomEmoji, in_text
from bots.messages import (
    MOST_COVERS,
    ButtonRows,
    CoversReply,
    Form,
    MadePicture,
    NotFetchedError,
    Picture,
    StickerEmoji,
    Tap,
    TapReply,
)
from bots.pictures.maker import FaceEmoji, PictureMaker
from bots.serving.fair_queue import TooManyError
from bots.serving.inference_pool import InferencePool
from db import Chat, OwnEmoji, Person, Platform, Store, StoredPhoto, StoredReading
from recognizer import EMOTIONS

_log = structlog.get_logger()
_VOTES = frozenset({Action.CHOOSE, Action.NONE, Action.CORRECT})
_COVERING = (Action.EMOJI_ME, Action.BLUR)
_CUTTING = (Action.STICKER, Action.CHANGE_STICKER)


class PhotoTaps:
    """Answers taps whose token names a reading. SQLAlchemy's errors are passed on."""

    def __init__(  # noqa: PLR0913, PLR0917  # its parts
        self,
        store: Store,
        pool: InferencePool,
        picture_maker: PictureMaker,
        candidates: int,
        taste_changed: Callable[[Person, Chat], None],
        own_emoji: Callable[[Chat], Awaitable[tuple[OwnEmoji, ...]]],
        emotions: Emotions,
    ) -> None:
        """Set the parts. candidates: number of emoji first offered as buttons, 1 to 5. taste_changed: called with
        a person who tapped on their own photo, and the chat. own_emoji: returns the emoji of a chat's own. emotions:
        knows which emoji stands for an emotion.
        """
        self._store = store
        self._pool = pool
        self._picture_maker = picture_maker
        self._candidates = candidates
        self._taste_changed = taste_changed
        self._own_emoji = own_emoji
        self._emotions = emotions

    async def answer(  # noqa: PLR0911  # one for each kind of button
        self, tap: Tap, token: Token, recipient: Recipient
    ) -> TapReply:
        """Return the reply to a tap. token: parsed from the button. recipient: the person who tapped."""
        stored = await self._store.photo_of(token.reading, tap.person)
        if stored is not None and not stored.own and (alias := await tap.alias()) is not None:
            stored = await self._store.photo_of(token.reading, alias)
        if stored is None:
            return TapReply(recipient.voice.say(texts.GONE))
        if not stored.own:
            return await self._vote(tap, token, stored, recipient)
        if token.action in (*_COVERING, *_CUTTING):
            return await self._picture(tap, token, stored, recipient)
        if token.action is Action.AVATAR:
            return await self.avatar(tap, self._emotion_of(_reading_of(token, stored)), recipient, token.reading)
        if token.action is Action.PACK:
            return TapReply(recipient.voice.say(texts.GONE), is_for_pack=True)
        if token.action in (Action.COVER, Action.COVER_WITH, Action.SWAP):
            return await self._cover(tap, token, stored, recipient)
        answer = await self._tapped(tap, token, stored, recipient)
        if token.action in _VOTES:
            self._taste_changed(tap.person, tap.chat)
        return answer

    async def covers(self, tap: Tap, token: Token, recipient: Recipient) -> CoversReply:
        """Return what covers the faces in the picture that a tap on the button made. token: parsed from the button."""
        say = recipient.voice.say
        stored = await self._store.photo_of(token.reading, tap.person)
        if token.action not in _COVERING or stored is None or not stored.own:
            return CoversReply(say(texts.GONE))
        known = await self._known(tap, stored, recipient)
        try:
            async with opened_again(self._pool, tap) as picture:
                find = partial(
                    self._picture_maker.covers, picture.content, known, is_blurred=token.action is Action.BLUR
                )
                found, problem = await attempt(self._pool, tap.person, tap.chat, find)
        except TooManyError:
            return CoversReply(say(texts.SLOW_DOWN))
        except NotFetchedError as error:
            return CoversReply(say(str(error)))
        if found is None:
            return CoversReply(say(problem))
        if len(found) > MOST_COVERS:
            return CoversReply(say(texts.TOO_MANY_COVERS, most=MOST_COVERS))
        plain = {emoji for each in found for emoji in each.choices if CustomEmoji.parse(emoji) is None}
        shown = {emoji: recipient.variant_of(emoji) for emoji in plain}
        names = {shown[emoji]: recipient.name_of(emoji) for emoji in plain}
        return CoversReply(
            "",
            tuple(
                replace(each, choices=tuple(dict.fromkeys(shown[emoji] for emoji in each.choices if emoji in shown)))
                for each in found
            ),
            {emoji: name for emoji, name in names.items() if self._picture_maker.can_draw(emoji)},
        )

    async def _vote(self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient) -> TapReply:
        """Store the vote of someone other than the person who asked, if the chat allows it; the answer stays as it is.

        If they sent the photo, their word counts as the sender's.
        """
        if token.action not in _VOTES or not await self._store.feedback.takes_votes(token.reading, tap.chat):
            return TapReply(recipient.voice.say(texts.NOT_ASKED if stored.of_another else texts.NOT_YOURS))
        emoji = emotion = None
        if token.action is Action.CHOOSE:
            reading = _reading_of(token, stored)
            if token.choice >= len(reading.suggestions):
                return TapReply(recipient.voice.say(texts.GONE))
            emoji = reading.suggestions[token.choice]
        elif token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
        await self._store.taps.add(token.reading, emoji=emoji, emotion=emotion, voter=tap.person)
        return TapReply(recipient.voice.say(texts.VOTED))

    async def _cover(self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient) -> TapReply:
        """Change what covers the faces of a picture that was made before."""
        if token.action is Action.COVER:
            number = 1 + [reading.id for reading in stored.readings].index(token.reading)
            notice = recipient.voice.say(texts.WHAT_COVERS, number=number)
            return TapReply(notice, covering_rows(_reading_of(token, stored), recipient))
        turn = 0
        if token.action is Action.SWAP:
            turn = token.choice % len(stored.readings)
        else:
            reading = _reading_of(token, stored)
            if token.choice >= len(reading.suggestions):
                return TapReply(recipient.voice.say(texts.GONE))
            emoji = reading.suggestions[token.choice]
            await self._store.taps.add(reading.id, emoji=emoji)
            self._taste_changed(tap.person, tap.chat)
            stored = stored.with_choice(reading.id, emoji)
        made = await self._picture(tap, Token(Action.EMOJI_ME, token.reading), stored, recipient, turn)
        if made.picture is None:
            return made
        notice = recipient.voice.say(texts.SWAPPED if token.action is Action.SWAP else texts.EMOJI_ME_MADE)
        return replace(_in_place(made), notice=notice)

    async def _picture(
        self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient, turn: int = 0
    ) -> TapReply:
        """Fetch the photo again and make the requested picture. turn: how often the faces' emoji were swapped."""
        say = recipient.voice.say
        if not stored.comes_again:
            return TapReply(say(texts.PHOTO_GONE))
        known = await self._known(tap, stored, recipient, turn)
        try:
            async with opened_again(self._pool, tap) as picture:
                made, problem = await self._made(tap, token, picture, known, _emoji_place(token, stored))
        except TooManyError:
            return TapReply(say(texts.SLOW_DOWN))
        except NotFetchedError as error:
            return TapReply(say(str(error)))
        if made is None:
            return TapReply(say(problem))
        rows: ButtonRows = ()
        covers = str(token) if token.action in _COVERING and tap.shows_each_face and made.form is Form.PHOTO else ""
        if token.action is Action.EMOJI_ME and len(stored.readings) > 1 and not covers:
            rows = cover_rows(stored, turn, recipient)
        is_fixed = made.form is Form.STICKER and tap.chat.platform is Platform.TELEGRAM  # it has packs, but no edits
        if token.action in _CUTTING:
            rows = sticker_rows(stored, _emoji_place(token, stored), recipient, has_packs=is_fixed)
        notice = say(texts.EMOJI_ME_MADE if token.action in _COVERING else texts.STICKER_MADE)
        reply = TapReply(notice, picture=made, picture_rows=rows, covers=covers)
        return _in_place(reply) if token.action is Action.CHANGE_STICKER and not is_fixed else reply

    async def avatar(self, tap: Tap, emotion: str, recipient: Recipient, reading: int = 0) -> TapReply:
        """Return the avatar of the person who tapped, with an emotion of `EMOTIONS`. reading: of theirs, 0 for none."""
        say, platform = recipient.voice.say, tap.chat.platform
        if recipient.look is None:
            return TapReply(say(texts.NO_AVATAR_YET))
        make = partial(self._picture_maker.avatar, recipient.look, emotion, platform)
        made, problem = await attempt(self._pool, tap.person, tap.chat, make)
        if made is None:
            return TapReply(say(problem))
        rows = pack_rows(reading, recipient) if platform is Platform.TELEGRAM and reading else ()
        return TapReply(say(texts.AVATAR_MADE), picture=made, picture_rows=rows)

    def _emotion_of(self, reading: StoredReading) -> str:
        """Return what a face shows: what was said of it, else what was read."""
        said = reading.emotion or (self._emotions.emotion_of(reading.chosen) if reading.chosen is not None else None)
        return said or EMOTIONS[int(np.argmax(reading.probabilities))]

    async def _known(self, tap: Tap, stored: StoredPhoto, recipient: Recipient, turn: int = 0) -> list[FaceEmoji]:
        """Return the faces of the answer, and what covers them. turn: how often their emoji were swapped."""
        like = {each.symbol: each.stands_for for each in await self._own_emoji(tap.chat)}
        covers = swapped([_drawable(reading, like) for reading in stored.readings], turn)
        return [
            FaceEmoji(reading.probabilities, recipient.variant_of(emoji), reading.suggestions)
            for reading, emoji in zip(stored.readings, covers, strict=True)
        ]

    async def _made(
        self, tap: Tap, token: Token, picture: Picture, known: Sequence[FaceEmoji], emoji_place: StickerEmoji
    ) -> tuple[MadePicture | None, str]:
        """Return what `make_picture` does for the picture that a button asks for. emoji_place: of a sticker."""
        platform = tap.chat.platform
        if token.action in _COVERING:
            is_blurred = token.action is Action.BLUR
            make = partial(self._picture_maker.emoji_me, picture.content, known, platform, is_blurred=is_blurred)
        else:
            sticker = partial(self._picture_maker.sticker, picture.content, known[0], platform)
            make = partial(sticker, emoji_place, is_hidden=picture.has_spoiler)
        return await make_picture(self._pool, tap.person, tap.chat, make, picture)

    async def _tapped(self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient) -> TapReply:
        """Answer a tap of the photo's sender."""
        reading = _reading_of(token, stored)
        say = recipient.voice.say
        if token.action is Action.CHOOSE:
            return await self._choose(tap, token, stored, reading, recipient)
        if token.action is Action.NONE:
            await self._store.taps.add(reading.id)
            _log.info("tap_kept", platform=tap.chat.platform, agrees=False)
            return TapReply(say(texts.WHICH_EMOTION), self._rows_after(tap, token, stored, recipient))
        if token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
            await self._store.taps.add(reading.id, emotion=emotion)
            notice = say(texts.EMOTION_KEPT, feeling=say(texts.FEELINGS[emotion]))
            rows = self._rows(tap, stored.with_choice(reading.id, None), reading.id, recipient)
            if not tap.shows_each_face:
                return TapReply(notice, rows)
            reaction = recipient.variant_of(self._emotions.emoji_of(emotion))
            return TapReply(notice, rows, notice, reaction, feeling=say(texts.FEELINGS[emotion]))
        notice = say(texts.MORE_SHOWN if token.action is Action.MORE else texts.BACK_SHOWN)
        return TapReply(notice, self._rows_after(tap, token, stored, recipient), is_obvious=True)

    async def _choose(
        self, tap: Tap, token: Token, stored: StoredPhoto, reading: StoredReading, recipient: Recipient
    ) -> TapReply:
        if token.choice >= len(reading.suggestions):
            return TapReply(recipient.voice.say(texts.GONE))
        emoji = reading.suggestions[token.choice]
        await self._store.taps.add(reading.id, emoji=emoji)
        _log.info("tap_kept", platform=tap.chat.platform, agrees=emoji == reading.suggestions[0])
        changed = stored.with_choice(reading.id, emoji)
        alone = len(stored.readings) == 1 or tap.shows_each_face
        is_change = reading.chosen is not None and reading.chosen != emoji
        shown = recipient.variant_of(emoji)
        emotion = self._emotions.emotion_of(emoji) if tap.shows_each_face else None
        notice = recipient.voice.say(texts.CORRECTED if is_change else texts.CHOSEN, emoji=in_text(shown))
        return TapReply(
            notice,
            self._rows(tap, changed, reading.id, recipient),
            text=notice if alone else None,
            reaction=shown if alone else None,
            feeling=recipient.voice.say(texts.FEELINGS[emotion]) if emotion is not None else None,
        )

    def _rows(self, tap: Tap, stored: StoredPhoto, reading: int, recipient: Recipient) -> ButtonRows:
        """Return the buttons of the whole answer, or those of the face whose button was tapped."""
        if not tap.shows_each_face:
            return photo_rows(stored, self._candidates, recipient)
        return face_rows(next(each for each in stored.readings if each.id == reading), self._candidates, recipient)

    def _rows_after(self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient) -> ButtonRows:
        if not tap.shows_each_face:
            return rows_after(token, stored, self._candidates, recipient)
        return face_rows_after(token, _reading_of(token, stored), self._candidates, recipient)


def _in_place(made: TapReply) -> TapReply:
    """Return a picture that is sent as one that replaces that with the button."""
    return replace(made, text=made.notice, rows=made.picture_rows, picture_rows=(), is_whole=True)


def _drawable(reading: StoredReading, like: Mapping[str, str]) -> str:
    """Return the emoji of a face that covers it in a picture. like: what each emoji of the chat's own is like."""
    wanted = (reading.chosen, *reading.suggestions) if reading.chosen is not None else reading.suggestions
    emoji = (like.get(each, each) for each in wanted)
    return next((each for each in emoji if CustomEmoji.parse(each) is None), wanted[0])


def _emoji_place(token: Token, stored: StoredPhoto) -> StickerEmoji:
    """Return where the emoji of a sticker is to be: on the face, if somebody else had sent the photo."""
    is_free = token.action in _CUTTING and not stored.of_another
    return StickerEmoji(token.choice) if is_free else StickerEmoji.ON_FACE


def _reading_of(token: Token, stored: StoredPhoto) -> StoredReading:
    return next(reading for reading in stored.readings if reading.id == token.reading)
