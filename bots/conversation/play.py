"""A game that teaches: the bot shows an emoji, people copy it with their faces, and get points for how well it is read.

What the model knows least comes up most. An attempt is stored with what it was to show, and counts as a word of its
sender about the face: `db.TapOrigin.PLAY`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.languages import Voice, speak
from bots.conversation.photo_answers import PhotoAnswers
from bots.conversation.recipient import Recipient
from bots.messages import Button, ButtonRows, Command, PhotoMessage, Reply, Tap, TapReply
from db import Chat, Game, Person, Score, Store
from db.games import UNNAMED
from recognizer import EMOTIONS, EmojiMap, Face

ROUNDS = 3
"""Rounds of a game that one person plays alone."""
ROUND_LASTS = timedelta(minutes=10)
MOST_POINTS = 100
"""Points for a face that is surely read as what was asked for."""
MOST_ON_SCOREBOARD = 10
LEARNED_FROM = {"angry": 3995, "disgust": 436, "fear": 4097, "happy": 7215, "sad": 4830, "surprise": 3171}
"""Faces of each emotion that can be asked for in FER2013's `train`, from which the first model learned."""
_WORTH = 100
"""Faces of FER2013 that one of somebody who uses the bot is worth, when it is decided what comes up."""
_CLEAR_PROFILE = 0.7
"""Score from which an emoji shows an emotion clearly enough to be copied."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Ask:
    """What is to be copied."""

    emotion: str
    emoji: str


class Play:
    """Starts games, and answers attempts. SQLAlchemy's errors are passed on, except where a game is looked for."""

    def __init__(
        self,
        store: Store,
        photo_answers: PhotoAnswers,
        emoji_map: Callable[[], EmojiMap],
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        """Set the parts. emoji_map: returns the current map. clock: returns the time with its zone. chance: decides
        what comes up.
        """
        self._store = store
        self._photo_answers = photo_answers
        self._emoji_map = emoji_map
        self._clock = clock
        self._chance = chance

    async def start(self, command: Command, recipient: Recipient) -> Reply:
        """Start a game of one person or, where others see it, a round of everybody."""
        if not command.in_public:
            game = await self._new_game(command.chat, command.person)
            return Reply(self._asks(game, recipient.voice), rows=_rows(recipient.voice))
        if not (await self._store.chats.choices(command.chat)).allows_play:
            return Reply(recipient.voice.say(texts.PLAY_OFF))
        ask = await self._next(())
        game = await self._store.games.start(command.chat, None, ask.emotion, ask.emoji, self._clock())
        minutes = round(ROUND_LASTS.total_seconds() / 60)
        return Reply(recipient.voice.say(texts.PLAY_ASKS_ALL, emoji=game.emoji, minutes=minutes), game=game.id)

    async def game_of(self, photo: PhotoMessage) -> Game | None:
        """Return the game that a photo is an attempt in: the round that it replies to, or the one of who sent it."""
        is_own = photo.sender in (None, photo.person)
        if photo.is_automatic or not photo.is_new or not is_own or not photo.pictures:
            return None
        since = self._clock() - ROUND_LASTS
        try:
            if photo.replies_to:
                game = await self._store.games.asked_in(photo.chat.message(photo.replies_to), since)
                if game is not None:
                    return game
            return await self._store.games.of(photo.chat, photo.person, since) if photo.known.has_game else None
        except (SQLAlchemyError, OSError):
            _log.exception("game_not_found", platform=photo.chat.platform)
            return None

    async def is_round(self, chat: Chat, message: str) -> bool:
        """Return whether a message asks for a round of everybody that is on."""
        try:
            return await self._store.games.asked_in(chat.message(message), self._clock() - ROUND_LASTS) is not None
        except (SQLAlchemyError, OSError):
            _log.exception("game_not_found", platform=chat.platform)
            return False

    async def answer(self, photo: PhotoMessage, game: Game, recipient: Recipient) -> Reply:
        """Answer an attempt: with points, and what comes next; a photo without a face may be sent again.

        Of an album, the first picture counts.
        """
        say = recipient.voice.say
        photo = replace(photo, pictures=photo.pictures[:1], messages=photo.messages[:1])
        [outcome] = await self._photo_answers.read(photo)
        if not outcome.faces:
            return Reply(say(outcome.problem), (None,), is_failure=outcome.problem in texts.FAILURES)
        face = outcome.faces[0]
        await self._photo_answers.keep(photo, [replace(outcome, faces=(face,))], shows=game.emotion)
        points = round(MOST_POINTS * face.probabilities[EMOTIONS.index(game.emotion)])
        if game.is_shared:
            reply = await self._scored(photo, game, points, face, recipient)
        else:
            reply = await self._went_on(game, points, face, recipient)
        return replace(reply, text=f"{reply.text}\n{say(photo.missing)}") if photo.missing else reply

    async def tapped(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        """Answer a button of a game that one person plays alone. token: with a playing action."""
        say = recipient.voice.say
        game = await self._store.games.of(tap.chat, tap.person, self._clock() - ROUND_LASTS)
        if token.action is Action.PLAY:
            text = self._asks(await self._new_game(tap.chat, tap.person), recipient.voice)
            return TapReply(text, _rows(recipient.voice), text, is_obvious=True)
        if game is None:
            return TapReply(say(texts.PLAY_OVER), ())
        if token.action is Action.STOP_PLAYING:
            await self._store.games.end(game)
            return TapReply(say(texts.PLAY_STOPPED), _again(recipient.voice), say(texts.PLAY_STOPPED), is_obvious=True)
        ask = await self._next(game.asked)
        changed = await self._store.games.change(game, ask.emotion, ask.emoji, self._clock())
        if changed is None:
            return TapReply(say(texts.PLAY_OVER), ())
        text = self._asks(changed, recipient.voice)
        return TapReply(text, _rows(recipient.voice), text, is_obvious=True)

    async def _new_game(self, chat: Chat, person: Person) -> Game:
        ask = await self._next(())
        return await self._store.games.start(chat, person, ask.emotion, ask.emoji, self._clock())

    async def _went_on(self, game: Game, points: int, face: Face, recipient: Recipient) -> Reply:
        """Return the points of a round that one person played, and the next round or the end."""
        voice = recipient.voice
        got = _got(points, face, voice)
        if game.round < ROUNDS:
            ask = await self._next(game.asked)
            following = await self._store.games.go_on(game, points, ask.emotion, ask.emoji, self._clock())
            if following is None:
                return Reply(voice.say(texts.PLAY_OVER))
            return Reply(f"{got}\n{self._asks(following, voice)}", rows=_rows(voice))
        if not await self._store.games.end(game):
            return Reply(voice.say(texts.PLAY_OVER))
        lines = [got, voice.count(texts.PLAY_ENDS, game.points + points), voice.say(texts.PLAY_TEACHES)]
        return Reply("\n".join(lines), rows=_again(voice))

    async def _scored(self, photo: PhotoMessage, game: Game, points: int, face: Face, recipient: Recipient) -> Reply:
        """Return the points of an attempt in a round of everybody, and the scoreboard."""
        voice = recipient.voice
        name = " ".join(photo.name.split())
        best = await self._store.games.score(game, photo.person, name, points, photo.forgettings or 0)
        lines = [voice.say(texts.PLAY_GOT_BY, name=name or UNNAMED, got=_got(points, face, voice))]
        if best > points:
            lines.append(voice.say(texts.PLAY_BEST_COUNTS, points=best))
        return Reply("\n".join((*lines, *await self._scoreboard(photo.chat, voice))))

    async def _scoreboard(self, chat: Chat, voice: Voice) -> Sequence[str]:
        scores = await self._store.games.scoreboard(chat, MOST_ON_SCOREBOARD)
        return (
            "",
            voice.say(texts.PLAY_SCOREBOARD),
            *(_line(place, score, voice) for place, score in enumerate(scores, 1)),
        )

    async def _next(self, asked: Sequence[str]) -> _Ask:
        """Return what is to be copied next: rather what the model knows least, and nothing twice in a game."""
        made = await self._store.games.attempts_by_emotion()
        left = [emotion for emotion in LEARNED_FROM if emotion not in asked] or list(LEARNED_FROM)
        odds = [(LEARNED_FROM[emotion] + _WORTH * made.get(emotion, 0)) ** -0.5 for emotion in left]
        emotion = self._chance.choices(left, odds)[0]
        emoji_map = self._emoji_map()
        column = EMOTIONS.index(emotion)
        clear = np.flatnonzero(emoji_map.profiles[:, column] >= _CLEAR_PROFILE)
        ranked = np.argsort(-emoji_map.likelihoods[column])
        shown = [int(place) for place in ranked if place in clear and _is_face(emoji_map.emoji[place])][:3]
        shown = shown or [int(ranked[0])]
        return _Ask(emotion, emoji_map.emoji[self._chance.choice(shown)])

    def _asks(self, game: Game, voice: Voice) -> str:
        return voice.say(texts.PLAY_ASKS, round=game.round, rounds=ROUNDS, emoji=game.emoji)


def _got(points: int, face: Face, voice: Voice) -> str:
    return voice.count(texts.PLAY_GOT, points, feeling=voice.say(texts.FEELINGS[face.emotion]))


def _line(place: int, score: Score, voice: Voice) -> str:
    return voice.say(texts.PLAY_SCORE, place=place, name=score.name, points=score.points)


def _rows(voice: Voice) -> ButtonRows:
    return (
        (_button(Action.CHANGE_ROUND, texts.PLAY_CHANGE, voice), _button(Action.STOP_PLAYING, texts.PLAY_STOP, voice)),
    )


def _again(voice: Voice) -> ButtonRows:
    return ((_button(Action.PLAY, texts.PLAY_AGAIN, voice),),)


def _button(action: Action, label: str, voice: Voice) -> Button:
    said = voice.say(label)
    return Button(said, said, str(Token(action)))


def _is_face(emoji: str) -> bool:
    """Return whether an emoji is a human face, which can be copied, and no gesture, cat or sign."""
    return "face" in (speak("en").name_of(emoji) or "").split()
