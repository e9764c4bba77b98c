"""Handle taps on the buttons under an answered photo: votes, corrections, more emoji, and pictures to share."""

from collections.abc import Callable
from functools import partial

from bots.conversation import texts
from bots.conversation.buttons import Action, Token, photo_rows, rows_after
from bots.conversation.picture_making import make_picture
from bots.conversation.recipient import Recipient
from bots.messages import Tap, TapReply
from bots.pictures.maker import FaceEmoji, PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Chat, Person, Store, StoredPhoto, StoredReading
from recognizer import EMOTIONS

_VOTES = frozenset({Action.CHOOSE, Action.NONE, Action.CORRECT})


class PhotoTaps:
    """Answers taps whose token names a reading. SQLAlchemy's errors are passed on."""

    def __init__(
        self,
        store: Store,
        pool: InferencePool,
        picture_maker: PictureMaker,
        candidates: int,
        taste_changed: Callable[[Person, Chat], None],
    ) -> None:
        """Set the parts. candidates: number of emoji first offered as buttons, 1 to 5. taste_changed: called with
        a person who tapped on their own photo, and the chat.
        """
        self._store = store
        self._pool = pool
        self._picture_maker = picture_maker
        self._candidates = candidates
        self._taste_changed = taste_changed

    async def answer(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        """Return the reply to a tap. token: parsed from the button. recipient: the person who tapped."""
        stored = await self._store.photo_of(token.reading, tap.person)
        if stored is not None and not stored.own and (alias := await tap.alias()) is not None:
            stored = await self._store.photo_of(token.reading, alias)
        if stored is None:
            return TapReply(recipient.voice.say(texts.GONE))
        if not stored.own:
            return await self._vote(tap, token, stored, recipient)
        if token.action in (Action.EMOJI_ME, Action.STICKER):
            return await self._picture(tap, token, stored, recipient)
        answer = await self._tapped(token, stored, recipient)
        if token.action in _VOTES:
            self._taste_changed(tap.person, tap.chat)
        return answer

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

    async def _picture(self, tap: Tap, token: Token, stored: StoredPhoto, recipient: Recipient) -> TapReply:
        """Fetch the photo again and make the requested picture."""
        platform = tap.chat.platform
        picture = await tap.fetch() if tap.fetch is not None and stored.comes_again else None
        if picture is None:
            return TapReply(recipient.voice.say(texts.PHOTO_GONE))
        known = [
            FaceEmoji(reading.probabilities, recipient.variant_of(reading.chosen or reading.suggestions[0]))
            for reading in stored.readings
        ]
        if token.action is Action.EMOJI_ME:
            make, said = partial(self._picture_maker.emoji_me, picture.content, known, platform), texts.EMOJI_ME_MADE
        else:
            sticker, is_hidden = self._picture_maker.sticker, picture.has_spoiler
            make = partial(sticker, picture.content, known[0], platform, is_hidden=is_hidden)
            said = texts.STICKER_MADE
        made, problem = await make_picture(self._pool, platform, make, picture)
        return TapReply(recipient.voice.say(problem or said), picture=made)

    async def _tapped(self, token: Token, stored: StoredPhoto, recipient: Recipient) -> TapReply:
        """Answer a tap of the photo's sender."""
        reading = _reading_of(token, stored)
        say = recipient.voice.say
        if token.action is Action.CHOOSE:
            return await self._choose(token, stored, reading, recipient)
        if token.action is Action.NONE:
            await self._store.taps.add(reading.id)
            return TapReply(say(texts.WHICH_EMOTION), rows_after(token, stored, self._candidates, recipient))
        if token.action is Action.CORRECT:
            emotion = EMOTIONS[token.choice]
            await self._store.taps.add(reading.id, emotion=emotion)
            notice = say(texts.EMOTION_KEPT, feeling=say(texts.FEELINGS[emotion]))
            changed = stored.with_choice(reading.id, None)
            return TapReply(notice, photo_rows(changed, self._candidates, recipient))
        notice = say(texts.MORE_SHOWN if token.action is Action.MORE else texts.BACK_SHOWN)
        rows = rows_after(token, stored, self._candidates, recipient)
        return TapReply(notice, rows, is_obvious=True)

    async def _choose(
        self, token: Token, stored: StoredPhoto, reading: StoredReading, recipient: Recipient
    ) -> TapReply:
        if token.choice >= len(reading.suggestions):
            return TapReply(recipient.voice.say(texts.GONE))
        emoji = reading.suggestions[token.choice]
        await self._store.taps.add(reading.id, emoji=emoji)
        changed = stored.with_choice(reading.id, emoji)
        alone = len(stored.readings) == 1
        is_change = reading.chosen is not None and reading.chosen != emoji
        shown = recipient.variant_of(emoji)
        notice = recipient.voice.say(texts.CORRECTED if is_change else texts.CHOSEN, emoji=shown)
        return TapReply(
            notice,
            photo_rows(changed, self._candidates, recipient),
            text=notice if alone else None,
            reaction=shown if alone else None,
        )


def _reading_of(token: Token, stored: StoredPhoto) -> StoredReading:
    return next(reading for reading in stored.readings if reading.id == token.reading)
